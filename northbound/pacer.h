#pragma once
#include <chrono>
#include <cstddef>
#include <deque>

#include "model/reading.h"
#include "northbound/settings.h"

namespace fieldgate::northbound {

/// How fast we may talk: messages and bytes per second, shared by all that is published (live data,
/// replay, status, sdk_info). Pure.
///
/// In no second, wherever it begins, leave more messages or bytes than configured; within the
/// second they may leave at once. A message of more bytes than a second allows goes alone and is
/// paid for with silence after it. The platform allows 50 messages/s per connection (protocol
/// reference 1.7).
class Pacer {
public:
    explicit Pacer(const Limits& limits);

    using Duration = Instant::duration;

    /// When a message of `bytes` may leave: `now`, or later.
    Instant ready_at(std::size_t bytes, Instant now) const;
    /// It leaves now. `now` is not before ready_at() and never goes back.
    void take(std::size_t bytes, Instant now);
    /// What share of the pace it takes, as time; 1 ms at least, so that it counts without limits.
    Duration cost(std::size_t bytes) const;

private:
    struct Spent {
        Instant until;  // counts so long
        std::size_t bytes;
    };

    double bytes_per_second_;
    bool messages_limited_;
    std::size_t messages_ = 1;  // per message_window_
    Instant::duration message_window_;
    std::deque<Instant> sent_;  // the last `messages_` of them
    std::deque<Spent> spent_;
    std::size_t spent_bytes_ = 0;  // their sum
};

/// The parcel size that wastes least of the bandwidth: whole parcels fill the allowance of a second
/// as well as they can. Not above limits.payload_bytes.
std::size_t comfortable_payload(const Limits& limits);

}  // namespace fieldgate::northbound
