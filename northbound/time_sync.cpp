#include "northbound/time_sync.h"

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto period = 1h;
constexpr auto retry = 1min;

// Beyond it no sum of times can be trusted not to wrap.
constexpr Utc latest = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);

bool possible(Utc at) { return at >= Utc() && at <= latest; }

}  // namespace

TimeQuestion TimeSync::ask(Instant now, Utc device_clock) {
    next_ = now + retry;
    asked_ = Asked{device_clock, now};
    return {device_clock};
}

std::optional<Utc> TimeSync::hear(const TimeAnswer& answer, Instant now) {
    if (!asked_ || answer.device_sent != asked_->device_sent) return std::nullopt;
    const auto round_trip = std::chrono::floor<milliseconds>(now - asked_->at);
    asked_.reset();
    if (round_trip < 0ms || round_trip > round_trip_max) return std::nullopt;
    if (!possible(answer.server_received) || !possible(answer.server_sent)) return std::nullopt;
    // Both ends cut to milliseconds: the platform's part may look longer than the whole.
    const milliseconds served = answer.server_sent - answer.server_received;
    if (served < 0ms || served > round_trip + 2ms) return std::nullopt;
    next_ = now + period;
    round_trip_ = round_trip;
    return answer.server_received + (served + round_trip) / 2;
}

}  // namespace fieldgate::northbound
