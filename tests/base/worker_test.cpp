#include "base/worker.h"

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <thread>

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

}  // namespace
}  // namespace fieldgate
