// A platform that misbehaves as no real broker can be made to: the link recovers by itself, nothing
// is lost.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace fieldgate::e2e
