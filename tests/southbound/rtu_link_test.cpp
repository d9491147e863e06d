#include "southbound/modbus/rtu_link.h"

#include <sys/resource.h>

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "base/task_group.h"
#include "tests/southbound/wire.h"

using namespace std::chrono_literals;

namespace fieldgate::southbound {
namespace {

using Clock = std::chrono::steady_clock;
using modbus::RtuLink;

class RtuLinkTest : public testing::Test {
protected:
    void serve(std::vector<std::uint8_t> units, lab::LineOptions options = {}) {
        plant_.add_rtu({"line", std::move(units), lab::certified_values, {}}, path_, options);
    }
    Result<Reply> ask(Link& link, const Request& request) {
        return run(loop_, link.transact(request, 200ms));
    }
    void wait(std::chrono::milliseconds time) {
        loop_.restart();
        asio::steady_timer timer(loop_, time);
        timer.async_wait([](const std::error_code&) {});
        loop_.run();
    }

    std::string path_ = line_path("rtu");
    asio::io_context loop_{1};
    lab::Plant plant_;
};

TEST_F(RtuLinkTest, ReadsWhatTheDeviceHas) {
    serve({3});
    RtuLink link(loop_.get_executor(), fast_line(path_), 0ms);
    EXPECT_FALSE(link.up());
    const Request request = holding(3, 10, 125);
    const Result<Reply> reply = ask(link, request);
    ASSERT_TRUE(reply) << reply.error().what;
    EXPECT_TRUE(is_true(reply->pdu, 3, 10, 0));
    EXPECT_TRUE(link.up());
    EXPECT_LE(Clock::now() - reply->at, 100ms);
    EXPECT_GT(reply->took, 0us);
}

TEST_F(RtuLinkTest, ComesBackAfterTheAdapterWasPulledAndPluggedIn) {
    serve({3});
    RtuLink link(loop_.get_executor(), fast_line(path_), 0ms);
    const Request request = holding(3, 0, 10);
    ASSERT_TRUE(ask(link, request));
    plant_.unplug("line");
    for (int i = 0; i < 3; ++i) {
        const Result<Reply> lost = ask(link, request);
        ASSERT_FALSE(lost);
        EXPECT_EQ(lost.error().code, Errc::closed);
        EXPECT_FALSE(link.up());
    }
    plant_.plug("line");
    const auto deadline = Clock::now() + 5s;
    bool back = false;
    while (!back && Clock::now() < deadline) {
        back = ask(link, request).has_value();
        if (!back) wait(50ms);
    }
    EXPECT_TRUE(back);
}

TEST_F(RtuLinkTest, KeepsTheSilenceBetweenFramesAtFullSpeed) {
    serve({1, 2}, {115200, 500us});
    SerialSettings line = fast_line(path_);
    line.baud = 115200;
    RtuLink link(loop_.get_executor(), line, 0ms);
    const Request first = holding(1, 0, 10);
    const Request second = holding(2, 0, 10);
    for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(ask(link, first));
        ASSERT_TRUE(ask(link, second));
    }
    EXPECT_EQ(plant_.silence_violations("line"), 0u);
}

TEST_F(RtuLinkTest, WaitsForTheTurnaroundOnlyWhenTheUnitChanges) {
    serve({1, 2});
    RtuLink link(loop_.get_executor(), fast_line(path_), 60ms);
    const Request first = holding(1, 0, 10);
    const Request second = holding(2, 0, 10);
    ASSERT_TRUE(ask(link, first));

    const auto same_unit = Clock::now();
    ASSERT_TRUE(ask(link, first));
    EXPECT_LT(Clock::now() - same_unit, 50ms);

    const auto other_unit = Clock::now();
    ASSERT_TRUE(ask(link, second));
    EXPECT_GE(Clock::now() - other_unit, 58ms);
}

TEST_F(RtuLinkTest, DrainsWhatCameBeforeTheRequest) {
    serve({3});
    RtuLink link(loop_.get_executor(), fast_line(path_), 0ms);
    const Request request = holding(3, 0, 10);
    plant_.set_fault("line", 3, {lab::FaultKind::noise_after, 0ms, 0, 1});
    ASSERT_TRUE(ask(link, request));
    const Result<Reply> reply = ask(link, request);
    EXPECT_TRUE(reply);
    EXPECT_EQ(link.stale(), 1u);
}

TEST_F(RtuLinkTest, LosesOneDeviceOnlyWhenOneIsSilent) {
    serve({1, 2});
    RtuLink link(loop_.get_executor(), fast_line(path_), 0ms);
    plant_.set_fault("line", 1, {lab::FaultKind::silent, 0ms, 0, 0});
    const Request dead = holding(1, 0, 10);
    const Request alive = holding(2, 0, 10);
    for (int i = 0; i < 3; ++i) {
        const Result<Reply> none = ask(link, dead);
        ASSERT_FALSE(none);
        EXPECT_EQ(none.error().code, Errc::timeout);
        EXPECT_TRUE(ask(link, alive));
        // The line is silent for one timeout after the other; never longer.
        const auto begin = Clock::now();
        EXPECT_TRUE(ask(link, alive));
        EXPECT_LT(Clock::now() - begin, 100ms);
    }
}

asio::awaitable<void> ask_for_ever(Link& link, const Request& request,
                                   std::chrono::milliseconds timeout) {
    for (;;) co_await link.transact(request, timeout);
}

asio::awaitable<void> stop_after(TaskGroup& group, std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
    co_await group.stop();
}

// FC 16 echoes no values: the answer to one write could be that to another.
TEST_F(RtuLinkTest, TakesNoLateAnswerToOneWriteForThatToAnother) {
    plant_.add_rtu({"line", {1}, lab::memory_values, {}}, path_);
    RtuLink link(loop_.get_executor(), fast_line(path_), 0ms);
    const auto write = [&](std::uint16_t word) {
        const std::array<std::uint16_t, 2> words{word, word};
        return ask(link, modbus::write_registers_request(1, 10, words));
    };
    const auto held = [&] { return plant_.holding("line", 1, 10); };
    plant_.set_fault("line", 1, {lab::FaultKind::late, 840ms, 0, 1});
    const Result<Reply> first = write(111);
    ASSERT_FALSE(first);
    EXPECT_TRUE(link.sent()) << "and nobody knows";
    lab::Fault unheard{lab::FaultKind::unheard, 0ms, 0, 1};
    unheard.function = 16;
    plant_.set_fault("line", 1, unheard);
    const Result<Reply> second = write(222);
    EXPECT_EQ(held(), 111);
    EXPECT_FALSE(second) << "the device holds the first";
    plant_.set_fault("line", 1, {});
    Result<Reply> third = write(333);
    for (int tries = 0; tries < 5 && !third; ++tries) {
        EXPECT_FALSE(link.sent()) << third.error().what;
        third = write(333);
    }
    EXPECT_TRUE(third);
    EXPECT_EQ(held(), 333);
}

TEST_F(RtuLinkTest, FindsTheAnswerBehindAStrayByte) {
    serve({3});
    RtuLink link(loop_.get_executor(), fast_line(path_), 0ms);
    plant_.set_fault("line", 3, {lab::FaultKind::stray_before, 0ms, 0, 0});
    for (int i = 0; i < 20; ++i) {
        const Result<Reply> reply = ask(link, holding(3, 5, 20));
        ASSERT_TRUE(reply) << reply.error().what;
        EXPECT_TRUE(is_true(reply->pdu, 3, 5, 0));
    }
    EXPECT_EQ(ask(link, holding(3, 400, 125)).error().detail, 2) << "an exception, too";
    EXPECT_EQ(link.stale(), 0U);
}

TEST_F(RtuLinkTest, PassesOverTheEchoOfAnAdapter) {
    plant_.add_rtu({"line", {1}, lab::memory_values, {}}, path_, {0, 0us, true});
    RtuLink link(loop_.get_executor(), fast_line(path_), 0ms);
    // What the first write gets back first is like its answer, and is not.
    plant_.set_fault("line", 1, {lab::FaultKind::silent, 0ms, 0, 0});
    EXPECT_FALSE(ask(link, modbus::write_register_request(1, 10, 77)));
    plant_.set_fault("line", 1, {});
    EXPECT_TRUE(ask(link, modbus::write_register_request(1, 10, 78)));
    EXPECT_EQ(plant_.holding("line", 1, 10), 78);
    EXPECT_TRUE(ask(link, modbus::write_coil_request(1, 3, true)));
    const Result<Reply> reply = ask(link, holding(1, 10, 1));
    ASSERT_TRUE(reply) << reply.error().what;
    EXPECT_EQ(words(reply->pdu), std::vector<std::uint16_t>{78});
    EXPECT_FALSE(ask(link, holding(2, 10, 1))) << "nobody is there but the echo";
    EXPECT_EQ(ask(link, holding(1, 10, 1)).has_value(), true);
}

// The unit has said something; it owes nothing, and is asked again at once.
TEST_F(RtuLinkTest, WaitsForNothingBehindAWholeAnswerThatIsUntrue) {
    serve({3});
    RtuLink link(loop_.get_executor(), fast_line(path_), 0ms);
    ASSERT_TRUE(ask(link, holding(3, 0, 10)));
    plant_.set_fault("line", 3, {lab::FaultKind::wrong_length, 0ms, 0, 5});
    const auto began = Clock::now();
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(ask(link, holding(3, 0, 10)).error().code, Errc::bad_data);
    EXPECT_TRUE(ask(link, holding(3, 0, 10)));
    EXPECT_LE(Clock::now() - began, 200ms) << "one response timeout";
}

TEST_F(RtuLinkTest, IsCancelledInTheMiddleOfATransaction) {
    serve({1});
    plant_.set_fault("line", 1, {lab::FaultKind::silent, 0ms, 0, 0});
    RtuLink link(loop_.get_executor(), fast_line(path_), 0ms);
    const Request request = holding(1, 0, 10);
    TaskGroup group(loop_.get_executor());
    group.spawn("ask", ask_for_ever(link, request, 100ms));
    start(loop_, stop_after(group, 150ms));
    const auto begin = Clock::now();
    loop_.run();
    EXPECT_LT(Clock::now() - begin, 400ms);
    EXPECT_EQ(group.size(), 0u);
}

TEST_F(RtuLinkTest, EndsSoonAfterItWasCancelledHoweverLongItWouldWait) {
    serve({1, 2});
    plant_.set_fault("line", 1, {lab::FaultKind::silent, 0ms, 0, 0});
    const Request silent = holding(1, 0, 10);
    const Request other = holding(2, 0, 10);
    for (const auto turnaround : {std::chrono::milliseconds(0), std::chrono::milliseconds(10s)}) {
        RtuLink link(loop_.get_executor(), fast_line(path_), turnaround);
        TaskGroup group(loop_.get_executor());
        group.spawn("ask", ask_for_ever(link, turnaround > 0ms ? other : silent, 20s));
        loop_.restart();
        start(loop_, stop_after(group, 150ms));
        const auto begin = Clock::now();
        loop_.run();
        EXPECT_LT(Clock::now() - begin, 600ms) << "the wait for a silent device, or to turn round";
        EXPECT_EQ(group.size(), 0u);
    }
}

TEST_F(RtuLinkTest, TellsWhatIsWrongWithItsPort) {
    serve({1});
    RtuLink first(loop_.get_executor(), fast_line(path_), 0ms);
    RtuLink second(loop_.get_executor(), fast_line(path_), 0ms);
    const Request request = holding(1, 0, 10);
    ASSERT_TRUE(ask(first, request));
    const Result<Reply> refused = ask(second, request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::busy);
    EXPECT_NE(refused.error().what.find("pid "), std::string::npos);
}

}  // namespace
}  // namespace fieldgate::southbound
