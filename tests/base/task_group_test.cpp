#include "base/task_group.h"

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

asio::awaitable<void> wait_for_ever(Event& never, bool& unwound) {
    struct Unwind {
        bool& flag;
        ~Unwind() { flag = true; }
    };
    const Unwind unwind{unwound};
    co_await never.wait();
}

asio::awaitable<void> stop(TaskGroup& group) { co_await group.stop(); }

TEST(TaskGroup, UnwindsEveryFlowWhenStopped) {
    asio::io_context loop(1);
    Event first(loop.get_executor());
    Event second(loop.get_executor());
    bool unwound_first = false;
    bool unwound_second = false;
    TaskGroup group(loop.get_executor());
    group.spawn("first", wait_for_ever(first, unwound_first));
    group.spawn("second", wait_for_ever(second, unwound_second));
    EXPECT_EQ(group.size(), 2u);

    asio::co_spawn(loop, stop(group), asio::detached);
    loop.run();

    EXPECT_TRUE(unwound_first);
    EXPECT_TRUE(unwound_second);
    EXPECT_EQ(group.size(), 0u);
}

asio::awaitable<void> expect_timeout_then_notification(Event& event, int& step) {
    EXPECT_FALSE(co_await event.wait_until(Event::Clock::now() + 1ms));
    step = 1;
    event.notify();
    EXPECT_TRUE(co_await event.wait_until(Event::Clock::now() + 1h));
    step = 2;
}

TEST(Event, TellsANotificationFromADeadline) {
    asio::io_context loop(1);
    Event event(loop.get_executor());
    int step = 0;
    asio::co_spawn(loop, expect_timeout_then_notification(event, step), asio::detached);
    loop.run();
    EXPECT_EQ(step, 2);
}

}  // namespace
}  // namespace fieldgate
