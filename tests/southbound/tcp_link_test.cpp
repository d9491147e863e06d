#include "southbound/modbus/tcp_link.h"

#include <sys/resource.h>

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <memory>

#include "base/task_group.h"
#include "tests/southbound/wire.h"

using namespace std::chrono_literals;

namespace fieldgate::southbound {
namespace {

using Clock = std::chrono::steady_clock;
using modbus::TcpLink;

class TcpLinkTest : public testing::Test {
protected:
    TcpLinkTest() {
        settings_.host = "127.0.0.1";
        settings_.port = plant_.add_tcp({"plc", {1, 2}, lab::certified_values, {}});
    }
    Result<Reply> ask(Link& link, const Request& request) {
        return run(loop_, link.transact(request, 200ms));
    }

    asio::io_context loop_{1};
    lab::Plant plant_;
    TcpSettings settings_;
    Request request_ = holding(1, 0, 10);
};

TEST_F(TcpLinkTest, ReadsWhatTheDeviceHasOnOneConnection) {
    TcpLink link(loop_.get_executor(), settings_);
    for (int i = 0; i < 10; ++i) {
        const Result<Reply> reply = ask(link, request_);
        ASSERT_TRUE(reply) << reply.error().what;
        EXPECT_TRUE(is_true(reply->pdu, 1, 0, 0));
    }
    EXPECT_TRUE(link.up());
    EXPECT_EQ(plant_.connections_accepted("plc"), 1u);
}

TEST_F(TcpLinkTest, ResolvesNames) {
    settings_.host = "localhost";
    TcpLink link(loop_.get_executor(), settings_);
    Result<Reply> reply = ask(link, request_);
    for (int i = 0; i < 5 && !reply; ++i) {
        // ::1 comes first on many machines, and refuses.
        asio::steady_timer pause(loop_, 120ms);
        pause.wait();
        reply = ask(link, request_);
    }
    EXPECT_TRUE(reply);
}

TEST_F(TcpLinkTest, TakesAnIdleCloseByTheDeviceForNoError) {
    TcpLink link(loop_.get_executor(), settings_);
    for (int i = 0; i < 5; ++i) {
        const Result<Reply> reply = ask(link, request_);
        ASSERT_TRUE(reply) << reply.error().what;
        plant_.drop_connections("plc");
    }
    EXPECT_EQ(plant_.connections_accepted("plc"), 5u);
}

TEST_F(TcpLinkTest, ConnectsPerCycleIfToldSo) {
    settings_.persistent = false;
    TcpLink link(loop_.get_executor(), settings_);
    ASSERT_TRUE(ask(link, request_));
    ASSERT_TRUE(ask(link, request_));
    EXPECT_EQ(plant_.connections_accepted("plc"), 1u);
    link.idle();
    EXPECT_FALSE(link.up());
    ASSERT_TRUE(ask(link, request_));
    EXPECT_EQ(plant_.connections_accepted("plc"), 2u);
}

TEST_F(TcpLinkTest, DoesNotHammerAHostThatRefuses) {
    plant_.unplug("plc");
    TcpLink link(loop_.get_executor(), settings_);
    const Result<Reply> refused = ask(link, request_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::closed);
    plant_.plug("plc");
    const Result<Reply> at_once = ask(link, request_);
    EXPECT_FALSE(at_once) << "the pause is over too early";
    asio::steady_timer pause(loop_, 120ms);
    pause.wait();
    EXPECT_TRUE(ask(link, request_));
}

TEST_F(TcpLinkTest, OneRequestThatMakesTheDeviceHangUpCostsNoOther) {
    TcpLink link(loop_.get_executor(), settings_);
    plant_.set_fault("plc", 2, {lab::FaultKind::drop, 0ms, 0, 0});
    const Request poison = holding(2, 0, 10);
    for (int i = 0; i < 3; ++i) {
        const Result<Reply> hung_up = ask(link, poison);
        ASSERT_FALSE(hung_up);
        EXPECT_EQ(hung_up.error().code, Errc::closed);
        const Result<Reply> reply = ask(link, request_);
        EXPECT_TRUE(reply) << reply.error().what;
    }
}

TEST_F(TcpLinkTest, SendsAWriteOnlyOnceHoweverItsAnswerIsLost) {
    TcpLink link(loop_.get_executor(), settings_);
    ASSERT_TRUE(ask(link, request_));
    Request write;
    write.unit = 2;
    write.pdu = {6, 0, 10, 0x12, 0x34};
    write.reply_bytes = 5;

    plant_.set_fault("plc", 2, {lab::FaultKind::drop, 0ms, 0, 1});
    const Result<Reply> lost = ask(link, write);
    ASSERT_FALSE(lost);
    EXPECT_EQ(plant_.requests("plc", 2), 1u);
}

TEST_F(TcpLinkTest, WritesOnANewConnectionWhenTheOldOneWasClosedWhileIdle) {
    TcpLink link(loop_.get_executor(), settings_);
    ASSERT_TRUE(ask(link, request_));
    plant_.drop_connections("plc");
    Request write;
    write.unit = 2;
    write.pdu = {6, 0, 10, 0x12, 0x34};
    write.reply_bytes = 5;
    // On loopback the close is here before the plant has returned from the call above.
    const Result<Reply> written = ask(link, write);
    EXPECT_TRUE(written || written.error().code != Errc::closed);
    EXPECT_EQ(plant_.connections_accepted("plc"), 2u);
    EXPECT_EQ(plant_.requests("plc", 2), 1u);
}

TEST_F(TcpLinkTest, DropsAnswersToOtherTransactionsAndCountsThem) {
    TcpLink link(loop_.get_executor(), settings_);
    ASSERT_TRUE(ask(link, request_));
    plant_.set_fault("plc", 1, {lab::FaultKind::late, 250ms, 0, 1});
    const Result<Reply> late = ask(link, request_);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::timeout);
    const Result<Reply> next = ask(link, request_);
    ASSERT_TRUE(next) << next.error().what;
    EXPECT_EQ(link.stale(), 1u);
    EXPECT_EQ(plant_.connections_accepted("plc"), 1u) << "a timeout costs no connection";
}

TEST_F(TcpLinkTest, ReconnectsAfterThreeUntrueAnswers) {
    TcpLink link(loop_.get_executor(), settings_);
    ASSERT_TRUE(ask(link, request_));
    plant_.set_fault("plc", 1, {lab::FaultKind::wrong_unit, 0ms, 0, 3});
    for (int i = 0; i < 3; ++i) {
        const Result<Reply> untrue = ask(link, request_);
        ASSERT_FALSE(untrue);
        EXPECT_EQ(untrue.error().code, Errc::bad_data);
    }
    EXPECT_FALSE(link.up());
    EXPECT_TRUE(ask(link, request_));
    EXPECT_EQ(plant_.connections_accepted("plc"), 2u);
}

asio::awaitable<void> ask_for_ever(Link& link, const Request& request) {
    for (;;) co_await link.transact(request, 10s);
}

asio::awaitable<void> stop_after(TaskGroup& group, std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
    co_await group.stop();
}

TEST_F(TcpLinkTest, IsCancelledInTheMiddleOfATransaction) {
    plant_.set_fault("plc", 1, {lab::FaultKind::silent, 0ms, 0, 0});
    auto link = std::make_unique<TcpLink>(loop_.get_executor(), settings_);
    TaskGroup group(loop_.get_executor());
    group.spawn("ask", ask_for_ever(*link, request_));
    const auto begin = Clock::now();
    run(loop_, [](TaskGroup& flows) -> asio::awaitable<int> {
        co_await stop_after(flows, 50ms);
        co_return 0;
    }(group));
    EXPECT_LT(Clock::now() - begin, 1s);
    EXPECT_FALSE(link->up()) << "an answer may still come on it";
}

asio::awaitable<void> count_answers(Link& link, const Request& request, int rounds, int& answers) {
    for (int i = 0; i < rounds; ++i) {
        const Result<Reply> reply = co_await link.transact(request, 5s);
        if (reply && is_true(reply->pdu, request.unit, 0, 0)) ++answers;
    }
}

TEST_F(TcpLinkTest, IsOneOfAThousandOnOneThread) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 2300) GTEST_SKIP() << "not allowed 2300 descriptors here";
    constexpr int connections = 1000;
    lab::SlaveLimits small;
    small.registers = 10;
    settings_.port = plant_.add_tcp({"many", {1}, lab::certified_values, small});
    const int rounds = campaign() ? 50 : 3;
    std::vector<std::unique_ptr<TcpLink>> links;
    int answers = 0;
    for (int i = 0; i < connections; ++i) {
        links.push_back(std::make_unique<TcpLink>(loop_.get_executor(), settings_));
        start(loop_, count_answers(*links.back(), request_, rounds, answers));
    }
    loop_.run();
    EXPECT_EQ(answers, connections * rounds);
    EXPECT_EQ(plant_.connections_accepted("many"), static_cast<std::uint64_t>(connections));
}

}  // namespace
}  // namespace fieldgate::southbound
