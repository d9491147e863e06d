#include "northbound/mqtt/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

#include "tests/fakes/scripted_broker.h"
#include "tests/northbound/await.h"

namespace fieldgate::northbound::mqtt {
namespace {

using namespace std::chrono_literals;
using fakes::ScriptedBroker;
using Script = ScriptedBroker::Script;
using Clock = std::chrono::steady_clock;
using testing::await;
using testing::run_until;
Limits unlimited() {
    Limits limits;
    limits.messages_per_second = Limits::unlimited;
    limits.bytes_per_second = Limits::unlimited;
    return limits;
}

Login login(std::string client_id = "gw_0_0_2026112220") {
    Login login;
    login.client_id = std::move(client_id);
    login.username = "gw";
    login.password = Secret("secret");
    return login;
}

class SessionTest : public ::testing::Test {
protected:
    SessionSettings settings() {
        SessionSettings settings;
        settings.tls = false;
        settings.host = "127.0.0.1";
        settings.port = broker.port();
        settings.connect_deadline = 10s;
        settings.ack_deadline = 10s;
        return settings;
    }

    void make(const SessionSettings& settings) {
        session = std::make_unique<Session>(loop.get_executor(), settings, pacer, sizes, goodput);
    }
    Result<void> connect() { return await(loop, session->connect(login())); }

    // Starts a publish; its answer goes to answers.
    void start_publish(std::string payload) {
        asio::co_spawn(loop, session->publish("topic", std::move(payload)),
                       [this](std::exception_ptr failure, Result<void> answer) {
                           if (!failure) answers.push_back(std::move(answer));
                       });
    }

    std::vector<std::string> payloads() const {
        std::vector<std::string> all;
        for (const auto& publish : broker.publishes()) all.push_back(publish.payload);
        return all;
    }

    ScriptedBroker broker;
    asio::io_context loop{1};
    Pacer pacer{unlimited()};
    PayloadLimit sizes{64 * 1024};
    Goodput goodput{unlimited()};
    std::unique_ptr<Session> session;
    std::vector<Result<void>> answers;
};

TEST_F(SessionTest, ConnectsAsThePlatformWantsIt) {
    make(settings());
    ASSERT_TRUE(connect());
    EXPECT_TRUE(session->up());
    const auto connects = broker.connects();
    ASSERT_EQ(connects.size(), 1U);
    EXPECT_EQ(connects[0].client_id, "gw_0_0_2026112220");
    EXPECT_EQ(connects[0].username, "gw");
    EXPECT_EQ(connects[0].password, "secret");
    EXPECT_EQ(connects[0].keep_alive, 120);
    EXPECT_EQ(connects[0].protocol_level, 4);
    EXPECT_TRUE(connects[0].clean_session);
    EXPECT_FALSE(connects[0].will);
}

TEST_F(SessionTest, IsClosedForGoodAlsoInTheMiddleOfAnAttempt) {
    Script silence;
    silence.connack = Script::never;
    broker.play(silence);
    SessionSettings patient = settings();
    patient.connect_deadline = 100s;
    make(patient);
    asio::co_spawn(loop, session->connect(login()),
                   [this](std::exception_ptr, Result<void> answer) { answers.push_back(answer); });
    ASSERT_TRUE(run_until(loop, [&] { return broker.connects().size() == 1; }));
    session->close("another one is wanted");
    ASSERT_TRUE(run_until(
        loop, [&] { return answers.size() == 1; }, 10s));
    EXPECT_EQ(answers[0].error().code, Errc::closed);
    EXPECT_EQ(answers[0].error().what, "another one is wanted");
    EXPECT_TRUE(run_until(loop, [&] { return broker.links() == 0; }));
    EXPECT_EQ(connect().error().what, "another one is wanted");
    EXPECT_EQ(broker.connects().size(), 1U);
}

TEST_F(SessionTest, SendsNoPasswordIfThereIsNone) {
    make(settings());
    Login without = login();
    without.password = Secret();
    ASSERT_TRUE(await(loop, session->connect(std::move(without))));
    EXPECT_FALSE(broker.connects().at(0).password);
}

TEST_F(SessionTest, PublishesAtLeastOnceAndWaitsForThePuback) {
    make(settings());
    ASSERT_TRUE(connect());
    ASSERT_TRUE(await(loop, session->publish("a/b", "payload")));
    const auto publishes = broker.publishes();
    ASSERT_EQ(publishes.size(), 1U);
    EXPECT_EQ(publishes[0].topic, "a/b");
    EXPECT_EQ(publishes[0].payload, "payload");
    EXPECT_EQ(publishes[0].qos, 1);
    EXPECT_FALSE(publishes[0].retain);
}

TEST_F(SessionTest, NamesTheCodeOfARefusal) {
    make(settings());
    for (int code = 1; code <= 5; ++code) {
        Script script;
        script.connack = code;
        broker.play(script);
        const Result<void> answer = connect();
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Errc::refused);
        EXPECT_EQ(answer.error().detail, code);
        EXPECT_EQ(answer.error().what, connack_text(code));
    }
    broker.play(Script());
    EXPECT_TRUE(connect());
    EXPECT_EQ(broker.connects().size(), 6U);  // each attempt once, never in two versions
}

TEST_F(SessionTest, GivesUpOnABrokerThatSendsNoConnack) {
    Script script;
    script.connack = Script::never;
    broker.play(script);
    SessionSettings hasty = settings();
    hasty.connect_deadline = 200ms;
    make(hasty);
    for (int i = 0; i < 5; ++i) {
        const auto start = Clock::now();
        const Result<void> answer = connect();
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Errc::timeout);
        EXPECT_EQ(answer.error().what, "no CONNACK within 200 ms");
        EXPECT_GE(Clock::now() - start, 200ms);
        EXPECT_LT(Clock::now() - start, 5s);
    }
    EXPECT_TRUE(broker.wait_for([](const auto& b) { return b.links() == 0; }));
    broker.play(Script());
    hasty.connect_deadline = 10s;
    make(hasty);
    EXPECT_TRUE(connect());
}

