// More than can be sent or kept. Answers go before data: a command must be answered in 15 s,
// however much there is to replay.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "northbound/mqtt/session.h"
#include "tests/fakes/scripted_broker.h"
#include "tests/northbound/await.h"

namespace fieldgate::northbound::mqtt {
namespace {

using namespace std::chrono_literals;
using fakes::ScriptedBroker;
using Script = ScriptedBroker::Script;
using testing::await;
using testing::run_until;

class SessionLoad : public ::testing::Test {
protected:
    void start(double messages_per_second, double bytes_per_second) {
        Limits limits;
        limits.messages_per_second = messages_per_second;
        limits.bytes_per_second = bytes_per_second;
        pacer = std::make_unique<Pacer>(limits);
        goodput = std::make_unique<Goodput>(limits);
        settings.tls = false;
        settings.host = "127.0.0.1";
        settings.port = broker.port();
        session = std::make_unique<Session>(loop.get_executor(), settings, *pacer, sizes, *goodput);
        connect();
    }
    void connect() {
        Login login;
        login.client_id = login.username = "gw";
        ASSERT_TRUE(await(loop, session->connect(std::move(login))));
    }

    void publish(std::string payload, Rank rank) {
        ++begun;
        asio::co_spawn(loop, session->publish("topic", std::move(payload), rank),
                       [this](std::exception_ptr failure, Result<void> answer) {
                           if (!failure) answers.push_back(std::move(answer));
                       });
    }

    void forget_answers() {
        ASSERT_TRUE(run_until(loop, [&] { return answers.size() == begun; }));
        answers.clear();
        begun = 0;
    }

    // Coroutines of a session must have ended before it does.
    void TearDown() override {
        broker.kick();
        EXPECT_TRUE(run_until(loop, [&] { return answers.size() == begun; }));
    }

    // How many publishes had come before `payload`; all, if it has not come.
    std::size_t place(const std::string& payload) const {
        const auto all = broker.publishes();
        for (std::size_t i = 0; i < all.size(); ++i)
            if (all[i].payload == payload) return i;
        return all.size();
    }

    // Why the one that was ignored has failed; "" if none was.
    std::string ignored() {
        const auto one = [&] {
            return std::find_if(answers.begin(), answers.end(), [](const Result<void>& answer) {
                return !answer && answer.error().code == Errc::timeout;
            });
        };
        (void)run_until(loop, [&] { return answers.size() == begun || one() != answers.end(); });
        return one() == answers.end() ? "" : one()->error().what;
    }

