#include "northbound/goodput.h"

#include <algorithm>
#include <cmath>

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;

// Of bandwidth in the window; more would only wait in buffers, out of the reach of live data.
constexpr double bandwidth_seconds = 5;
// Of a new link, with the parcel that fills it a second of 64 kbit/s: one of 10 kbit/s has it
// through in 7 s.
constexpr double start_bytes = 6 * 1024;
constexpr double least_bytes = 1024;
constexpr std::size_t parcels_in_window = 3;
constexpr double most_bytes = 1e9;
constexpr double settling_seconds = 2;  // of the measure when it falls
constexpr double shortest_seconds = 1e-5;
constexpr auto patience_longest = 120s;
constexpr auto stalled_for = 10s;  // a link that has died so has been too slow for what it had

std::chrono::milliseconds at_least(std::chrono::milliseconds usual,
                                   std::chrono::duration<double> slow) {
    if (slow <= usual) return usual;
    slow = std::min<std::chrono::duration<double>>(slow, patience_longest);
    return std::max<std::chrono::milliseconds>(usual,
                                               std::chrono::ceil<std::chrono::seconds>(slow));
}

}  // namespace

Goodput::Goodput(const Limits& limits)
    : window_max_(std::max(least_bytes, limits.bytes_per_second * bandwidth_seconds)),
      start_(start_bytes) {}

// The next link may be another one: what is known to be slow begins slowly, and fast ones are found
// out soon.
void Goodput::connected() {
    const double half = rate_ * Seconds(queue).count() / 2;
    if (queued_ || half > start_) start_ = std::clamp(half, least_bytes, start_bytes);
    in_flight_ = 0;
    queued_ = false;
    round_trip_.reset();
    times_.fill(Seconds(0));
    rate_ = 0;
}

void Goodput::lost(Instant now) {
    if (in_flight_ > 0 && now - progress_ >= stalled_for) {
        const double most = static_cast<double>(in_flight_) / Seconds(now - progress_).count();
        rate_ = rate_ > 0 ? std::min(rate_, most) : most;
        queued_ = true;
    }
    in_flight_ = 0;
}

Goodput::Flight Goodput::sent(std::size_t bytes, Instant now) {
    if (in_flight_ == 0) carried_at_ = first_sent_ = progress_ = now;
    in_flight_ += bytes;
    Flight flight;
    flight.bytes = bytes;
    flight.sent = now;
    flight.ahead_ = in_flight_;
    flight.carried_ = carried_;
    flight.carried_at_ = carried_at_;
    flight.first_sent_ = first_sent_;
    return flight;
}

void Goodput::acknowledged(const Flight& flight, Instant now) {
    in_flight_ -= std::min(in_flight_, flight.bytes);
    carried_ += static_cast<double>(flight.bytes);
    const Instant before = carried_at_;
    carried_at_ = progress_ = now;
    first_sent_ = flight.sent;
    const Seconds time = now - flight.sent;
    if (!round_trip_ || time < *round_trip_) round_trip_ = time;
    times_.at(next_time_) = time;
    next_time_ = (next_time_ + 1) % times_.size();
    raise(flight, now);
    lower(flight, now, before);
}

// Never more than the link carries, however the PUBACKs are bunched: they all came within the
// longer of the times in which the bytes were sent and in which they were acknowledged.
void Goodput::raise(const Flight& flight, Instant now) {
    const Instant::duration time =
        std::max(flight.sent - flight.first_sent_, now - flight.carried_at_);
    const double seconds = std::max(Seconds(time).count(), shortest_seconds);
    rate_ = std::max(rate_, (carried_ - flight.carried_) / seconds);
}

void Goodput::lower(const Flight& flight, Instant now, Instant before) {
    const Seconds time = now - flight.sent;
    const Seconds waited = time - *round_trip_;
    if (waited <= queue) return;
    queued_ = true;
    const double most = static_cast<double>(flight.ahead_) / waited.count();
    if (most >= rate_) return;
    const Seconds age = std::min<Seconds>(time, now - before);
    rate_ += (most - rate_) * (1 - std::exp(-age.count() / settling_seconds));
}

Goodput::Seconds Goodput::line_limit() const {
    return round_trip_.value_or(Seconds(0)) + Seconds(queue);
}

bool Goodput::has_room(std::size_t bytes, Instant now) const {
    if (in_flight_ == 0) return true;
    if (round_trip_ && now - progress_ > line_limit()) return false;
    return in_flight_ + bytes <= window_bytes() + parcel_bytes();  // or parcels would not fill it
}

std::size_t Goodput::window_bytes() const {
    double window = rate_ * line_limit().count();
    if (!queued_) window = std::max(window, start_);
    return static_cast<std::size_t>(
        std::clamp(window, least_bytes, std::min(window_max_, most_bytes)));
}

std::size_t Goodput::parcel_bytes() const {
    return std::max(static_cast<std::size_t>(least_bytes), window_bytes() / parcels_in_window);
}

std::chrono::milliseconds Goodput::patience_once_carried(std::chrono::milliseconds usual) const {
    return at_least(usual, 4 * *std::max_element(times_.begin(), times_.end()));
}

std::chrono::milliseconds Goodput::patience(std::chrono::milliseconds usual) const {
    Seconds slow{0};
    if (rate_ > 0 && round_trip_)
        slow = 2 * (*round_trip_ + Seconds(static_cast<double>(in_flight_) / rate_));
    return std::max(patience_once_carried(usual), at_least(usual, slow));
}

}  // namespace fieldgate::northbound