TEST_F(SessionTest, SaysWhyThereIsNoConnection) {
    SessionSettings nobody = settings();
    {
        ScriptedBroker gone;
        nobody.port = gone.port();
    }
    make(nobody);
    const Result<void> answer = connect();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::io);
    EXPECT_EQ(answer.error().what, "127.0.0.1: Connection refused");
}

TEST_F(SessionTest, DropsALinkOnWhichNothingIsAcknowledged) {
    Script script;
    script.puback = false;
    broker.play(script);
    SessionSettings hasty = settings();
    hasty.ack_deadline = 300ms;
    make(hasty);
    ASSERT_TRUE(connect());
    for (int i = 0; i < 15; ++i) start_publish(std::to_string(i));
    const Result<Message> lost = await(loop, session->next(Event::Clock::time_point::max()));
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Errc::closed);
    EXPECT_EQ(lost.error().what, "no PUBACK within 300 ms");
    ASSERT_TRUE(run_until(loop, [&] { return answers.size() == 15; }));
    for (const auto& answer : answers) {
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Errc::closed);
    }
    EXPECT_EQ(payloads().size(), 10U);  // the window
    EXPECT_TRUE(broker.wait_for([](const auto& b) { return b.links() == 0; }));

    broker.play(Script());
    ASSERT_TRUE(connect());
    EXPECT_TRUE(await(loop, session->publish("topic", "again")));
}

TEST_F(SessionTest, EveryPubackRestartsTheDeadline) {
    Script script;
    script.puback_delay = 300ms;
    broker.play(script);
    SessionSettings hasty = settings();
    hasty.ack_deadline = 700ms;
    hasty.window_messages = 1;
    make(hasty);
    ASSERT_TRUE(connect());
    for (int i = 0; i < 5; ++i) start_publish(std::to_string(i));  // 1.5 s together
    ASSERT_TRUE(run_until(loop, [&] { return answers.size() == 5; }));
    for (const auto& answer : answers) EXPECT_TRUE(answer);
    EXPECT_TRUE(session->up());
}

TEST_F(SessionTest, SurvivesPubacksOutOfOrderTwiceAndOfUnknownIds) {
    Script script;
    script.puback_reversed = 5;
    script.puback_unknown = true;
    script.puback_twice = true;
    broker.play(script);
    make(settings());
    ASSERT_TRUE(connect());
    for (int i = 0; i < 50; ++i) start_publish(std::to_string(i));
    ASSERT_TRUE(run_until(loop, [&] { return answers.size() == 50; }));
    for (const auto& answer : answers) EXPECT_TRUE(answer);
    const auto sent = payloads();
    ASSERT_EQ(sent.size(), 50U);
    for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(sent[i], std::to_string(i));
}

TEST_F(SessionTest, KeepsToItsWindowOfBytes) {
    Script script;
    script.puback = false;
    broker.play(script);
    SessionSettings narrow = settings();
    narrow.ack_deadline = 500ms;
    make(narrow);
    ASSERT_TRUE(connect());
    for (int i = 0; i < 5; ++i) start_publish(std::string(3000, 'x'));
    ASSERT_FALSE(await(loop, session->next(Event::Clock::time_point::max())));
    EXPECT_EQ(payloads().size(), 2U);  // what a link begins with (goodput.h)
    ASSERT_TRUE(run_until(loop, [&] { return answers.size() == 5; }));
}

TEST_F(SessionTest, SendsWhatIsLargerThanItsWindowOfBytesAlone) {
    make(settings());
    ASSERT_TRUE(connect());
    EXPECT_TRUE(await(loop, session->publish("topic", std::string(60000, 'x'))));
}

TEST_F(SessionTest, FailsWhatIsUnderWayWhenTheLinkIsLost) {
    Script script;
    script.drop_after_publishes = 3;
    broker.play(script);
    make(settings());
    ASSERT_TRUE(connect());
    for (int i = 0; i < 20; ++i) start_publish(std::to_string(i));
    ASSERT_TRUE(run_until(loop, [&] { return answers.size() == 20; }));
    const auto good = std::count_if(answers.begin(), answers.end(),
                                    [](const auto& answer) { return answer.has_value(); });
    EXPECT_LE(good, 2);
    const Result<Message> lost = await(loop, session->next(Event::Clock::time_point::max()));
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Errc::closed);
    EXPECT_FALSE(session->up());
    const Result<void> late = await(loop, session->publish("topic", "x"));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::closed);
}

