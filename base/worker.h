#pragma once
#include <pthread.h>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <chrono>
#include <concepts>
#include <ctime>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

namespace fieldgate {

/// One thread for blocking calls. Jobs run in the order given, one at a time.
///
/// A coroutine that awaits run() is suspended until its job has finished and then goes on where it
/// was, on its own executor. A job cannot be interrupted: cancelling the coroutine takes effect
/// after the job; one that may take long looks whether it is Unwanted. A job must not throw. The
/// destructor waits for the job in progress.
class Worker {
public:
    /// True once the coroutine that waits for the job has been cancelled.
    using Unwanted = std::atomic<bool>;

    using Clock = std::chrono::steady_clock;

    Worker() : pool_(1) {
        post([this] {
            clockid_t used{};
            if (::pthread_getcpuclockid(::pthread_self(), &used) == 0) cpu_clock_ = used;
        });
    }
    ~Worker() { pool_.join(); }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    template <std::invocable Job>
    auto run(Job job) -> asio::awaitable<std::invoke_result_t<Job>> {
        return run([job = std::move(job)](const Unwanted&) mutable { return job(); });
    }

    /// The same for a job that may take long and looks whether it is still wanted.
    template <std::invocable<const Unwanted&> Job>
    auto run(Job job) -> asio::awaitable<std::invoke_result_t<Job, const Unwanted&>> {
        using Answer = std::invoke_result_t<Job, const Unwanted&>;
        return asio::async_initiate<const asio::use_awaitable_t<>, void(Answer)>(
            [this](auto handler, Job todo) {
                auto unwanted = std::make_shared<Unwanted>(false);
                asio::cancellation_slot slot = asio::get_associated_cancellation_slot(handler);
                if (slot.is_connected())
                    slot.assign([unwanted](asio::cancellation_type) { *unwanted = true; });
                asio::post(pool_, [handler = std::move(handler), todo = std::move(todo), unwanted,
                                   slot]() mutable {
                    auto home = asio::get_associated_executor(handler);
                    asio::post(home, [handler = std::move(handler), answer = todo(*unwanted),
                                      slot]() mutable {
                        slot.clear();
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

    /// When the job was last seen to work, as of this look: its thread has used CPU time since the
    /// look before. However long it takes, a job that works moves it; one that hangs in a call to
    /// the system does not. Looked at now and then, from one thread.
    Clock::time_point seen_working() const {
        timespec used{};
        const clockid_t clock = cpu_clock_;
        if (clock == unknown_clock || ::clock_gettime(clock, &used) != 0) return worked_;
        const auto now = std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
        if (std::exchange(cpu_used_, now) != now) worked_ = Clock::now();
        return worked_;
    }

private:
    static constexpr clockid_t unknown_clock = CLOCK_REALTIME;  // no thread's

    std::atomic<clockid_t> cpu_clock_ = unknown_clock;
    mutable std::chrono::nanoseconds cpu_used_{0};
    mutable Clock::time_point worked_ = Clock::now();
    asio::thread_pool pool_;  // last: its thread sees the rest
};

}  // namespace fieldgate
