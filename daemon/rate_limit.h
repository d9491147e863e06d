#pragma once
#include <algorithm>
#include <unordered_map>

#include "model/reading.h"

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
        Bucket& own = devices_[device];
        own.fill(now);
        all_.fill(now);
        if (own.tokens < 1 || all_.tokens < 1) return false;
        own.tokens -= 1;
        all_.tokens -= 1;
        return true;
    }
    bool take_gateway(Instant now) { return gateway_.take(now); }
    bool take_unknown(Instant now) { return unknown_.take(now); }

private:
    struct Bucket {
        double tokens = burst;
        Instant filled;
        void fill(Instant now) {
            const std::chrono::duration<double> since = now - filled;
            tokens = std::min(burst, tokens + since.count() * per_second);
            filled = now;
        }
        bool take(Instant now) {
            fill(now);
            if (tokens < 1) return false;
            tokens -= 1;
            return true;
        }
    };
    Bucket all_;
    Bucket gateway_;
    Bucket unknown_;
    std::unordered_map<DeviceIndex, Bucket> devices_;
};

}  // namespace fieldgate
