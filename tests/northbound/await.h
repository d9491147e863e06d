#pragma once
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

namespace fieldgate::testing {

template <class T>
asio::awaitable<void> keep(asio::awaitable<T> flow, std::optional<T>& answer) {
    T value = co_await std::move(flow);
    answer.emplace(std::move(value));
}

/// Runs the loop until `flow` has ended, and returns what it returned.
template <class T>
T await(asio::io_context& loop, asio::awaitable<T> flow) {
    std::optional<T> answer;
    std::exception_ptr failure;
    bool ended = false;
    // co_spawn itself wants a T that can be made from nothing.
    asio::co_spawn(loop, keep(std::move(flow), answer), [&](std::exception_ptr why) {
        failure = why;
        ended = true;
    });
    loop.restart();
    while (!ended && loop.run_one() > 0) {
    }
    if (failure) std::rethrow_exception(failure);
    return std::move(answer).value();
}

inline void await(asio::io_context& loop, asio::awaitable<void> flow) {
    bool ended = false;
    asio::co_spawn(loop, std::move(flow), [&](std::exception_ptr) { ended = true; });
    loop.restart();
    while (!ended && loop.run_one() > 0) {
    }
}

/// Runs the loop until `met`; false if it is not within `patience`.
inline bool run_until(asio::io_context& loop, const std::function<bool()>& met,
                      std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    loop.restart();
    while (!met()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        loop.run_one_for(std::chrono::milliseconds(10));
        if (loop.stopped()) loop.restart();
    }
    return true;
}

}  // namespace fieldgate::testing
