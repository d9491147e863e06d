#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

/// What the platform believes of a device and what it wants of it (protocol reference 2.5, 10.1).
/// Values only.
namespace fieldgate::northbound {

struct ShadowQuestion {
    std::string request_id;                 ///< Ours to choose; comes back. Unique on this device.
    std::string device_id;                  ///< The sub-device; empty: the gateway itself.
    std::optional<std::string> service_id;  ///< None: all services.
};

struct Shadow {
    struct Service {
        std::string service_id;
        json::Value::Object desired;
        json::Value::Object reported;
        std::optional<std::int64_t> version;
    };
    std::string request_id;
    std::string device_id;  ///< The sub-device; empty: the gateway itself.
    std::vector<Service> services;
};

}  // namespace fieldgate::northbound
