// The program as systemd and people see it.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "tests/e2e/site.h"
#include "tests/fakes/scripted_broker.h"
#include "tests/lab/plant/plant.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

TEST(Lifecycle, PollsAndStoresWithoutAnyNetwork) {
    Site::Settings settings;
    settings.endpoint = "mqtt://127.0.0.1:" + std::to_string(lab::free_port());
    Site site(settings);
    site.start();
    EXPECT_TRUE(lab::wait_until([&] { return site.book("pending") > 50; }, 15s)) << site.log();
    EXPECT_EQ(site.imbalance(), 0);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(site.stop(), 0) << site.log();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST(Lifecycle, StopsInTimeWhenThePlatformDoesNotAcknowledgeTheGoodbye) {
    fakes::ScriptedBroker broker;
    fakes::ScriptedBroker::Script script;
    broker.play(script);
    Site::Settings settings;
    settings.endpoint = "mqtt://127.0.0.1:" + std::to_string(broker.port());
    Site site(settings);
    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return site.book("acknowledged") > 0; }, 15s)) << site.log();
    script.puback = false;
    broker.play(script);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(site.stop(), 0) << site.log();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    EXPECT_NE(site.log().find("devices not reported offline"), std::string::npos) << site.log();
    EXPECT_NE(site.log().find("everything stored"), std::string::npos) << site.log();
    EXPECT_NE(broker.publishes().back().payload.find("OFFLINE"), std::string::npos);
}

// Which publish has it first; nullopt: none yet.
std::optional<std::ptrdiff_t> first_with(const fakes::ScriptedBroker& broker,
                                         const std::string& text) {
    const auto all = broker.publishes();
    const auto has = [&](const auto& one) { return one.payload.find(text) != std::string::npos; };
    const auto found = std::find_if(all.begin(), all.end(), has);
    return found == all.end() ? std::nullopt : std::optional(found - all.begin());
}

TEST(Lifecycle, SaysGoodbyeThoughTheGreetingIsNotAcknowledgedYet) {
    fakes::ScriptedBroker broker;
    fakes::ScriptedBroker::Script script;
    script.puback_delay = 700ms;
    broker.play(script);
    Site::Settings settings;
    settings.endpoint = "mqtt://127.0.0.1:" + std::to_string(broker.port());
    Site site(settings);
    site.start();
    const auto greeted = [](const fakes::ScriptedBroker& b) {
        return first_with(b, "ONLINE").has_value();
    };
    ASSERT_TRUE(broker.wait_for(greeted)) << site.log();
    EXPECT_EQ(site.stop(), 0) << site.log();
    EXPECT_NE(broker.publishes().back().payload.find("OFFLINE"), std::string::npos);
}

TEST(Lifecycle, SaysThatADeviceIsThereBeforeItsData) {
    fakes::ScriptedBroker broker;
    lab::Plant plant;
    const std::uint16_t port = plant.add_tcp({"plc", {7}, lab::memory_values, {}});
    plant.unplug("plc");
    Site::Settings settings;
    settings.endpoint = "mqtt://127.0.0.1:" + std::to_string(broker.port());
    settings.units = 1;
    settings.platform_more = "  linger: 100ms\n";
    settings.store_more = ", commit: 100ms";
    settings.files["templates/late.yaml"] =
        "template: late\nproduct_id: e2e\nprotocol: modbus\ndefaults: { every: 200ms }\n"
        "services:\n  S: { belated: { at: \"holding:30\", type: u16 } }\n";
    settings.files["conf.d/late.yaml"] =
        "buses:\n  plc: { protocol: modbus-tcp, tcp: \"127.0.0.1:" + std::to_string(port) +
        "\", timeout: 200ms }\ndevices:\n"
        "  - { name: late, unit: 7, template: late, bus: plc, node_id: LATE }\n";
    Site site(settings);
    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return site.book("acknowledged") > 0; }, 15s)) << site.log();
    plant.plug("plc");
    const auto arrived = [](const fakes::ScriptedBroker& b) {
        return first_with(b, "\"belated\"").has_value();
    };
    ASSERT_TRUE(broker.wait_for(arrived)) << site.log();
    const auto told = first_with(broker, R"("device_id":"e2e_LATE","status":"ONLINE")");
    ASSERT_TRUE(told) << site.log();
    EXPECT_LT(*told, *first_with(broker, "\"belated\"")) << site.log();
}

