#pragma once
#include <algorithm>
#include <chrono>

#include "model/reading.h"

namespace fieldgate {

/// So many a second, and so many at once after a pause. Full at first. Pure; `now` never goes back.
class Bucket {
public:
    Bucket(double per_second, double burst)
        : per_second_(per_second), burst_(burst), tokens_(burst) {}

    /// When one may pass: `now`, or later.
    Instant ready_at(Instant now) {
        fill(now);
        if (tokens_ >= 1) return now;
        const std::chrono::duration<double> wait((1 - tokens_) / per_second_);
        // Rounded up: at that moment one may.
        return now + std::chrono::ceil<Instant::duration>(wait) + std::chrono::microseconds(1);
    }
    /// True if one may pass at `now`; it has then.
    bool take(Instant now) {
        if (ready_at(now) > now) return false;
        tokens_ -= 1;
        return true;
    }

private:
    void fill(Instant now) {
        const std::chrono::duration<double> since = now - filled_;
        tokens_ = std::min(burst_, tokens_ + since.count() * per_second_);
        filled_ = now;
    }

    double per_second_;
    double burst_;
    double tokens_;
    Instant filled_;
};

}  // namespace fieldgate
