// A platform that misbehaves as no real broker can be made to: the link recovers by itself, nothing
// is lost.
#include <gtest/gtest.h>

#include <set>

#include "tests/e2e/site.h"
#include "tests/fakes/scripted_broker.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

using fakes::ScriptedBroker;
using Script = ScriptedBroker::Script;

Site::Settings on(const ScriptedBroker& broker) {
    Site::Settings settings;
    settings.endpoint = "mqtt://127.0.0.1:" + std::to_string(broker.port());
    return settings;
}

bool acknowledged_soon(Site& site, std::int64_t more_than, std::chrono::milliseconds patience) {
    return lab::wait_until([&] { return site.book("acknowledged") > more_than; }, patience);
}

TEST(BadCloud, OneThatNeverAcknowledgesIsLeftAndTriedAgain) {
    ScriptedBroker broker;
    Script script;
    broker.play(script);
    Site site(on(broker));
    site.start();
    ASSERT_TRUE(acknowledged_soon(site, 0, 15s)) << site.log();

    script.puback = false;
    broker.play(script);
    // 20 s for the oldest publish, then a new connection.
    EXPECT_TRUE(
        broker.wait_for([](const ScriptedBroker& b) { return b.connects().size() > 1; }, 40s))
        << site.log();
    const std::int64_t before = site.book("acknowledged");
    script.puback = true;
    broker.play(script);
    EXPECT_TRUE(acknowledged_soon(site, before, 60s)) << site.log();
    EXPECT_EQ(site.imbalance(), 0);
    EXPECT_NE(site.log().find("no PUBACK within"), std::string::npos) << site.log();
}

TEST(BadCloud, OneThatNeverAnswersAConnectIsTriedAgain) {
    ScriptedBroker broker;
    Script script;
    script.connack = Script::never;
    broker.play(script);
    Site site(on(broker));
    site.start();
    ASSERT_TRUE(broker.wait_for([](const ScriptedBroker& b) { return b.connects().size() == 1; }))
        << site.log();
    script.connack = 0;
    broker.play(script);
    EXPECT_TRUE(acknowledged_soon(site, 0, 45s)) << site.log();
}

TEST(BadCloud, OneThatIsSlowIsNoReasonToCallTheGatewayStuck) {
    ScriptedBroker broker;
    Script script;
    script.puback_delay = 18s;
    broker.play(script);
    Site::Settings settings = on(broker);
    settings.units = 247;  // three requests
    settings.every = "5s";
    Site site(settings);
    site.start();
    // The greeting and the statuses, one after the other; a flow may be silent for 40 s.
    EXPECT_TRUE(
        broker.wait_for([](const ScriptedBroker& b) { return b.publishes().size() > 3; }, 80s))
        << site.log();
    EXPECT_EQ(site.log().find("flow stuck"), std::string::npos) << site.log();
    EXPECT_EQ(broker.connects().size(), 1u) << site.log();
}

// Every number that the witness had said by now has been published, at last.
bool all_arrives(Site& site, const ScriptedBroker& broker, std::chrono::milliseconds patience) {
    constexpr std::string_view key = "\"number\":";
    const auto until = static_cast<std::uint32_t>(site.book("accepted"));
    std::set<std::uint32_t> arrived;
    std::size_t seen = 0;
    return lab::wait_until(
        [&] {
            const std::vector<ScriptedBroker::Publish> publishes = broker.publishes();
            for (; seen < publishes.size(); ++seen) {
                const std::string& payload = publishes[seen].payload;
                for (std::size_t at = payload.find(key); at != std::string::npos;
                     at = payload.find(key, at + 1))
                    arrived.insert(static_cast<std::uint32_t>(
                        std::stoul(payload.substr(at + key.size(), 10))));
            }
            return static_cast<std::uint32_t>(
                       std::distance(arrived.begin(), arrived.upper_bound(until))) == until;
        },
        patience);
}

TEST(BadCloud, OneThatClosesForOnePayloadGetsAllTheOthers) {
    ScriptedBroker broker;
    Script script;
    script.poison = "\"number\":300,";
    broker.play(script);
    Site::Settings settings = on(broker);
    settings.platform_more = "  linger: 100ms\n";
    Site site(settings);
    site.start();
    // Two links lost, one by one for the third, and three for the last: ten seconds each.
    ASSERT_TRUE(lab::wait_until([&] { return site.book("quarantined") > 0; }, 150s)) << site.log();
    EXPECT_TRUE(all_arrives(site, broker, 60s)) << site.log();
    // Nothing is left, and the one that was never acknowledged is the one in quarantine.
    EXPECT_TRUE(lab::wait_until(
        [&] {
            const auto now = site.status();
            return now && *now->get("store")->get("backlog")->integer() == 0;
        },
        30s))
        << site.log();
    EXPECT_EQ(site.book("quarantined"), 1);
    EXPECT_EQ(site.book("evicted"), 0);
    EXPECT_EQ(site.imbalance(), 0);
    EXPECT_NE(site.log().find("records refused"), std::string::npos) << site.log();
    EXPECT_EQ(site.log().find("does another client use"), std::string::npos) << site.log();
    EXPECT_EQ(site.stop(), 0);
}

TEST(BadCloud, OneThatClosesAndHangsAsItLikesLosesNothing) {
    ScriptedBroker broker;
    Script script;
    broker.play(script);
    Site site(on(broker));
    site.start();
    ASSERT_TRUE(acknowledged_soon(site, 0, 15s)) << site.log();
    // With the first publish of data on each link: always the same record, alone in the end.
    script.drop_after_publishes = 4;
    broker.play(script);
    const std::size_t links = broker.connects().size();
    ASSERT_TRUE(broker.wait_for(
        [&](const ScriptedBroker& b) { return b.connects().size() > links + 5; }, 90s))
        << site.log();
    script.drop_after_publishes.reset();
    script.puback_delay = 300ms;  // all the window is in flight when it closes
    broker.play(script);
    for (int kick = 0; kick < 2; ++kick) {
        const std::size_t before = broker.publishes().size();
        ASSERT_TRUE(broker.wait_for(
            [&](const ScriptedBroker& b) { return b.publishes().size() > before + 6; }, 90s))
            << site.log();
        broker.kick();
    }
    script.puback_delay = 0ms;
    broker.play(script);
    EXPECT_TRUE(all_arrives(site, broker, 90s)) << site.log();
    EXPECT_EQ(site.book("quarantined"), 0) << site.log();
    EXPECT_EQ(site.book("evicted"), 0);
    EXPECT_EQ(site.imbalance(), 0);
}

}  // namespace
}  // namespace fieldgate::e2e