TEST_F(SessionTest, ComesBackAfterEveryKickWithANewClientId) {
    make(settings());
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(await(loop, session->connect(login("gw_" + std::to_string(i)))));
        ASSERT_TRUE(await(loop, session->publish("topic", "x")));
        broker.kick();
        ASSERT_FALSE(await(loop, session->next(Event::Clock::time_point::max())));
    }
    const auto connects = broker.connects();
    ASSERT_EQ(connects.size(), 10U);
    EXPECT_EQ(connects[9].client_id, "gw_9");
}

TEST_F(SessionTest, CountsWhatItsInboxCannotHold) {
    SessionSettings small = settings();
    small.inbox_messages = 3;
    make(small);
    ASSERT_TRUE(connect());
    for (int i = 0; i < 10; ++i) broker.send("t", std::to_string(i));
    ASSERT_TRUE(run_until(loop, [&] { return session->messages_dropped() == 7; }));
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(await(loop, session->next(Event::Clock::time_point::max()))->payload,
                  std::to_string(i));
}

TEST_F(SessionTest, SaysGoodByeInOrder) {
    make(settings());
    ASSERT_TRUE(connect());
    await(loop, session->disconnect());
    EXPECT_FALSE(session->up());
    EXPECT_TRUE(broker.wait_for([](const auto& b) { return b.disconnects() == 1; }));
    EXPECT_TRUE(connect());
}

TEST_F(SessionTest, ForgetsAPublishWhoseCallerWasCancelled) {
    Script script;
    script.puback_delay = 200ms;
    broker.play(script);
    SessionSettings narrow = settings();
    narrow.window_messages = 1;
    make(narrow);
    ASSERT_TRUE(connect());
    std::vector<asio::cancellation_signal> cancels(2);  // one under way, one waiting for its turn
    int cancelled = 0;
    for (auto& cancel : cancels)
        asio::co_spawn(loop, session->publish("topic", "cancelled"),
                       asio::bind_cancellation_slot(
                           cancel.slot(), [&](std::exception_ptr failure, const Result<void>&) {
                               if (failure) ++cancelled;
                           }));
    start_publish("kept");
    ASSERT_TRUE(run_until(loop, [&] { return broker.publishes().size() == 1; }));
    for (auto& cancel : cancels) cancel.emit(asio::cancellation_type::terminal);
    ASSERT_TRUE(run_until(loop, [&] { return answers.size() == 1; }));
    EXPECT_EQ(cancelled, 2);
    EXPECT_TRUE(answers[0]);
    EXPECT_EQ(payloads(), (std::vector<std::string>{"cancelled", "kept"}));
}

TEST_F(SessionTest, EndsAnAttemptWhoseCallerIsCancelledAndIsGoneWithinASecond) {
    Script script;
    script.connack = Script::never;
    broker.play(script);
    make(settings());
    asio::cancellation_signal cancel;
    bool ended = false;
    asio::co_spawn(
        loop, session->connect(login()),
        asio::bind_cancellation_slot(
            cancel.slot(), [&](std::exception_ptr, const Result<void>&) { ended = true; }));
    ASSERT_TRUE(run_until(loop, [&] { return broker.connects().size() == 1; }));
    cancel.emit(asio::cancellation_type::terminal);
    ASSERT_TRUE(run_until(loop, [&] { return ended; }));
    broker.play(Script());
    EXPECT_TRUE(connect());
    const auto start = Clock::now();
    session.reset();
    EXPECT_LT(Clock::now() - start, 1500ms);
}

TEST_F(SessionTest, NoticesASilentBrokerByKeepAliveWhenIdle) {
    SessionSettings lively = settings();
    lively.keep_alive = 1s;
    make(lively);
    ASSERT_TRUE(connect());
    Script script;
    script.silent = true;
    broker.play(script);
    const auto start = Clock::now();
    EXPECT_FALSE(await(loop, session->next(Event::Clock::time_point::max())));
    EXPECT_LT(Clock::now() - start, 10s);
}

TEST_F(SessionTest, PacesAllThatItPublishes) {
    Limits limits = unlimited();
    limits.messages_per_second = 5;
    Pacer slow(limits);
    session = std::make_unique<Session>(loop.get_executor(), settings(), slow, sizes, goodput);
    ASSERT_TRUE(connect());
    for (int i = 0; i < 8; ++i) start_publish(std::to_string(i));
    ASSERT_TRUE(run_until(loop, [&] { return answers.size() == 8; }));
    const auto sent = broker.publishes();
    for (std::size_t i = 5; i < sent.size(); ++i) EXPECT_GT(sent[i].at - sent[i - 5].at, 1s);
    session.reset();
}

}  // namespace
}  // namespace fieldgate::northbound::mqtt
