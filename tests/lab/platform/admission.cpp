#include "tests/lab/platform/admission.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>

namespace fieldgate::lab {
namespace {

constexpr std::size_t publish_bytes_max = 1'048'576;  // protocol reference 1.1
constexpr int keep_alive_min = 30;
constexpr int keep_alive_max = 1200;
constexpr std::size_t text_max = 256;

bool digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string own_prefix(std::string_view device) {
    return "$oc/devices/" + std::string(device) + "/";
}

}  // namespace

std::optional<ClientId> parse_client_id(std::string_view text) {
    constexpr std::size_t tail = 15;  // _0_S_YYYYMMDDHH
    if (text.size() <= tail || text.size() > text_max) return std::nullopt;
    const std::string_view end = text.substr(text.size() - tail);
    const char sign_type = end[3];
    if (!end.starts_with("_0_") || end[4] != '_' || !digits(end.substr(5))) return std::nullopt;
    if (sign_type != '0' && sign_type != '1') return std::nullopt;
    return ClientId{std::string(text.substr(0, text.size() - tail)), sign_type,
                    std::string(end.substr(5))};
}

Devices read_devices(const std::string& file) {
    Devices devices;
    std::ifstream lines(file);
    std::string device;
    std::string secret;
    while (lines >> device >> secret) devices[device] = secret == "x509" ? "" : secret;
    return devices;
}

std::string format_devices(const Devices& devices) {
    std::string text;
    for (const auto& [device, secret] : devices)
        text += device + " " + (secret.empty() ? "x509" : secret) + "\n";
    return text;
}

std::string password_for(std::string_view hour, std::string_view secret) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), hour.data(), static_cast<int>(hour.size()),
         reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), digest.data(),
         &size);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        hex += "0123456789abcdef"[digest.at(i) >> 4U];
        hex += "0123456789abcdef"[digest.at(i) & 15U];
    }
    return hex;
}

std::string hour_of(std::int64_t unix_seconds) {
    const std::time_t time = unix_seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 16> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%d%H", &parts)};
}

std::string login_fault(const Login& login, const Devices& devices, std::int64_t unix_seconds) {
    const std::optional<ClientId> id = parse_client_id(login.client_id);
    if (!id) return "malformed ClientId";
    if (login.username != id->device) return "the user name is not the ClientId's device";
    if (login.keep_alive_seconds < keep_alive_min || login.keep_alive_seconds > keep_alive_max)
        return "keep-alive outside 30 to 1200 s";
    const auto device = devices.find(id->device);
    if (device == devices.end()) return "unknown device";
    if (id->sign_type == '1' && id->hour != hour_of(unix_seconds))
        return "the timestamp is not the platform's hour";
    if (device->second.empty()) {
        if (login.certificate_name != id->device) return "not the certificate of this device";
        return login.password ? "a password beside a certificate" : "";
    }
    if (login.password != password_for(id->hour, device->second)) return "wrong password";
    return "";
}

std::optional<Uplink> uplink_kind(std::string_view device, std::string_view topic) {
    const std::string prefix = own_prefix(device);
    if (!topic.starts_with(prefix)) return std::nullopt;
    topic.remove_prefix(prefix.size());
    constexpr auto follows = [](std::string_view text, std::string_view start) {
        return text.starts_with(start) && text.size() > start.size();
    };
    if (follows(topic, "user/")) return Uplink::custom;
    if (follows(topic, "sys/commands/response/request_id=")) return Uplink::command_reply;
    if (follows(topic, "sys/properties/set/response/request_id=")) return Uplink::set_reply;
    if (follows(topic, "sys/properties/get/response/request_id=")) return Uplink::get_reply;
    if (follows(topic, "sys/shadow/get/request_id=")) return Uplink::shadow_request;
    if (topic == "sys/events/up") return Uplink::event;

    const std::size_t mark = topic.find('?');
    const std::string_view path = topic.substr(0, mark);
    if (mark != std::string_view::npos && !follows(topic.substr(mark), "?request_id="))
        return std::nullopt;
    if (path == "sys/messages/up") return Uplink::message;
    if (path == "sys/properties/report") return Uplink::report;
    if (path == "sys/gateway/sub_devices/properties/report") return Uplink::batch_report;
    return std::nullopt;
}

std::string publish_fault(std::string_view device, std::string_view topic, int qos, bool retain,
                          std::size_t bytes) {
    if (!topic.starts_with(own_prefix(device))) return "a topic of somebody else";
    if (!uplink_kind(device, topic)) return "no uplink topic";
    if (qos > 1) return "QoS 2";
    if (retain) return "a retained message";
    if (bytes > publish_bytes_max) return "a payload over 1 MB";
    return "";
}

std::string subscribe_fault(std::string_view device, std::string_view filter) {
    const std::string prefix = own_prefix(device);
    const bool own = filter.starts_with(prefix + "sys/") || filter.starts_with(prefix + "user/");
    if (own || filter.starts_with("$oc/broadcast/")) return "";
    return "a topic of somebody else";
}

}  // namespace fieldgate::lab
