#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "tests/lab/platform/journal.h"

namespace fieldgate::lab {

struct Downlink {
    std::string topic;
    std::string payload;
};

/// What the platform says to an uplink: time_sync_response (protocol reference 5.1),
/// sub_device_update_status_response (4.5). Pure. `sub_devices`: those that exist; empty: all
/// named.
std::vector<Downlink> answers_to(const Entry& uplink, const std::set<std::string>& sub_devices,
                                 std::int64_t now_ms);

/// The same for a scripted broker: what it says, as topics and payloads, to what `gateway`
/// publishes, so that the clock is proven and statuses are accepted.
std::function<std::vector<std::pair<std::string, std::string>>(const std::string& topic,
                                                               const std::string& payload)>
answering(std::string gateway, std::set<std::string> sub_devices = {});

}  // namespace fieldgate::lab
