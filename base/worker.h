#pragma once
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <concepts>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

namespace fieldgate {

/// One thread for blocking calls. Jobs run in the order given, one at a time.
///
/// A coroutine that awaits run() is suspended until its job has finished and then goes on where it
/// was, on its own executor. A job cannot be interrupted: cancelling the coroutine takes effect
/// after the job. A job must not throw. The destructor waits for the job in progress.
class Worker {
public:
    Worker() : pool_(1) {}
    ~Worker() { pool_.join(); }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    template <std::invocable Job>
    auto run(Job job) -> asio::awaitable<std::invoke_result_t<Job>> {
        using Answer = std::invoke_result_t<Job>;
        return asio::async_initiate<const asio::use_awaitable_t<>, void(Answer)>(
            [this](auto handler, Job todo) {
                asio::post(pool_, [handler = std::move(handler), todo = std::move(todo)]() mutable {
                    auto home = asio::get_associated_executor(handler);
                    asio::post(home, [handler = std::move(handler), answer = todo()]() mutable {
                        std::move(handler)(std::move(answer));
                    });
                });
            },
            asio::use_awaitable, std::move(job));
    }

    /// Runs `job` for its effect alone, in turn; nobody is told.
    template <std::invocable Job>
    void post(Job job) {
        asio::post(pool_, std::move(job));
    }

    /// Blocks until all jobs given so far are done: true; or until `patience` is over: false.
    bool drain(std::chrono::milliseconds patience) {
        auto done = std::make_shared<std::promise<void>>();
        std::future<void> all_done = done->get_future();
        post([done] { done->set_value(); });
        return all_done.wait_for(patience) == std::future_status::ready;
    }

private:
    asio::thread_pool pool_;
};

}  // namespace fieldgate
