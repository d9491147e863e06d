#include "northbound/pacer.h"

#include <algorithm>
#include <cmath>

namespace fieldgate::northbound {
namespace {

using Seconds = std::chrono::duration<double>;

// What leaves us a second apart may arrive a little closer.
constexpr Instant::duration second = std::chrono::milliseconds(1020);

// A topic, a packet id and the MQTT header: what a publish adds to its payload.
constexpr double overhead_bytes = 512;

Instant::duration at_least_a_second(double seconds) {
    return std::max(second, std::chrono::duration_cast<Instant::duration>(Seconds(seconds)));
}

}  // namespace

Pacer::Pacer(const Limits& limits)
    : bytes_per_second_(limits.bytes_per_second),
      messages_limited_(std::isfinite(limits.messages_per_second)),
      message_window_(second) {
    if (!messages_limited_) return;
    messages_ = std::max<std::size_t>(1, static_cast<std::size_t>(limits.messages_per_second));
    message_window_ =
        at_least_a_second(static_cast<double>(messages_) / limits.messages_per_second);
}

Instant Pacer::ready_at(std::size_t bytes, Instant now) const {
    Instant ready = now;
    if (messages_limited_ && sent_.size() >= messages_)
        ready = std::max(ready, sent_.front() + message_window_);
    std::size_t sum = spent_bytes_;
    for (const Spent& spent : spent_) {
        if (spent.until > ready) {
            if (static_cast<double>(sum + bytes) <= bytes_per_second_) break;
            ready = spent.until;
        }
        sum -= spent.bytes;
    }
    return ready;
}

void Pacer::take(std::size_t bytes, Instant now) {
    if (messages_limited_) {
        if (sent_.size() >= messages_) sent_.pop_front();
        sent_.push_back(now);
    }
    if (!std::isfinite(bytes_per_second_)) return;
    while (!spent_.empty() && spent_.front().until <= now) {
        spent_bytes_ -= spent_.front().bytes;
        spent_.pop_front();
    }
    const Instant until = now + at_least_a_second(static_cast<double>(bytes) / bytes_per_second_);
    spent_.push_back({until, bytes});
    spent_bytes_ += bytes;
}

Pacer::Duration Pacer::cost(std::size_t bytes) const {
    const Duration of_message =
        messages_limited_ ? message_window_ / static_cast<Duration::rep>(messages_) : Duration();
    const Seconds of_bytes(static_cast<double>(bytes) / bytes_per_second_);
    return std::max({Duration(std::chrono::milliseconds(1)), of_message,
                     std::chrono::duration_cast<Duration>(of_bytes)});
}

std::size_t comfortable_payload(const Limits& limits) {
    const auto most = static_cast<double>(limits.payload_bytes);
    if (!std::isfinite(limits.bytes_per_second)) return limits.payload_bytes;
    const double parcels = std::ceil(limits.bytes_per_second / (most + overhead_bytes));
    const double size = limits.bytes_per_second / std::max(1.0, parcels) - overhead_bytes;
    return static_cast<std::size_t>(std::clamp(size, std::min(1024.0, most), most));
}

}  // namespace fieldgate::northbound
