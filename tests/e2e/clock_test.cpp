// A system clock that is wrong, and one that steps: event times are those of the readings.
#include <gtest/gtest.h>

#include "tests/e2e/site.h"
#include "tests/e2e/wrong_clock.h"
#include "tests/fakes/scripted_broker.h"
#include "tests/lab/platform/judge.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

using fakes::ScriptedBroker;
using Script = ScriptedBroker::Script;

bool asks_time(const ScriptedBroker& broker) {
    const auto all = broker.publishes();
    return std::any_of(all.begin(), all.end(), [](const ScriptedBroker::Publish& publish) {
        return publish.payload.find("time_sync_request") != std::string::npos;
    });
}

/// A gateway whose system clock is off by what set_clock() says.
class Clock : public ::testing::Test {
protected:
    void SetUp() override {
        if (const std::string why = no_wrong_clock(); !why.empty()) GTEST_SKIP() << why;
        broker.play(Script());
    }

    void set_clock(const std::string& off) { lab::write_file(dir / "clock", off); }

    Site& start() {
        Site::Settings settings;
        settings.endpoint = "mqtt://127.0.0.1:" + std::to_string(broker.port());
        settings.environment = wrong_clock(dir / "clock");
        site.emplace(settings);
        site->start();
        return *site;
    }

    bool acknowledged_soon(std::int64_t more_than, std::chrono::milliseconds patience) {
        return lab::wait_until([&] { return site->book("acknowledged") > more_than; }, patience);
    }

    std::string quality() {
        const std::optional<json::Value> now = site->status();
        return now ? *now->get("clock")->get("quality")->string() : "";
    }

    struct Reading {
        std::uint32_t number;
        std::int64_t event_time;
    };
    // Of all that has been published.
    std::vector<Reading> readings() const {
        std::vector<Reading> found;
        for (const ScriptedBroker::Publish& publish : broker.publishes()) {
            if (!publish.topic.ends_with("/properties/report")) continue;
            const Result<json::Value> report = json::parse(publish.payload);
            for (const json::Value& device : *report->get("devices")->array())
                for (const json::Value& service : *device.get("services")->array())
                    found.push_back({static_cast<std::uint32_t>(
                                         *service.get("properties")->get("number")->integer()),
                                     lab::parse_event_time(*service.get("event_time")->string())
                                         .value_or(INT64_MIN)});
        }
        return found;
    }
    // How far event times are from when the readings were said, at most.
    std::int64_t worst_ms() {
        std::map<std::uint32_t, std::int64_t> said;
        for (const Witness::Said& one : site->witness().said()) said[one.number] = one.at_ms;
        std::int64_t worst = 0;
        for (const Reading& reading : readings())
            worst = std::max(worst, std::abs(reading.event_time - said.at(reading.number)));
        return worst;
    }

    // As the platform does, by the clock of this process.
    bool answer_time_question(std::chrono::milliseconds patience) {
        constexpr std::string_view key = "\"device_send_time\":";
        std::string asked;
        const auto come = [&](const ScriptedBroker& b) {
            for (const auto& publish : b.publishes())
                if (publish.payload.find("time_sync_request") != std::string::npos)
                    asked = publish.payload;
            return !asked.empty();
        };
        if (!broker.wait_for(come, patience)) return false;
        const auto at = asked.find(key) + key.size();
        const std::string sent = asked.substr(at, asked.find('}', at) - at);
        const std::string now = std::to_string(Site::now_ms());
        broker.send(std::string("$oc/devices/") + Site::gateway_id + "/sys/events/down",
                    R"({"services":[{"service_id":"$time_sync","event_type":"time_sync_response",)"
                    R"("paras":{"device_send_time":)" +
                        sent + R"(,"server_recv_time":)" + now + R"(,"server_send_time":)" + now +
                        "}}]}");
        return true;
    }

    ScriptedBroker broker;
    const lab::TempDir dir;
    std::optional<Site> site;
};

TEST_F(Clock, ThatStepsBackAnHourWhileOfflineChangesNothing) {
    set_clock("+0");
    start();
    ASSERT_TRUE(acknowledged_soon(0, 15s)) << site->log();

    Script script;
    script.connack = 3;
    broker.play(script);
    broker.kick();
    ASSERT_TRUE(broker.wait_for([](const ScriptedBroker& b) { return b.connects().size() > 1; }))
        << site->log();
    set_clock("-1h");
    const std::int64_t before = site->book("acknowledged");
    broker.play(Script());
    EXPECT_TRUE(acknowledged_soon(before + 200, 30s)) << site->log();
    EXPECT_LE(worst_ms(), 200);
}

TEST_F(Clock, ThatIsSetRightWithoutProofSendsNothingWithItsOldTime) {
    set_clock("-50y");
    start();
    ASSERT_TRUE(lab::wait_until([&] { return site->book("pending") > 50; }, 15s)) << site->log();
    EXPECT_TRUE(readings().empty());
    // Those that were there before, too.
    ASSERT_EQ(site->stop(), 0) << site->log();
    site->start();
    ASSERT_TRUE(lab::wait_until([&] { return site->book("pending") > 100; }, 15s)) << site->log();
    set_clock("+0");
    ASSERT_TRUE(acknowledged_soon(150, 30s)) << site->log();
    EXPECT_LE(worst_ms(), 200);
    EXPECT_EQ(site->imbalance(), 0);
}

// What goes up with a guess could have the time of what is put right later.
TEST_F(Clock, ThatIsAheadSendsNothingBeforeThePlatformHasHadTimeToTellTheTime) {
    set_clock("+1h");
    start();
    ASSERT_TRUE(broker.wait_for([](const ScriptedBroker& b) { return asks_time(b); }, 15s));
    broker.wait_for([](const ScriptedBroker&) { return false; }, 1s);  // a slow platform
    ASSERT_TRUE(answer_time_question(1s)) << site->log();
    EXPECT_TRUE(acknowledged_soon(50, 15s)) << site->log();
    EXPECT_EQ(quality(), "proven");
    EXPECT_LE(worst_ms(), 1000);

    // One that does not tell it at all gets the data all the same.
    const std::int64_t before = site->book("acknowledged");
    ASSERT_EQ(site->stop(), 0) << site->log();
    site->start();
    EXPECT_TRUE(acknowledged_soon(before + 50, 15s)) << site->log();
    EXPECT_EQ(site->imbalance(), 0);
}

TEST_F(Clock, ThatShows1970IsPutRightByThePlatform) {
    set_clock("-56y");
    start();
    ASSERT_TRUE(lab::wait_until([&] { return site->book("pending") > 50; }, 15s)) << site->log();
    EXPECT_EQ(quality(), "held");
    EXPECT_TRUE(readings().empty());

    ASSERT_TRUE(answer_time_question(15s)) << site->log();
    EXPECT_TRUE(acknowledged_soon(200, 30s)) << site->log();
    EXPECT_EQ(quality(), "proven");
    const json::Value clock = *site->status()->get("clock");
    EXPECT_LE(*clock.get("platform_round_trip_ms")->integer(), 2000);
    EXPECT_LT(*clock.get("system_off_ms")->integer(), -1'000'000'000'000);
    EXPECT_LE(worst_ms(), 1000);

    set_clock("+0");  // now the system learns it, too
    EXPECT_TRUE(acknowledged_soon(site->book("acknowledged") + 200, 30s)) << site->log();
    EXPECT_LE(worst_ms(), 1000);
    EXPECT_EQ(site->imbalance(), 0);
}

}  // namespace
}  // namespace fieldgate::e2e
