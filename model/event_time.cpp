#include "model/event_time.h"

#include <algorithm>
#include <array>

namespace fieldgate {
namespace {

using std::chrono::milliseconds;

// Both written forms have four digits for the year; what lies beyond is a broken clock, and the
// text stays well formed.
constexpr Utc earliest{};
constexpr Utc latest = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31) +
                       std::chrono::days(1) - milliseconds(1);

struct Civil {
    unsigned year, month, day, hour, minute, second, millisecond;
};

Civil civil(Utc at) {
    at = std::clamp(at, earliest, latest);
    const auto days = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(days);
    const auto time = static_cast<unsigned>((at - days).count());
    return {static_cast<unsigned>(static_cast<int>(date.year())),
            static_cast<unsigned>(date.month()),
            static_cast<unsigned>(date.day()),
            time / 3'600'000,
            time / 60'000 % 60,
            time / 1'000 % 60,
            time % 1'000};
}

// `digits` digits of `value`, written to `to`.
void put(char* to, unsigned value, int digits) {
    for (int i = digits - 1; i >= 0; --i) {
        to[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

// Through an offset near the end of time, times would wrap; none of them is a date to be written.
constexpr milliseconds offset_max = std::chrono::days(365 * 10'000);

milliseconds since_boot(Instant at) {
    return std::chrono::floor<milliseconds>(at.time_since_epoch());
}

milliseconds distance(milliseconds a, milliseconds b) { return a > b ? a - b : b - a; }

// Two clocks read one after the other and cut to milliseconds differ by this without having moved.
constexpr milliseconds noise{1};
// More than this between two looks is no slew (500 ppm at most) and no leap second: a step.
constexpr milliseconds slew_max{2000};
// What may be a hand that is taken back, or a server that is corrected.
constexpr std::chrono::seconds step_proven_after{60};

}  // namespace

void append_event_time(std::string& out, Utc at) {
    const Civil c = civil(at);
    std::array<char, 24> text{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0',
                              '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z'};
    char* const t = text.data();
    put(t, c.year, 4);
    put(t + 5, c.month, 2);
    put(t + 8, c.day, 2);
    put(t + 11, c.hour, 2);
    put(t + 14, c.minute, 2);
    put(t + 17, c.second, 2);
    put(t + 20, c.millisecond, 3);
    out.append(t, text.size());
}

std::string event_time_seconds(Utc at) {
    const Civil c = civil(at);
    std::string text = "00000000T000000Z";
    char* const t = text.data();
    put(t, c.year, 4);
    put(t + 4, c.month, 2);
    put(t + 6, c.day, 2);
    put(t + 9, c.hour, 2);
    put(t + 11, c.minute, 2);
    put(t + 13, c.second, 2);
    return text;
}

bool EventClock::observe(Instant now, Utc system, bool synchronised) {
    const milliseconds measured =
        std::clamp(system.time_since_epoch(), -offset_max, offset_max) - since_boot(now);
    const bool possible = system >= floor_;
    const bool was_following = following_;
    following_ = synchronised && possible;
    if (following_) {
        const bool followed = !proven_ || !was_following ||
                              distance(measured, offset_) <= slew_max || lasts(now, measured);
        if (distance(measured, offset_) <= slew_max) step_.reset();
        return followed && take(measured);
    }
    step_.reset();
    // Before any proof, a guess that cannot be gives way to one that can; nothing else does.
    if (!observed_ || (!plausible(now) && system >= earliest_guess())) offset_ = measured;
    observed_ = true;
    return false;
}

// Steps in the middle of a synchronised stretch: resume, a corrected server, somebody's hand.
bool EventClock::lasts(Instant now, milliseconds measured) {
    if (disproved_ && distance(measured, *disproved_) <= slew_max) {
        disproved_ = measured;
        return false;
    }
    if (!step_ || distance(measured, step_->offset) > slew_max) step_ = Step{measured, now};
    step_->offset = measured;
    return now - step_->since >= step_proven_after;
}

bool EventClock::prove(Instant now, Utc utc) {
    if (utc < floor_ || utc.time_since_epoch() > offset_max) return false;
    const milliseconds measured = utc.time_since_epoch() - since_boot(now);
    // An answer over the network is good to its round trip; a synchronised clock is better than
    // that, unless they tell two different times.
    if (proven_ && following_ && distance(measured, offset_) <= slew_max) return false;
    if (proven_ && following_) disproved_ = offset_;
    return take(measured);
}

bool EventClock::take(milliseconds offset) {
    const bool first = !proven_;
    step_.reset();
    if (first || distance(offset, offset_) > noise) offset_ = offset;
    observed_ = true;
    proven_ = true;
    return first;
}

EventClock::Stamp EventClock::stamp(Instant at) const {
    Stamp stamp;
    stamp.since_boot = since_boot(at);
    stamp.at = Utc(offset_ + stamp.since_boot);
    stamp.proven = proven_;
    if (!proven_ && stamp.at < earliest_guess()) stamp.at = Utc(stamp.since_boot);
    return stamp;
}

JudgedTime EventClock::judged(Instant now, Utc system) const {
    JudgedTime judged;
    judged.proven = proven_;
    judged.at = proven_ ? stamp(now).at : std::max(system, earliest_guess());
    if (following_) judged.vouched = system;
    return judged;
}

bool EventClock::plausible(Instant now) const {
    return observed_ && Utc(offset_ + since_boot(now)) >= earliest_guess();
}

bool EventClock::held(Instant now, bool require_sync) const {
    if (proven_) return false;
    return require_sync || !plausible(now);
}

}  // namespace fieldgate
