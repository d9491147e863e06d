#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fieldgate {

/// `remote:`; every power is off unless this file switches it on.
struct RemoteSettings {
    bool write = false;
    bool manage_devices = false;
    bool configure = false;
    bool upgrade = false;
    bool files = false;
    bool operate = false;
    bool logs = false;
    bool tunnel = false;
    bool restart = false;
    std::vector<std::string> hosts{"*.myhuaweicloud.com"};
    bool private_addresses = false;
    std::string ca = "system";  ///< "system", or a file
    std::vector<std::string> signing_keys;
    bool operator==(const RemoteSettings&) const = default;
};

struct ListenAddress {
    std::string host;
    std::uint16_t port = 0;
    bool operator==(const ListenAddress&) const = default;
};

struct LocalSettings {
    std::string control = "/run/fieldgate/control.sock";
    std::optional<ListenAddress> web;
    std::optional<ListenAddress> metrics;
    bool operator==(const LocalSettings&) const = default;
};

}  // namespace fieldgate
