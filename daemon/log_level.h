#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>

#include "base/log.h"

namespace fieldgate {

/// How much is logged, as long as somebody wants it otherwise; then the usual level is back. The
/// last who asks has his way. One timer, however often that is. Runs on the loop.
class LogLevel {
public:
    explicit LogLevel(const asio::any_io_executor& loop) : timer_(loop) {}

    void set(log::Level level, std::chrono::steady_clock::duration lasts) {
        log::set_level(level);
        timer_.expires_after(lasts);
        timer_.async_wait([](const asio::error_code& cancelled) {
            if (!cancelled) log::set_level(log::Level::info);
        });
    }

private:
    asio::steady_timer timer_;
};

}  // namespace fieldgate
