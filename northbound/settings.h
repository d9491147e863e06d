#pragma once
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/secret.h"

namespace fieldgate::northbound {

struct Limits {
    static constexpr double unlimited = std::numeric_limits<double>::infinity();
    double messages_per_second = 45;
    double bytes_per_second = 100.0 * 1024;
    std::size_t payload_bytes = 60 * 1024;  ///< One publish's payload; the platform allows 64 KiB.
    std::size_t sub_devices = 100;          ///< Per batch report, 1 to 100.
    /// Entries of one service with different event_time in one publish; SIZE_MAX: unlimited.
    std::size_t history = std::numeric_limits<std::size_t>::max();
    bool operator==(const Limits&) const = default;
};

enum class Scheme : std::uint8_t { mqtts, mqtt, https, coaps, coap, at };

/// Exactly one of secret / certificate. `check_timestamp`: sign type 1 (protocol reference 1.2).
struct Identity {
    Secret secret;
    bool check_timestamp = false;
    std::string certificate_file;
    std::string key_file;
    bool by_certificate() const { return !certificate_file.empty(); }
    bool operator==(const Identity&) const = default;
};

struct ReconnectPolicy {
    std::chrono::milliseconds from{1000};
    std::chrono::milliseconds to{60000};
    std::chrono::milliseconds stable_after{60000};
    bool operator==(const ReconnectPolicy&) const = default;
};

/// `platform:` of the configuration.
struct PlatformSettings {
    Scheme scheme = Scheme::mqtts;
    std::string host;
    std::uint16_t port = 8883;
    std::string ca_file;  ///< Required for TLS schemes.
    std::string device_id;
    Identity identity;
    std::chrono::seconds keep_alive{120};
    std::chrono::milliseconds linger{1000};
    Limits limits;
    ReconnectPolicy reconnect;
    bool register_devices = false;  ///< register: auto
    /// SHA-256 over the content of the files named above: a renewed certificate is another
    /// platform.
    std::string files_digest;
    bool operator==(const PlatformSettings&) const = default;
};

}  // namespace fieldgate::northbound
