#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"

namespace fieldgate::lab {

/// Whether somebody listens on 127.0.0.1:`port`.
bool can_connect(std::uint16_t port);

/// Connects to 127.0.0.1:`port` (MQTT 3.1.1, no login), publishes with QoS 1 and leaves. A
/// connection for each message is cheap on loopback, and none can be stale after the broker was
/// restarted. Errors: closed, timeout (5 s), refused.
Result<void> publish_once(std::uint16_t port, const std::string& topic, const std::string& payload);

}  // namespace fieldgate::lab