    ScriptedBroker broker;
    asio::io_context loop{1};
    SessionSettings settings;
    std::unique_ptr<Pacer> pacer;
    std::unique_ptr<Goodput> goodput;
    PayloadLimit sizes{64 * 1024};
    std::unique_ptr<Session> session;
    std::vector<Result<void>> answers;
    std::size_t begun = 0;
};

TEST_F(SessionLoad, UrgentOnesGoBeforeAllThatWaitsForThePace) {
    start(5, Limits::unlimited);
    for (int i = 0; i < 15; ++i) publish("data", Rank::ordinary);
    ASSERT_TRUE(run_until(loop, [&] { return broker.publishes().size() == 5; }));
    publish("answer 1", Rank::urgent);
    publish("answer 2", Rank::urgent);
    ASSERT_TRUE(run_until(loop, [&] { return answers.size() == 17; }));
    EXPECT_EQ(place("answer 1"), 5U);
    EXPECT_EQ(place("answer 2"), 6U);
    const auto sent = broker.publishes();
    for (std::size_t i = 5; i < sent.size(); ++i) EXPECT_GT(sent[i].at - sent[i - 5].at, 1s);
}

TEST_F(SessionLoad, UrgentOnesHaveRoomThoughTheWindowIsFull) {
    Script script;
    script.puback = false;
    broker.play(script);
    start(Limits::unlimited, Limits::unlimited);
    publish(std::string(12'000, 'x'), Rank::ordinary);  // all that a link begins with
    for (int i = 0; i < 15; ++i) publish("data", Rank::ordinary);
    for (int i = 0; i < 3; ++i) publish("answer", Rank::urgent);
    ASSERT_TRUE(run_until(loop, [&] { return broker.publishes().size() == 4; }));
    EXPECT_EQ(place("answer"), 1U);
    EXPECT_EQ(place("data"), 4U);  // not come
}

// However many urgent ones come, of four publishes one is an ordinary one, if any waits.
TEST_F(SessionLoad, OrdinaryOnesKeepTheirShareOfThePace) {
    settings.window_messages = 200;  // so that a PUBACK that is late changes nothing
    start(20, Limits::unlimited);
    for (int i = 0; i < 120; ++i) publish("answer", Rank::urgent);
    for (int i = 0; i < 40; ++i) publish("data " + std::to_string(i), Rank::ordinary);
    ASSERT_TRUE(run_until(loop, [&] { return broker.publishes().size() >= 40; }));
    const auto all = broker.publishes();
    const auto data = std::count_if(all.begin() + 20, all.begin() + 40,
                                    [](const auto& one) { return one.payload != "answer"; });
    EXPECT_EQ(data, 5);
    EXPECT_GE(place("data 9"), 32U);
}

// By what they cost: a large one, half a second, waits for as much as 1.5 s of small urgent ones.
TEST_F(SessionLoad, ALargeOrdinaryOneDoesNotHoldUpSmallUrgentOnes) {
    start(10, 20'000);
    for (int i = 0; i < 30; ++i) publish("answer", Rank::urgent);
    for (int i = 0; i < 3; ++i) publish(std::string(10'000, 'd'), Rank::ordinary);
    ASSERT_TRUE(run_until(loop, [&] { return broker.publishes().size() >= 25; }));
    EXPECT_GE(place(std::string(10'000, 'd')), 14U);
    EXPECT_LE(place(std::string(10'000, 'd')), 16U);
}

TEST_F(SessionLoad, LargeUrgentOnesLeaveBandwidthToTheOrdinaryOnes) {
    start(Limits::unlimited, 60'000);
    for (int i = 0; i < 30; ++i) publish(std::string(4000, 'a'), Rank::urgent);
    for (int i = 0; i < 30; ++i) publish("data", Rank::ordinary);
    ASSERT_TRUE(run_until(loop, [&] { return broker.publishes().size() >= 35; }));
    const auto all = broker.publishes();
    const auto data = std::count_if(all.begin(), all.end(),
                                    [](const auto& one) { return one.payload == "data"; });
    EXPECT_GE(data, 5);
}

TEST_F(SessionLoad, OrdinaryOnesKeepTheirShareOfTheWindow) {
    Script script;
    script.puback_delay = 100ms;
    broker.play(script);
    start(Limits::unlimited, Limits::unlimited);
    for (int i = 0; i < 120; ++i) publish("answer", Rank::urgent);
    for (int i = 0; i < 40; ++i) publish("data", Rank::ordinary);
    ASSERT_TRUE(run_until(loop, [&] { return broker.publishes().size() >= 60; }));
    const auto all = broker.publishes();
    // The first 14 had left before any waited.
    const auto data = std::count_if(all.begin() + 14, all.begin() + 60,
                                    [](const auto& one) { return one.payload == "data"; });
    EXPECT_GE(data, 11);
}

// Whose turn it is changes with each that leaves, and there is no PUBACK that would wake the next.
TEST_F(SessionLoad, WhatMayLeaveDoesNotWaitForAPuback) {
    Script script;
    script.puback = false;
    broker.play(script);
    start(Limits::unlimited, 6000);
    publish(std::string(5990, 'a'), Rank::urgent);  // the others queue up for a second
    publish("data 1", Rank::ordinary);
    publish(std::string(1200, 'b'), Rank::urgent);
    publish(std::string(1200, 'c'), Rank::urgent);
    publish("data 2", Rank::ordinary);
    ASSERT_TRUE(run_until(loop, [&] { return broker.publishes().size() == 5; }));
    EXPECT_EQ(place("data 1"), 1U);
    EXPECT_EQ(place("data 2"), 3U);
}

TEST_F(SessionLoad, UrgentOnesAreRefusedWhenTooManyWait) {
    Script script;
    script.puback = false;
    broker.play(script);
    settings.urgent_waiting = 5;
    start(Limits::unlimited, Limits::unlimited);
    for (std::size_t i = 0; i < settings.slots() + 7; ++i) publish("answer", Rank::urgent);
    ASSERT_TRUE(run_until(loop, [&] { return answers.size() == 2; }));
    for (const auto& answer : answers) {
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Errc::busy);
    }
    EXPECT_EQ(session->urgent_refused(), 2U);
}

TEST_F(SessionLoad, BlamesNothingUnderWayForALinkThatWeEnd) {
    Script script;
    script.puback = false;
    broker.play(script);
    start(Limits::unlimited, Limits::unlimited);
    for (std::size_t i = 1; i <= 2; ++i) {
        if (i > 1) connect();
        publish(std::string(5000, 'x'), Rank::ordinary);
        ASSERT_TRUE(run_until(loop, [&] { return broker.publishes().size() == i; }));
        session->give_up("the certificate has expired");
        ASSERT_TRUE(run_until(loop, [&] { return answers.size() == i; }));
        EXPECT_EQ(answers.back().error().detail, 0);
    }
    EXPECT_FALSE(sizes.suspected());
    EXPECT_FALSE(sizes.doubtful(5000));
}

TEST_F(SessionLoad, BlamesWhatIsUnderWayForALinkThatTheBrokerEnds) {
    Script script;
    script.puback = false;
    broker.play(script);
    start(Limits::unlimited, Limits::unlimited);
    publish(std::string(5000, 'x'), Rank::ordinary);
    ASSERT_TRUE(run_until(loop, [&] { return broker.publishes().size() == 1; }));
    broker.kick();
    ASSERT_TRUE(run_until(loop, [&] { return answers.size() == 1; }));
    EXPECT_TRUE(sizes.suspected());
    connect();
    broker.kick();
    ASSERT_TRUE(run_until(loop, [&] { return !session->up(); }));
    EXPECT_FALSE(sizes.suspected()) << "nothing was under way";
}

TEST_F(SessionLoad, KeepsOnlyTheTopicOfWhatNobodyReads) {
    settings.inbox_bytes = 1000;
    settings.unread = {"messages"};
    start(Limits::unlimited, Limits::unlimited);
    for (int i = 0; i < 3; ++i) broker.send("messages", std::string(200'000, 'x'));
    broker.send("command", "y");
    for (const char* topic : {"messages", "messages", "messages", "command"}) {
        const Result<Message> came =
            await(loop, session->next(std::chrono::steady_clock::now() + 20s));
        ASSERT_TRUE(came);
        EXPECT_EQ(came->topic, topic);
        EXPECT_EQ(came->payload, came->topic == "command" ? "y" : "");
    }
    EXPECT_EQ(session->messages_dropped(), 0U);
}

TEST_F(SessionLoad, KeepsNoMoreThanItMayWhileTheLoopIsBusyElsewhere) {
    settings.inbox_bytes = 1'000'000;
    start(Limits::unlimited, Limits::unlimited);
    constexpr std::size_t sent = 200;
    const std::string payload(50'000, 'x');
    for (std::size_t i = 0; i < sent; ++i) broker.send("t", payload);
    // The loop does not turn; what comes stays with Paho's thread, and is counted there.
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (session->messages_dropped() < sent - 19 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::yield();
    EXPECT_EQ(session->messages_dropped(), sent - 19);

    for (int i = 0; i < 19; ++i)
        EXPECT_TRUE(await(loop, session->next(Event::Clock::time_point::max())));
    broker.send("t", payload);
    EXPECT_TRUE(await(loop, session->next(Event::Clock::time_point::max())));
    EXPECT_FALSE(await(loop, session->next(std::chrono::steady_clock::now() + 10ms)));
}

TEST_F(SessionLoad, LeavesALinkOnWhichOneIsIgnoredThoughOthersAreAcknowledged) {
    Script script;
    script.ignored = "large";
    broker.play(script);
    settings.ack_deadline = 1500ms;
    start(Limits::unlimited, Limits::unlimited);
    for (int life = 0; life < 2; ++life) {
        if (life > 0) connect();
        forget_answers();
        publish("large" + std::string(5000, 'x'), Rank::ordinary);
        const auto began = Event::Clock::now();
        while (session->up() && Event::Clock::now() < began + 10s) {
            const std::size_t before = answers.size();
            publish("small", Rank::ordinary);
            ASSERT_TRUE(run_until(loop, [&] { return answers.size() > before; }));
        }
        EXPECT_FALSE(session->up()) << "it would have waited for as long as others pass";
        EXPECT_GE(Event::Clock::now() - began, 1500ms);
        EXPECT_EQ(ignored(), "no PUBACK within 1500 ms, while what left later was acknowledged");
    }
    EXPECT_TRUE(sizes.doubtful(5000)) << "twice, and smaller ones passed";
    EXPECT_FALSE(sizes.doubtful(200));
}

// As put_to_trial() does: alone, and something small and urgent behind it now and then.
TEST_F(SessionLoad, TellsALonelyOneThatIsIgnoredFromABrokerThatHangs) {
    settings.ack_deadline = 1500ms;
    start(Limits::unlimited, Limits::unlimited);
    for (const bool hangs : {false, true}) {
        if (hangs) connect();
        Script script;
        script.ignored = hangs ? "" : "large";
        broker.play(script);
        forget_answers();
        publish("large" + std::string(5000, 'x'), Rank::ordinary);
        for (int i = 0; session->up() && i < 20; ++i) {
            const auto next = Event::Clock::now() + 500ms;
            (void)run_until(loop, [&] { return Event::Clock::now() > next || !session->up(); });
            publish("small", Rank::urgent);
        }
        EXPECT_FALSE(session->up());
        EXPECT_EQ(ignored().empty(), hangs);
        broker.play(Script());
    }
}

}  // namespace
}  // namespace fieldgate::northbound::mqtt
