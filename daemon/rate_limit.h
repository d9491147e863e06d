#pragma once
#include <algorithm>
#include <string>
#include <unordered_map>

#include "model/reading.h"

namespace fieldgate {

/// How fast the platform may ask: 10 requests a second with bursts of 50, for each device and for
/// all together; what is beyond is to be answered "busy". Pure.
class RateLimit {
public:
    static constexpr double per_second = 10;
    static constexpr double burst = 50;

    /// True if a request to `device` may pass at `now`, which never goes back. Names of devices
    /// that do not exist are not to be put here: each is remembered.
    bool take(const std::string& device, Instant now) {
        Bucket& own = devices_[device];
        own.fill(now);
        all_.fill(now);
        if (own.tokens < 1 || all_.tokens < 1) return false;
        own.tokens -= 1;
        all_.tokens -= 1;
        return true;
    }

private:
    struct Bucket {
        double tokens = burst;
        Instant filled;
        void fill(Instant now) {
            const std::chrono::duration<double> since = now - filled;
            tokens = std::min(burst, tokens + since.count() * per_second);
            filled = now;
        }
    };
    Bucket all_;
    std::unordered_map<std::string, Bucket> devices_;
};

}  // namespace fieldgate
