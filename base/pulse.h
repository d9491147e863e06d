#pragma once
#include <algorithm>
#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <utility>

namespace fieldgate {

/// What a flow cuts its waits to.
inline constexpr std::chrono::seconds longest_wait{10};

/// When each flow last turned. A flow cuts its waits to longest_wait and beats once a turn, so a
/// flow that has not beaten for long is stuck, however well the rest ticks. Runs on the loop.
class Pulses {
public:
    using Clock = std::chrono::steady_clock;

    class Pulse {
    public:
        Pulse(std::string name, std::function<Clock::time_point()> also)
            : name_(std::move(name)), also_(std::move(also)) {}
        void beat() { last_ = Clock::now(); }
        void excuse() {
            also_ = [] { return Clock::now(); };
        }
        const std::string& name() const { return name_; }
        Clock::time_point last() const { return also_ ? std::max(last_, also_()) : last_; }

    private:
        std::string name_;
        std::function<Clock::time_point()> also_;
        Clock::time_point last_ = Clock::now();
    };

    /// The pulse of one flow, from now on; valid as long as the Pulses are. `also`: when what the
    /// flow waits for has turned, where that may take longer: a wire, a disk. What is
    /// slow is not stuck.
    Pulse& add(std::string name, std::function<Clock::time_point()> also = nullptr) {
        return pulses_.emplace_back(std::move(name), std::move(also));
    }
    /// Its flow has ended, and is not missed.
    void remove(const Pulse& pulse) {
        pulses_.remove_if([&](const Pulse& one) { return &one == &pulse; });
    }

    /// Flows of that name are left behind: whoever holds them, they are not missed.
    void excuse(const std::string& name) {
        for (Pulse& pulse : pulses_)
            if (pulse.name() == name) pulse.excuse();
    }

    /// The pulse of a flow that ends before the program does, as a local of it.
    class Local {
    public:
        Local(Pulses& pulses, std::string name, std::function<Clock::time_point()> also = nullptr)
            : pulses_(pulses), pulse_(pulses.add(std::move(name), std::move(also))) {}
        ~Local() { pulses_.remove(pulse_); }
        Local(const Local&) = delete;
        Local& operator=(const Local&) = delete;
        void beat() { pulse_.beat(); }

    private:
        Pulses& pulses_;
        Pulse& pulse_;
    };

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
