// SUBSCRIBE and what comes of it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "northbound/mqtt/session.h"
#include "tests/fakes/scripted_broker.h"
#include "tests/northbound/await.h"

namespace fieldgate::northbound::mqtt {
namespace {

using namespace std::chrono_literals;
using fakes::ScriptedBroker;
using Script = ScriptedBroker::Script;
using testing::await;

class SubscribeTest : public ::testing::Test {
protected:
    SubscribeTest() {
        SessionSettings settings;
        settings.tls = false;
        settings.host = "127.0.0.1";
        settings.port = broker.port();
        settings.ack_deadline = 2s;
        session = std::make_unique<Session>(loop.get_executor(), settings, pacer, sizes, goodput);
    }
    Result<void> connect() {
        Login login;
        login.client_id = "gw_0_0_2026112220";
        return await(loop, session->connect(std::move(login)));
    }

    ScriptedBroker broker;
    asio::io_context loop{1};
    Pacer pacer{Limits()};
    PayloadLimit sizes{64 * 1024};
    Goodput goodput{Limits()};
    std::unique_ptr<Session> session;
};

TEST_F(SubscribeTest, IsAtQosOneAndBringsMessages) {
    ASSERT_TRUE(connect());
    std::vector<std::string> filters{"a/#", "b"};
    ASSERT_TRUE(await(loop, session->subscribe(filters)));
    EXPECT_EQ(broker.subscriptions(), filters);
    broker.send("a/x", "one", 1);
    broker.send("unasked", "two");
    const Result<Message> one = await(loop, session->next(Event::Clock::time_point::max()));
    const Result<Message> two = await(loop, session->next(Event::Clock::time_point::max()));
    ASSERT_TRUE(one);
    ASSERT_TRUE(two);
    EXPECT_EQ(one->topic, "a/x");
    EXPECT_EQ(one->payload, "one");
    EXPECT_EQ(two->topic, "unasked");
}

TEST_F(SubscribeTest, SaysWhatWasRefused) {
    Script script;
    script.refuse_subscriptions = true;
    broker.play(script);
    ASSERT_TRUE(connect());
    const Result<void> answer = await(loop, session->subscribe({"a/#", "b"}));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::refused);
    EXPECT_EQ(answer.error().what, "subscriptions refused: a/#, b");
    EXPECT_TRUE(session->up());
}

// Brokers are known that answer six filters with one code. What is said of a filter that is asked
// for alone can be read whatever comes.
TEST_F(SubscribeTest, StandsAnyNumberOfCodes) {
    for (const std::size_t codes :
         {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{40}}) {
        SCOPED_TRACE(codes);
        Script script;
        script.suback_codes = codes;
        broker.play(script);
        ASSERT_TRUE(connect());
        const Result<void> answer = await(loop, session->subscribe({"a", "b", "c", "d", "e", "f"}));
        EXPECT_TRUE(answer || answer.error().code == Errc::refused) << answer.error().what;
        EXPECT_EQ(answer.has_value(), codes == 1) << "one code for one filter is as it should be";
        EXPECT_TRUE(session->up());
        await(loop, session->disconnect());
    }
}

}  // namespace
}  // namespace fieldgate::northbound::mqtt
