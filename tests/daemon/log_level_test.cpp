#include "daemon/log_level.h"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

bool is_logged(log::Level level) {
    testing::internal::CaptureStderr();
    log::write(level, "a line", {});
    return !testing::internal::GetCapturedStderr().empty();
}

TEST(LogLevel, IsTheLastOneAskedForAndThenTheUsualOne) {
    asio::io_context loop{1};
    LogLevel level(loop.get_executor());
    level.set(log::Level::error, 1h);
    EXPECT_FALSE(is_logged(log::Level::info));
    level.set(log::Level::debug, 20ms);
    loop.poll();
    EXPECT_TRUE(is_logged(log::Level::debug));
    loop.run_for(10s);
    EXPECT_FALSE(is_logged(log::Level::debug));
    EXPECT_TRUE(is_logged(log::Level::info));
}

TEST(LogLevel, LeavesNothingBehindHoweverOftenItIsAskedFor) {
    asio::io_context loop{1};
    LogLevel level(loop.get_executor());
    for (int i = 0; i < 10'000; ++i) level.set(log::Level::info, 24h);
    level.set(log::Level::info, 1ms);
    loop.run_for(10s);
    EXPECT_TRUE(loop.stopped()) << "nobody waits for anything any more";
}

}  // namespace
}  // namespace fieldgate
