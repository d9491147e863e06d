// A link that goes between a write and the PUBACK of its answer: the answer comes with the next.
#include <gtest/gtest.h>

#include <set>

#include "tests/e2e/valve_site.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

using Script = fakes::ScriptedBroker::Script;

class LostAnswer : public testing::Test {
protected:
    void SetUp() override {
        valve.site().start();
        ASSERT_TRUE(valve.ready()) << valve.site().log();
    }
    // The link is closed at the answer, and nobody gets in for `outage`.
    void flap(const std::string& id, std::chrono::milliseconds outage) {
        Script script = ValveSite::script();
        script.poison = R"("result_code":0)";
        valve.broker().play(script);
        valve.set_limit(id, "16.5");
        ASSERT_TRUE(lab::wait_until([&] { return !valve.answers(id).empty(); }))
            << valve.site().log();
        script = ValveSite::script();
        script.connack = 3;
        valve.broker().play(script);
        const auto until = std::chrono::steady_clock::now() + outage;
        lab::wait_until([&] { return std::chrono::steady_clock::now() >= until; }, outage + 1s);
        valve.broker().play(ValveSite::script());
    }
    // `id` has got so many answers, and all the same.
    bool told(const std::string& id, std::size_t times) {
        const std::vector<std::string> all = valve.answers(id);
        return all.size() == times && std::set<std::string>(all.begin(), all.end()).size() == 1;
    }
    std::size_t writes() { return valve.plant().writes("plc", 7).size(); }

    ValveSite valve;
};

TEST_F(LostAnswer, ComesWithTheNextLink) {
    flap("a", 3s);
    EXPECT_TRUE(lab::wait_until([&] { return told("a", 2); }, 12s)) << valve.site().log();
    EXPECT_EQ(writes(), 1u);
    EXPECT_EQ(valve.link("unanswered"), 0);
    valve.set_limit("b", "17");
    EXPECT_TRUE(lab::wait_until([&] { return told("b", 1); })) << valve.site().log();
    EXPECT_TRUE(told("a", 2)) << "and no more";
}

// What has come is delivered for the platform, however the greeting ends.
TEST_F(LostAnswer, IsGivenToARequestThatCameBeforeAGreetingFailed) {
    Script script = ValveSite::script();
    script.ignored = "sdk_info";
    valve.broker().play(script);
    valve.broker().kick();
    ASSERT_TRUE(valve.broker().wait_for([](const fakes::ScriptedBroker& broker) {
        const auto all = broker.publishes();
        return !all.empty() && all.back().link == 1;
    }));
    valve.set_limit("a", "16.5");
    valve.broker().play(ValveSite::script());
    valve.broker().kick();
    EXPECT_TRUE(lab::wait_until([&] { return told("a", 1); }, 15s)) << valve.site().log();
    EXPECT_NE(valve.answers("a").front().find(R"("result_code":0)"), std::string::npos);
    EXPECT_EQ(writes(), 1u);
}

// The platform does not like that answer, for whatever reason, and closes whenever it comes.
TEST_F(LostAnswer, IsGivenUpIfTheLinkIsLostForIt) {
    Script script = ValveSite::script();
    script.poison = R"("result_code":0)";
    valve.broker().play(script);
    valve.set_limit("a", "16.5");
    ASSERT_TRUE(lab::wait_until([&] { return valve.link("unanswered") == 1; }, 20s))
        << valve.site().log();
    EXPECT_LE(valve.answers("a").size(), 3u);
    // Other answers, and the data, go on.
    const std::int64_t before = valve.site().book("acknowledged");
    EXPECT_TRUE(
        lab::wait_until([&] { return valve.site().book("acknowledged") > before + 100; }, 20s))
        << valve.site().log();
    const std::size_t links = valve.broker().connects().size();
    EXPECT_LE(links, 4u);
    valve.set_limit("b", "99");
    EXPECT_TRUE(lab::wait_until([&] { return told("b", 1); })) << valve.site().log();
    EXPECT_EQ(valve.broker().connects().size(), links);
    EXPECT_EQ(writes(), 1u);
    EXPECT_EQ(valve.site().book("quarantined"), 0);
    EXPECT_NE(valve.site().log().find("an answer is given up"), std::string::npos);
}

}  // namespace
}  // namespace fieldgate::e2e
