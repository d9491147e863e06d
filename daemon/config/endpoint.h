#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/config/loading.h"
#include "northbound/settings.h"

namespace fieldgate::config {

/// "mqtts://iot.example.com:8883": a scheme, a host, a port.
struct Endpoint {
    northbound::Scheme scheme = northbound::Scheme::mqtts;
    std::string host;  ///< at: the serial device of the module
    std::uint16_t port = 0;
    bool tls() const;
};

/// `endpoint` and `ca` of a map: the CA file is required for the schemes with TLS, and must be
/// there. `ca_file` is left alone if there is none.
std::optional<Endpoint> read_endpoint(Fields& fields, bool required, std::string& ca_file,
                                      Loading& loading);

/// "host:port", "[::1]:port"; the port may be left out if `port` is not 0.
struct HostPort {
    std::string host;
    std::uint16_t port = 0;
};
std::optional<HostPort> parse_host_port(std::string_view text, std::uint16_t port);

/// `auth:`, or of provisioning: exactly one of secret / certificate with its key.
void read_identity(const Place& place, northbound::Identity& identity, Loading& loading);

}  // namespace fieldgate::config