TEST(Lifecycle, RefusesASecondInstanceAndNamesTheFirst) {
    Site site;
    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return site.status().has_value(); }, 10s)) << site.log();
    const lab::Finished second = site.command({"run"});
    EXPECT_EQ(second.code, 3) << second.output;
    EXPECT_NE(second.output.find(std::to_string(site.gateway().pid())), std::string::npos)
        << second.output;
}

TEST(Lifecycle, SaysWhatIsWrongWithAConfigurationAndExits78) {
    Site site;
    lab::write_file(site.folder() / "fieldgate.yaml", "schema: 1\nplatfrom: {}\n");
    const lab::Finished run = site.command({"run"});
    EXPECT_EQ(run.code, 78);
    EXPECT_NE(run.output.find("fieldgate.yaml:2:1"), std::string::npos) << run.output;
}

TEST(Lifecycle, DoesNotPretendToSpeakARoadItDoesNotHave) {
    Site::Settings settings;
    settings.endpoint = "coap://127.0.0.1:5683";
    const Site site(settings);
    const lab::Finished run = site.command({"run"});
    EXPECT_EQ(run.code, 78) << run.output;
    EXPECT_NE(run.output.find("mqtts://"), std::string::npos) << run.output;
}

TEST(Lifecycle, TriesEveryWayToBeAskedThoughAnotherFails) {
    Site site;
    const auto file = site.folder() / "fieldgate.yaml";
    std::string text = lab::read_file(file);
    const std::string local = "control: control.sock";
    ASSERT_NE(text.find(local), std::string::npos);
    // An address that no machine has (RFC 5737).
    text.replace(text.find(local), local.size(), "control: none/c.sock, metrics: 192.0.2.1:9464");
    lab::write_file(file, text);
    site.start();
    const auto told = [&](const char* key) { return site.log().find(key) != std::string::npos; };
    EXPECT_TRUE(lab::wait_until([&] { return told("key=local.metrics"); }, 10s)) << site.log();
    EXPECT_TRUE(told("key=local.control")) << site.log();
    EXPECT_EQ(site.stop(), 0) << site.log();
}

TEST(Lifecycle, AnswersUsageErrorsWithTwo) {
    EXPECT_EQ(lab::run({FIELDGATE_BINARY, "fly"}).code, 2);
    EXPECT_EQ(lab::run({FIELDGATE_BINARY, "run", "--confg", "x"}).code, 2);
    EXPECT_EQ(lab::run({FIELDGATE_BINARY, "--help"}).code, 0);
    const lab::Finished version = lab::run({FIELDGATE_BINARY, "version"});
    EXPECT_EQ(version.code, 0);
    EXPECT_TRUE(version.output.starts_with("fieldgate ")) << version.output;
}

TEST(Lifecycle, AnswersOneWhoCannotReadTheSecret) {
    Site site;
    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return site.status().has_value(); }, 10s)) << site.log();
    std::filesystem::remove(site.folder() / "credentials/gateway");
    EXPECT_TRUE(site.status().has_value());
}

TEST(Lifecycle, KeepsTheSecretOutOfItsLog) {
    Site site;
    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return site.platform().counts().records > 0; }, 15s))
        << site.log();
    EXPECT_EQ(site.stop(), 0);
    EXPECT_EQ(site.log().find(Site::secret), std::string::npos);
}

}  // namespace
}  // namespace fieldgate::e2e
