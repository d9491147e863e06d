// What the local file has ordered for a lost cloud reaches the device, whatever is in its way: the
// device may be dead at the time, its bus suspended, the gateway restarted.
#include <gtest/gtest.h>

#include "tests/e2e/site.h"
#include "tests/lab/plant/plant.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

constexpr const char* template_yaml = R"(template: drive
product_id: e2e
protocol: modbus
defaults: { every: 200ms, report: { change: any, max: 10m } }
services:
  Drive:
    speed: { at: "holding:10", type: u16, write: { on_cloud_loss: { after: 2s, set: 7 } } }
)";

constexpr const char* self_yaml = R"(template: self
protocol: self
every: 60s
services:
  Gateway:
    version: { at: version }
)";

class SafeWrite : public testing::Test {
protected:
    SafeWrite() : site_(settings(plant_.add_tcp({"plc", {7}, lab::memory_values, {}}))) {
        site_.start();
    }

    static Site::Settings settings(std::uint16_t port) {
        Site::Settings settings;
        settings.units = 1;
        settings.every = "1s";
        settings.lanes = 3;
        settings.more = "remote: { operate: true }\ngateway: { template: self }\n";
        settings.files = {
            {"templates/drive.yaml", template_yaml},
            {"templates/self.yaml", self_yaml},
            {"conf.d/plant.yaml",
             "buses:\n  plc: { protocol: modbus-tcp, tcp: \"127.0.0.1:" + std::to_string(port) +
                 "\", timeout: 200ms, retries: 0 }\ndevices:\n"
                 "  - { name: drive, unit: 7, template: drive, bus: plc, node_id: "
                 "DRIVE, offline: { after: 2, probe: 500ms..1s } }\n"}};
        return settings;
    }

    bool ready() {
        return lab::wait_until([&] { return site_.platform().status("e2e_DRIVE") == "ONLINE"; },
                               15s);
    }
    bool up() {
        return lab::wait_until([&] { return site_.status().has_value(); }, 10s);
    }
    bool connected() {
        return lab::wait_until(
            [&] {
                const auto now = site_.status();
                return now && *now->get("link")->get("up")->boolean();
            },
            20s);
    }
    bool drive_is(const std::string& status) {
        return lab::wait_until(
            [&] {
                const auto now = site_.status();
                const json::Value* const devices = now ? now->get("devices") : nullptr;
                if (!devices || !devices->array()) return false;
                for (const json::Value& device : *devices->array())
                    if (*device.get("name")->string() == "drive")
                        return *device.get("status")->string() == status;
                return false;
            },
            20s);
    }
    void die() { plant_.set_fault("plc", 7, {lab::FaultKind::silent, 0ms, 0, 0}); }
    void live() { plant_.set_fault("plc", 7, {}); }
    std::size_t writes() { return plant_.writes("plc", 7).size(); }
    bool safe(std::chrono::milliseconds patience) {
        return lab::wait_until([&] { return plant_.holding("plc", 7, 10) == 7; }, patience);
    }

    lab::Plant plant_;
    Site site_;
};

TEST_F(SafeWrite, ReachesADeviceThatWasDeadWhenItsTimeCame) {
    ASSERT_TRUE(ready()) << site_.log();
    die();
    site_.platform().broker().stop();
    ASSERT_TRUE(drive_is("offline")) << site_.log();
    ASSERT_TRUE(
        lab::wait_until([&] { return site_.log().find("not written") != std::string::npos; }, 20s))
        << site_.log();
    EXPECT_EQ(writes(), 0U);
    live();
    ASSERT_TRUE(drive_is("online"));
    EXPECT_TRUE(safe(5s)) << site_.log();
    site_.platform().broker().start();
    ASSERT_TRUE(connected());
    EXPECT_EQ(writes(), 1U);
}

TEST_F(SafeWrite, IsOwedThroughRestartsAndMadeOnce) {
    ASSERT_TRUE(ready()) << site_.log();
    die();
    site_.platform().broker().stop();
    ASSERT_TRUE(
        lab::wait_until([&] { return site_.log().find("not written") != std::string::npos; }, 20s))
        << site_.log();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(site_.stop(), 0);
        site_.start();
        ASSERT_TRUE(up());
    }
    ASSERT_TRUE(drive_is("offline"));
    live();
    ASSERT_TRUE(drive_is("online"));
    EXPECT_TRUE(safe(5s)) << site_.log();
    // Those that come after it know that it was made.
    plant_.set_holding("plc", 7, 10, 1);
    EXPECT_EQ(site_.stop(), 0);
    site_.start();
    ASSERT_TRUE(drive_is("online"));
    EXPECT_FALSE(safe(4s)) << "in one outage once";
    EXPECT_EQ(writes(), 1U);
    site_.platform().broker().start();
    ASSERT_TRUE(connected());
    site_.platform().broker().stop();
    EXPECT_TRUE(safe(10s)) << "and again in the next one";
    EXPECT_EQ(writes(), 2U);
}

TEST_F(SafeWrite, PassesASuspensionAlsoToADeviceThatComesBackInIt) {
    ASSERT_TRUE(ready()) << site_.log();
    EXPECT_TRUE(site_.platform().send(
        Site::gateway_id, "commands/request_id=s-1",
        R"({"service_id":"Gateway","command_name":"SUSPEND_BUS","paras":{"bus":"plc","minutes":60}})"));
    ASSERT_TRUE(lab::wait_until(
        [&] { return site_.log().find("bus suspended") != std::string::npos; }, 15s));
    die();
    site_.platform().broker().stop();
    ASSERT_TRUE(
        lab::wait_until([&] { return site_.log().find("not written") != std::string::npos; }, 20s))
        << site_.log();
    EXPECT_EQ(writes(), 0U);
    live();
    EXPECT_TRUE(safe(5s)) << site_.log();
    EXPECT_EQ(writes(), 1U);
}

}  // namespace
}  // namespace fieldgate::e2e
