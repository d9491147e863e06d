#pragma once
#include <unordered_map>

#include "daemon/gate/bucket.h"

namespace fieldgate {

/// How fast the platform may ask: 10 requests a second with bursts of 50, for each sub-device and
/// for all of them together, and apart from these for the gateway itself and for what is not here:
/// no flood of theirs keeps anybody from asking the gateway how it is. What is beyond is to be
/// answered "busy". Pure.
class RateLimit {
public:
    static constexpr double per_second = 10;
    static constexpr double burst = 50;

    /// True if a request may pass at `now`, which never goes back.
    bool take(DeviceIndex device, Instant now) {
        Bucket& own = devices_.try_emplace(device, per_second, burst).first->second;
        return own.ready_at(now) <= now && all_.take(now) && own.take(now);
    }
    bool take_gateway(Instant now) { return gateway_.take(now); }
    bool take_unknown(Instant now) { return unknown_.take(now); }

private:
    Bucket all_{per_second, burst};
    Bucket gateway_{per_second, burst};
    Bucket unknown_{per_second, burst};
    std::unordered_map<DeviceIndex, Bucket> devices_;
};

}  // namespace fieldgate
