#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// Who the platform lets in, and what it lets them say: pure rules, for the broker's plugin.
/// Written from the protocol reference, not from the gateway's own code, which they judge.
namespace fieldgate::lab {

/// `{device_id}_0_{sign type}_{YYYYMMDDHH}` (protocol reference 1.2). Device ids contain
/// underscores, so it is read from the right.
struct ClientId {
    std::string device;
    char sign_type;    ///< '0': the hour is not compared with ours; '1': it is.
    std::string hour;  ///< Ten digits; with sign type 0 they need not be a real hour.
};
std::optional<ClientId> parse_client_id(std::string_view text);

/// Device id -> secret; an empty secret: a device with an X.509 certificate.
using Devices = std::map<std::string, std::string>;
/// A file of one "device_id secret" or "device_id x509" a line.
Devices read_devices(const std::string& file);
std::string format_devices(const Devices& devices);

/// hex(HMAC-SHA256(key = hour, message = secret)).
std::string password_for(std::string_view hour, std::string_view secret);
/// "2025041401" in UTC.
std::string hour_of(std::int64_t unix_seconds);

struct Login {
    std::string client_id;
    std::string username;
    std::optional<std::string> password;
    int keep_alive_seconds = 0;
    std::optional<std::string> certificate_name;  ///< The CN, if the broker has checked one.
};

/// Why not; empty: welcome.
std::string login_fault(const Login& login, const Devices& devices, std::int64_t unix_seconds);
std::string publish_fault(std::string_view device, std::string_view topic, int qos, bool retain,
                          std::size_t bytes);
std::string subscribe_fault(std::string_view device, std::string_view filter);

/// What an uplink topic of `device` is for.
enum class Uplink : std::uint8_t {
    message,
    command_reply,
    report,
    batch_report,
    set_reply,
    get_reply,
    shadow_request,
    event,
    custom,
};
std::optional<Uplink> uplink_kind(std::string_view device, std::string_view topic);

}  // namespace fieldgate::lab
