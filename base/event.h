#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/error.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/steady_timer.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>

#include "base/expect.h"

namespace fieldgate {

/// A flag to wait for. notify() is remembered until one wait() has taken it. One waiter at most.
/// Runs on the loop. A cancelled wait() throws operation_aborted, as every asio wait does.
class Event {
public:
    using Clock = std::chrono::steady_clock;

    explicit Event(const asio::any_io_executor& loop) : timer_(loop) {}

    void notify() {
        set_ = true;
        timer_.cancel();
    }

    asio::awaitable<void> wait() {
        const bool notified = co_await wait_until(Clock::time_point::max());
        expect(notified, "a wait without deadline to end by notify()");
    }

    /// True if notified, false if `deadline` came first.
    asio::awaitable<bool> wait_until(Clock::time_point deadline) {
        while (!set_ && Clock::now() < deadline) {
            timer_.expires_at(deadline);
            co_await timer_.async_wait(asio::experimental::as_tuple(asio::use_awaitable));
            const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
            if (cancelled != asio::cancellation_type::none)
                throw asio::system_error(asio::error::operation_aborted);
        }
        const bool notified = set_;
        set_ = false;
        co_return notified;
    }

private:
    asio::steady_timer timer_;
    bool set_ = false;
};

}  // namespace fieldgate
