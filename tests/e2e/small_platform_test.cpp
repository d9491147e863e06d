// A platform that closes the connection on every publish that is larger than it likes, as brokers
// do: MQTT 3.1.1 gives them no other word for it.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "tests/e2e/asker.h"
#include "tests/e2e/site.h"
#include "tests/fakes/scripted_broker.h"
#include "tests/lab/platform/answers.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

using fakes::ScriptedBroker;

// `points` more than the two that testify: a record of about 17 bytes each.
std::string template_of(int points) {
    std::string text =
        "template: witness\nproduct_id: e2e\nprotocol: modbus\ndefaults: { every: 1s }\n"
        "services:\n  Testimony:\n"
        "    number:    { at: \"holding:0\", type: u32 }\n"
        "    scrambled: { at: \"holding:2\", type: u32 }\n";
    for (int i = 0; i < points; ++i)
        text += "    quantity_" + std::to_string(i) + ": { at: \"holding:" + std::to_string(4 + i) +
                "\", type: u16 }\n";
    return text;
}

// What the platform says to our events, so that the clock is proven and statuses are accepted.
std::vector<std::pair<std::string, std::string>> answers(const std::string& topic,
                                                         const std::string& payload) {
    const std::int64_t now = Site::now_ms();
    lab::Entry entry;
    entry.kind = lab::Entry::Kind::published;
    entry.device = Site::gateway_id;
    entry.topic = topic;
    entry.text = payload;
    entry.at = now;
    std::vector<std::pair<std::string, std::string>> all;
    for (const lab::Downlink& down : lab::answers_to(entry, {}, now))
        all.emplace_back(down.topic, down.payload);
    return all;
}

TEST(SmallPlatform, NeverFreezesTheGateway) {
    ScriptedBroker broker;
    ScriptedBroker::Script script;
    script.payload_max = 1024;
    script.answers = answers;
    broker.play(script);
    Site::Settings settings;
    settings.endpoint = "mqtt://127.0.0.1:" + std::to_string(broker.port());
    settings.units = 1;
    settings.every = "500ms";
    settings.platform_more =
        "  linger: 300ms\n  limits: { bandwidth: unlimited, messages: unlimited }\n";
    settings.files["templates/witness.yaml"] = template_of(70);
    Site site(settings);
    site.start();
    Asker asker(site.folder() / "control.sock", site.gateway().pid());
    // Several links lost, and the record on trial among other data that waits without lingering.
    EXPECT_TRUE(
        broker.wait_for([](const ScriptedBroker& b) { return b.connects().size() >= 5; }, 60s))
        << site.log();
    asker.stop();
    std::printf(
        "figure: freeze: %zu questions, %.1f %% answered within 100 ms, longest %.0f ms, "
        "loop's turn at most %.0f ms of CPU time\n",
        asker.asked(), asker.share_within(100ms), asker.longest().count(),
        asker.turn_max().count());
    EXPECT_GT(asker.asked(), 100U) << site.log();
    EXPECT_LT(asker.turn_max(), 100ms);
    EXPECT_GE(asker.share_within(100ms), 99) << site.log();
    EXPECT_EQ(site.imbalance(), 0);
    EXPECT_EQ(site.stop(), 0) << site.log();
}

}  // namespace
}  // namespace fieldgate::e2e
