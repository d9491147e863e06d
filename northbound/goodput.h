#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

#include "model/reading.h"
#include "northbound/settings.h"

namespace fieldgate::northbound {

/// What the link carries, and so how much may be under way on it. Pure.
///
/// Everything that is published shares one TCP stream, and what was written early delays what is
/// written later: an answer to a command waits behind all that lies in our kernel's, the modem's
/// and the network's buffers. Nobody tells how much that is; only a PUBACK does. So no more bytes
/// are under way than the link carries in its round trip and `queue` more: enough to keep it busy,
/// little enough to be answered in time on 64 kbit/s.
///
/// - Each PUBACK says how much the link has carried at least (acknowledged bytes over the time in
///   which they were sent, or acknowledged, whichever was longer): the measure rises to it at once.
///   What is sent while the link could carry more says too little, and so cannot lower it.
/// - A publish that was under way for longer than the round trip and `queue` has waited in a line:
///   the link carries no more than what was ahead of it, in that time. The measure falls towards
///   that, the more so the longer that time was.
/// - The round trip is the shortest one of this link. It includes what the smallest publish takes.
/// - A new link begins with a small window, smaller still if the last one was slow. It grows by
///   what is acknowledged, so that a fast link has its full rate again after a few round trips.
/// - While nothing at all is acknowledged for as long, nothing more is sent but what is urgent.
class Goodput {
public:
    /// How long an urgent publish may wait for what is under way.
    static constexpr std::chrono::milliseconds queue{1500};

    /// Of `limits`: the bandwidth, of which the window never holds more than 5 s.
    explicit Goodput(const Limits& limits);

    /// A publish under way.
    struct Flight {
        std::size_t bytes = 0;  ///< topic and payload
        Instant sent;

    private:
        friend class Goodput;
        std::size_t ahead_ = 0;  // bytes under way when it left, with it
        double carried_ = 0;     // Goodput's, when it left
        Instant carried_at_, first_sent_;
    };

    /// A new link is up; nothing is under way on it.
    void connected();
    /// The link is gone, with all that was under way.
    void lost(Instant now);
    Flight sent(std::size_t bytes, Instant now);
    /// `now` never goes back.
    void acknowledged(const Flight& flight, Instant now);

    /// An ordinary publish of `bytes` may leave. One always may if nothing is under way.
    bool has_room(std::size_t bytes, Instant now) const;
    /// How many bytes may be under way at one time.
    std::size_t window_bytes() const;
    /// A publish should not be larger: a third of the window, but 1 KiB.
    std::size_t parcel_bytes() const;
    /// How long it may take until the next PUBACK: at least `usual`, four times the slowest of the
    /// last 20 (their p95) and twice what the bytes under way should take, at most 120 s.
    std::chrono::milliseconds patience(std::chrono::milliseconds usual) const;
    /// The same for what the link has carried, since something behind it was acknowledged: without
    /// what the bytes should take.
    std::chrono::milliseconds patience_once_carried(std::chrono::milliseconds usual) const;

    /// 0: nothing was acknowledged yet.
    double bytes_per_second() const { return rate_; }
    std::size_t in_flight_bytes() const { return in_flight_; }

private:
    using Seconds = std::chrono::duration<double>;

    void raise(const Flight& flight, Instant now);
    void lower(const Flight& flight, Instant now, Instant before);
    Seconds line_limit() const;

    double window_max_;
    double rate_ = 0;      // bytes a second
    double start_;         // the window of a link of which nothing is known
    bool queued_ = false;  // on this link something has waited: it is known what it carries
    std::optional<Seconds> round_trip_;
    std::size_t in_flight_ = 0;
    double carried_ = 0;  // bytes acknowledged
    Instant carried_at_, first_sent_, progress_;
    std::array<Seconds, 20> times_{};  // of the last publishes
    std::size_t next_time_ = 0;
};

}  // namespace fieldgate::northbound
