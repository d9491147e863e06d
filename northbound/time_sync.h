#pragma once
#include <chrono>
#include <optional>

#include "model/reading.h"
#include "model/record.h"

namespace fieldgate::northbound {

/// "What time is it?" (protocol reference 5.1).
struct TimeQuestion {
    Utc device_sent;  ///< By the device's clock, right or wrong; comes back in the answer.
};

struct TimeAnswer {
    Utc device_sent;
    Utc server_received;
    Utc server_sent;
};

/// When to ask the platform for the time, and what its answer is worth: after every connect and
/// then hourly; a minute after a question that got no useful answer. Pure.
///
/// The round trip is measured on the monotonic clock, so no step of the system clock gets into it.
/// The result is wrong by half of it at most, and of more than 2 s none is made.
class TimeSync {
public:
    static constexpr std::chrono::milliseconds round_trip_max{2000};

    /// A link has come up: ask as soon as data may go.
    void connected() { next_ = Instant(); }
    bool due(Instant now) const { return now >= next_; }

    /// The question that is to be sent now. Earlier ones are forgotten.
    TimeQuestion ask(Instant now, Utc device_clock);

    /// What time it is at `now`: (server_received + server_sent + round trip) / 2. Nullopt: no
    /// answer to the last question, too late, or of times that cannot be.
    std::optional<Utc> hear(const TimeAnswer& answer, Instant now);

    /// Of the last answer that was of use.
    std::optional<std::chrono::milliseconds> round_trip() const { return round_trip_; }

private:
    struct Asked {
        Utc device_sent;
        Instant at;
    };

    Instant next_;
    std::optional<Asked> asked_;
    std::optional<std::chrono::milliseconds> round_trip_;
};

}  // namespace fieldgate::northbound
