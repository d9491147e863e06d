#pragma once
#include <chrono>
#include <list>
#include <string>

namespace fieldgate {

/// When each flow last turned. A flow cuts its waits to 10 s and beats once a turn, so a flow that
/// has not beaten for long is stuck, however well the rest ticks. Runs on the loop.
class Pulses {
public:
    using Clock = std::chrono::steady_clock;

    class Pulse {
    public:
        explicit Pulse(std::string name) : name_(std::move(name)) {}
        void beat() { last_ = Clock::now(); }
        const std::string& name() const { return name_; }
        Clock::time_point last() const { return last_; }

    private:
        std::string name_;
        Clock::time_point last_ = Clock::now();
    };

    /// The pulse of one flow, from now on; valid as long as the Pulses are.
    Pulse& add(std::string name) { return pulses_.emplace_back(std::move(name)); }

    /// The flow that has been silent longest, if it is longer than `limit`; else nullptr.
    const Pulse* stuck(Clock::time_point now, Clock::duration limit) const {
        const Pulse* worst = nullptr;
        for (const Pulse& pulse : pulses_)
            if (now - pulse.last() > limit && (!worst || pulse.last() < worst->last()))
                worst = &pulse;
        return worst;
    }

private:
    std::list<Pulse> pulses_;
};

}  // namespace fieldgate
