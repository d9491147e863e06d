// A platform that misbehaves as no real broker can be made to: the link recovers by itself, nothing
// is lost.
#include <gtest/gtest.h>

#include "tests/e2e/site.h"
#include "tests/fakes/scripted_broker.h"
#include "tests/lab/platform/judge.h"

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

// Where the event times of what has been published lie, from the first to the last.
std::pair<std::int64_t, std::int64_t> event_times(const ScriptedBroker& broker) {
    constexpr std::string_view key = "\"event_time\":\"";
    std::int64_t first = INT64_MAX;
    std::int64_t last = INT64_MIN;
    for (const ScriptedBroker::Publish& publish : broker.publishes()) {
        if (!publish.topic.ends_with("/properties/report")) continue;
        for (std::size_t at = publish.payload.find(key); at != std::string::npos;
             at = publish.payload.find(key, at + 1)) {
            const auto time = lab::parse_event_time(publish.payload.substr(at + key.size(), 24));
            if (!time) continue;
            first = std::min(first, *time);
            last = std::max(last, *time);
        }
    }
    return {first, last};
}

// Debian has it in a folder of the machine's architecture.
std::string faketime() {
    for (const auto& folder : std::filesystem::directory_iterator("/usr/lib")) {
        const auto library = folder.path() / "faketime/libfaketime.so.1";
        std::error_code absent;
        if (std::filesystem::exists(library, absent)) return library.string();
    }
    return "";
}

TEST(BadCloud, AClockThatStepsBackAnHourWhileOfflineChangesNothing) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's library must be the first, and so must libfaketime";
#endif
    const std::string library = faketime();
    if (library.empty()) GTEST_SKIP() << "no libfaketime here";
    ScriptedBroker broker;
    Script script;
    broker.play(script);
    const lab::TempDir dir;
    lab::write_file(dir / "clock", "+0");
    Site::Settings settings = on(broker);
    settings.environment = {"LD_PRELOAD=" + library, "FAKETIME_NO_CACHE=1",
                            "FAKETIME_DONT_FAKE_MONOTONIC=1",
                            "FAKETIME_TIMESTAMP_FILE=" + (dir / "clock").string()};
    Site site(settings);
    const std::int64_t began = Site::now_ms();
    site.start();
    ASSERT_TRUE(acknowledged_soon(site, 0, 15s)) << site.log();

    script.connack = 3;
    broker.play(script);
    broker.kick();
    ASSERT_TRUE(broker.wait_for([](const ScriptedBroker& b) { return b.connects().size() > 1; }))
        << site.log();
    lab::write_file(dir / "clock", "-1h");
    const std::int64_t before = site.book("acknowledged");
    script.connack = 0;
    broker.play(script);
    EXPECT_TRUE(acknowledged_soon(site, before + 200, 30s)) << site.log();
    const auto [first, last] = event_times(broker);
    EXPECT_GE(first, began - 100);
    EXPECT_LE(last, Site::now_ms() + 100);
}

}  // namespace
}  // namespace fieldgate::e2e
