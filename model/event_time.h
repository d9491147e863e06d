#pragma once
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "model/reading.h"
#include "model/record.h"

namespace fieldgate {

/// "2026-11-22T20:35:00.123Z": the one form the platform keeps milliseconds of. Missing or
/// malformed, it would silently put its own time (protocol reference 2, ServiceProperty; 11.1).
/// Times before 1970 and after 9999 are written as the first and the last moment between.
void append_event_time(std::string& out, Utc at);
/// "20261122T203500Z": events, shadow, commands (protocol reference 11.1).
std::string event_time_seconds(Utc at);

/// What certificates and logins are judged by.
struct JudgedTime {
    Utc at;
    bool proven = false;
    /// What the kernel says it is, if it vouches for that: it is synchronised.
    std::optional<Utc> vouched = std::nullopt;
};

/// Makes event times: the monotonic clock plus one UTC offset. Pure; the loop brings the clocks.
///
/// The offset follows the system clock only while that is known to be right (the kernel says
/// synchronised, or the platform's time answer); a step without such proof changes nothing. So a
/// clock that jumps moves no event time, and one that was wrong at boot is put right exactly.
///
/// While the clock stays synchronised, only what can be a slew or a leap second is followed (2 s
/// between two looks); a greater difference is taken when synchronisation was lost and has come
/// back, when it has stood for a minute (a daemon that steps in one call is never seen out of
/// synchronisation, nor is a machine that has slept), or from prove(). A clock that prove() has
/// contradicted is not followed back there. A proof of a time before the floor is none.
class EventClock {
public:
    struct Stamp {
        Utc at;
        std::chrono::milliseconds since_boot{0};
        bool proven = false;
    };

    /// A time before `floor`, the build date, cannot be.
    explicit EventClock(Utc floor) : floor_(floor) {}

    /// `last` was proven on this machine once: no guess may be before it. A proof may, for the
    /// proof of then may have been the wrong one, and records are not to be held for ever for it.
    void remember(Utc last) { last_proven_ = last; }

    /// What the clocks say now; call at start and every second or so. True once, at the first
    /// proof: the records of before (proven == false) are to be stamped anew, at = offset() +
    /// since_boot.
    bool observe(Instant now, Utc system, bool synchronised);
    /// `now` was `utc` by the word of a better clock (the platform's). As observe().
    bool prove(Instant now, Utc utc);

    /// What is neither proven nor plausible says 1970, so that nobody takes it for a time later on.
    Stamp stamp(Instant at) const;
    bool proven() const { return proven_; }
    /// Not before the floor nor the last proof: what is unproven but plausible may be sent, unless
    /// the file asks for proof.
    bool plausible(Instant now) const;
    /// Records must wait for a better clock.
    bool held(Instant now, bool require_sync) const;
    /// Not before the floor nor the last proof, though the system clock may say so: what had
    /// expired by then has expired.
    JudgedTime judged(Instant now, Utc system) const;
    /// UTC minus time since boot.
    std::chrono::milliseconds offset() const { return offset_; }

private:
    struct Step {
        std::chrono::milliseconds offset;
        Instant since;
    };
    bool take(std::chrono::milliseconds offset);
    bool lasts(Instant now, std::chrono::milliseconds measured);

    Utc earliest_guess() const { return std::max(floor_, last_proven_); }

    Utc floor_;
    Utc last_proven_;
    std::chrono::milliseconds offset_{0};
    bool observed_ = false;
    bool proven_ = false;
    bool following_ = false;  // the last look was at a synchronised clock
    std::optional<Step> step_;
    std::optional<std::chrono::milliseconds> disproved_;  // where the system clock was then
};

}  // namespace fieldgate
