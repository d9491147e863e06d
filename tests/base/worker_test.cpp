#include "base/worker.h"

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

namespace fieldgate {
namespace {

asio::awaitable<void> run_a_job(Worker& worker, std::thread::id& job, std::thread::id& after,
                                int& answer) {
    answer = co_await worker.run([&] {
        job = std::this_thread::get_id();
        return 42;
    });
    after = std::this_thread::get_id();
}

TEST(Worker, RunsJobsOnItsThreadAndComesBackToTheLoop) {
    asio::io_context loop(1);
    Worker worker;
    std::thread::id job;
    std::thread::id after;
    int answer = 0;
    asio::co_spawn(loop, run_a_job(worker, job, after, answer), asio::detached);
    loop.run();

    EXPECT_EQ(answer, 42);
    EXPECT_NE(job, std::this_thread::get_id());
    EXPECT_EQ(after, std::this_thread::get_id());
}

// Looks until the job has been seen to work after `since`.
bool works_after(const Worker& worker, Worker::Clock::time_point since) {
    const auto end = Worker::Clock::now() + std::chrono::seconds(10);
    while (worker.seen_working() <= since && Worker::Clock::now() < end) std::this_thread::yield();
    return worker.seen_working() > since;
}

TEST(Worker, IsSeenToWorkThoughAJobTakesLongAndNotToWorkWhereItHangs) {
    std::atomic<bool> busy = true;
    std::atomic<bool> hangs = false;
    std::atomic<bool> released = false;
    Worker worker;
    worker.post([&] {
        while (busy) continue;
        hangs = true;
        hangs.notify_all();
        released.wait(false);
    });
    for (int looks = 0; looks < 3; ++looks)
        EXPECT_TRUE(works_after(worker, Worker::Clock::now())) << looks;

    busy = false;
    hangs.wait(false);
    // What it has used until it hangs may still be counted once.
    auto last = worker.seen_working();
    int looks = 0;
    for (int same = 0; same < 1000 && looks < 1'000'000; ++looks)
        same = std::exchange(last, worker.seen_working()) == worker.seen_working() ? same + 1 : 0;
    EXPECT_LT(looks, 10'000) << "it is taken for working while it hangs";
    released = true;
    released.notify_all();
}

}  // namespace
}  // namespace fieldgate
