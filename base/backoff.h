#pragma once
#include <algorithm>
#include <chrono>
#include <utility>

namespace fieldgate {

/// Doubling pauses between tries. Pure: the caller sleeps, and brings the chance.
class Backoff {
public:
    using Pause = std::chrono::milliseconds;
    Backoff(Pause from, Pause to) : from_(from), to_(to), next_(from) {}

    Pause next() { return std::exchange(next_, std::min(next_ * 2, to_)); }
    void reset() { next_ = from_; }
    void jump_to_longest() { next_ = to_; }

    /// `pause` varied by ±20 %, so that a thousand gateways do not come back in one second.
    /// `chance` is uniform in [0, 1).
    static Pause jittered(Pause pause, double chance) {
        return std::chrono::duration_cast<Pause>(pause * (0.8 + 0.4 * chance));
    }

private:
    Pause from_;
    Pause to_;
    Pause next_;
};

}  // namespace fieldgate
