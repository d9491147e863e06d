#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/event.h"
#include "base/pulse.h"
#include "model/record.h"
#include "northbound/goodput.h"

namespace fieldgate {

/// Whether data may go up now, and how the connection has fared. Runs on the loop.
class Uplink {
public:
    /// Publishes that wait for their acknowledgement at one time, at most.
    static constexpr std::size_t window = 10;

    Uplink(const asio::any_io_executor& loop, Utc now) : turn_(loop), since_(now) {}

    /// The platform knows who we are and how our devices are: data may follow.
    void open(Utc now) {
        open_ = true;
        since_ = now;
        ++connects_;
        turn_.notify();
    }
    void close(std::string why, Utc now) {
        if (open_) since_ = now;
        open_ = false;
        why_ = std::move(why);
        turn_.notify();
    }
    /// Which link is open, or was last.
    std::uint64_t link() const { return connects_; }
    /// What was begun on `link` has failed: the link is gone, and nothing more is tried on it,
    /// whoever learns of its end first.
    void failed(std::uint64_t link, const std::string& why, Utc now) {
        if (open_ && link == connects_) close(why, now);
    }
    bool is_open() const { return open_; }
    Utc since() const { return since_; }  ///< It is open, or not open; before the first: start.
    const std::string& why() const { return why_; }  ///< Why the last one ended, or did not begin.
    std::uint64_t reconnects() const { return connects_ > 0 ? connects_ - 1 : 0; }

    void sent(std::size_t bytes) {
        ++in_flight_;
        in_flight_bytes_ += bytes;
    }
    void settled(std::size_t bytes) {
        --in_flight_;
        in_flight_bytes_ -= bytes;
        turn_.notify();
    }
    std::size_t in_flight() const { return in_flight_; }

    /// Waits until a publish may begin, 10 s at most. True if one may. `goodput`: who fills more
    /// than its window only waits elsewhere, and what is live by then would wait behind it.
    asio::awaitable<bool> free(const northbound::Goodput& goodput) {
        if (!may_send(goodput)) co_await turned(Event::Clock::now() + longest_wait);
        co_return may_send(goodput);
    }
    /// Waits until something of the above has changed, or `until`. One waiter, with free().
    asio::awaitable<void> turned(Event::Clock::time_point until) {
        (void)co_await turn_.wait_until(until);
    }

private:
    bool may_send(const northbound::Goodput& goodput) const {
        return open_ && in_flight_ < window &&
               (in_flight_ == 0 || in_flight_bytes_ < goodput.window_bytes());
    }

    Event turn_;
    bool open_ = false;
    Utc since_;
    std::string why_ = "not connected yet";
    std::uint64_t connects_ = 0;
    std::size_t in_flight_ = 0, in_flight_bytes_ = 0;
};

}  // namespace fieldgate
