// A site that changes while it runs: `fieldgate reload`, SIGHUP.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <random>
#include <set>
#include <thread>

#include "tests/e2e/site.h"
#include "tests/lab/plant/plant.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

constexpr const char* template_yaml = R"(template: valve
product_id: e2e
protocol: modbus
defaults: { every: 200ms, report: { change: any, max: 10m } }
services:
  Valve:
    limit: { at: "holding:10", type: u16, write: { min: 1, max: 63 } }
)";

constexpr const char* self_yaml = R"(template: self
protocol: self
services:
  Gateway:
    version: { at: version }
)";

class Reload : public testing::Test {
protected:
    explicit Reload(std::vector<std::string> environment = {})
        : port_(plant_.add_tcp({"plc", {1, 2, 3, 4}, lab::memory_values, {}})) {
        Site::Settings settings;
        settings.units = 2;
        settings.lanes = 3;
        settings.environment = std::move(environment);
        settings.more = "remote: { write: true, operate: true }\ngateway: { template: self }\n";
        settings.files = {{"templates/valve.yaml", template_yaml},
                          {"templates/self.yaml", self_yaml},
                          {"conf.d/plant.yaml", plant_yaml({1, 2})}};
        settings.platform_more = "  linger: 50ms\n  reconnect: { from: 200ms, to: 500ms }\n";
        site_.emplace(settings);
        site_->start();
    }

    std::string plant_yaml(const std::vector<int>& units, const std::string& more = "") const {
        std::string text =
            "buses:\n  plc: { protocol: modbus-tcp, tcp: \"127.0.0.1:" + std::to_string(port_) +
            "\", timeout: 300ms, retries: 0" + more + " }\ndevices:\n";
        for (const int unit : units)
            text += "  - { name: v" + std::to_string(unit) + ", unit: " + std::to_string(unit) +
                    ", template: valve, bus: plc, node_id: V" + std::to_string(unit) + " }\n";
        return text;
    }
    void write(const std::string& file, const std::string& text) const {
        lab::write_file(site_->folder() / file, text);
    }
    lab::Finished reload() { return site_->command({"reload"}); }
    bool is(const std::string& device, const std::string& status) {
        return lab::wait_until([&] { return site_->platform().status(device) == status; }, 15s);
    }
    bool log_says(const std::string& text) {
        return lab::wait_until([&] { return site_->log().find(text) != std::string::npos; }, 15s);
    }
    std::int64_t member(const char* part, const char* name) {
        const auto now = site_->status();
        const json::Value* const object = now ? now->get(part) : nullptr;
        const json::Value* const number = object ? object->get(name) : nullptr;
        return number && number->integer() ? *number->integer() : -1;
    }

    std::size_t devices_of_the_plc() {
        const auto now = site_->status();
        const json::Value* const devices = now ? now->get("devices") : nullptr;
        if (!devices || !devices->array()) return 0;
        return static_cast<std::size_t>(
            std::ranges::count_if(*devices->array(), [](const json::Value& device) {
                const json::Value* const bus = device.get("bus");
                return bus && bus->string() && *bus->string() == "plc";
            }));
    }

    lab::Plant plant_;
    std::uint16_t port_;
    std::optional<Site> site_;
};

TEST_F(Reload, TakesDevicesInAndOutAndLeavesTheOthersAlone) {
    ASSERT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    ASSERT_TRUE(is("e2e_V2", "ONLINE"));
    write("conf.d/plant.yaml", plant_yaml({1, 3, 4}));
    const auto began = std::chrono::steady_clock::now();
    const lab::Finished done = reload();
    EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
    EXPECT_EQ(done.code, 0) << done.output;
    EXPECT_NE(done.output.find("plc: 2 devices added, 1 removed, 1 untouched"), std::string::npos)
        << done.output;
    EXPECT_TRUE(is("e2e_V3", "ONLINE")) << site_->log();
    EXPECT_TRUE(is("e2e_V4", "ONLINE"));
    EXPECT_TRUE(is("e2e_V2", "OFFLINE")) << "before it is forgotten";
    EXPECT_EQ(site_->log().find("device online bus=field"),
              site_->log().rfind("device online bus=field device=d1"))
        << "the other bus was not touched";

    // It comes back, and its times go on.
    write("conf.d/plant.yaml", plant_yaml({1, 2}));
    EXPECT_EQ(reload().code, 0);
    EXPECT_TRUE(is("e2e_V2", "ONLINE"));
    EXPECT_TRUE(is("e2e_V4", "OFFLINE"));
    EXPECT_EQ(site_->stop(), 0);
    EXPECT_EQ(site_->wrong(), 0U);
    // What was stored before the connection comes after what is live, so the order says nothing.
    std::map<std::string, std::set<std::int64_t>> times;
    for (const lab::Record& record : site_->platform().records())
        EXPECT_TRUE(times[record.device + record.service].insert(record.event_time).second)
            << record.device;
}

// The platform is away when the device goes, and the gateway restarts before it is back.
TEST_F(Reload, OwesThePlatformAWordAboutADeviceThatIsGone) {
    ASSERT_TRUE(is("e2e_V2", "ONLINE")) << site_->log();
    site_->platform().broker().stop();
    write("conf.d/plant.yaml", plant_yaml({1}));
    EXPECT_EQ(reload().code, 0);
    EXPECT_EQ(site_->stop(), 0);
    site_->start();
    site_->platform().broker().start();
    EXPECT_TRUE(is("e2e_V2", "OFFLINE")) << site_->log();
    EXPECT_TRUE(lab::wait_until(
        [&] { return !std::filesystem::exists(site_->folder() / "store/farewells"); }, 10s))
        << "and is forgotten then";
}

TEST_F(Reload, ChangesNothingOnAnErrorAndSaysWhere) {
    ASSERT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    write("conf.d/plant.yaml", plant_yaml({1, 2}, ", speed: 9"));
    const lab::Finished done = reload();
    EXPECT_EQ(done.code, 78) << done.output;
    EXPECT_NE(done.output.find("conf.d/plant.yaml:2:"), std::string::npos) << done.output;
    EXPECT_NE(done.output.find("nothing was changed"), std::string::npos) << done.output;
    EXPECT_NE(site_->command({"status"}).output.find("THE CONFIGURATION DOES NOT LOAD (1 problem:"),
              std::string::npos)
        << "whoever was not there when it was reloaded is told, too";
    write("conf.d/plant.yaml", plant_yaml({1, 2}));
    EXPECT_EQ(reload().output, "nothing has changed\n");
    EXPECT_EQ(site_->command({"status"}).output.find("DOES NOT LOAD"), std::string::npos);
    write("templates/valve.yaml", std::string("# a remark\n") + template_yaml);
    EXPECT_EQ(reload().output, "nothing has changed\n");
}

// Somebody edits a copy, and is not to take it for what runs.
TEST_F(Reload, SaysThatItHasReadAnotherFileThanTheOneThatIsNamed) {
    ASSERT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    EXPECT_EQ(reload().output, "nothing has changed\n");
    write("copy.yaml", lab::read_file(site_->folder() / "fieldgate.yaml"));
    const std::string copy = (site_->folder() / "copy.yaml").string();
    const lab::Finished done = lab::run({FIELDGATE_BINARY, "reload", "--config", copy});
    EXPECT_EQ(done.code, 0) << done.output;
    EXPECT_NE(done.output.find("which it runs with; not " + copy), std::string::npos)
        << done.output;
}

TEST_F(Reload, TakesTheSameWayOnSighup) {
    ASSERT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    write("conf.d/plant.yaml", plant_yaml({1, 2, 3}));
    ::kill(site_->gateway().pid(), SIGHUP);
    EXPECT_TRUE(is("e2e_V3", "ONLINE")) << site_->log();
    write("conf.d/plant.yaml", "buses: [");
    ::kill(site_->gateway().pid(), SIGHUP);
    EXPECT_TRUE(log_says("configuration not taken over")) << site_->log();
    EXPECT_TRUE(site_->status()) << "and it goes on";
}

TEST_F(Reload, OpensABusAnewWhoseWireHasChanged) {
    ASSERT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    write("conf.d/plant.yaml", plant_yaml({1, 2}, ", connection: per_cycle"));
    const lab::Finished done = reload();
    EXPECT_EQ(done.code, 0) << done.output;
    EXPECT_NE(done.output.find("plc: opened anew with other settings"), std::string::npos)
        << done.output;
    EXPECT_TRUE(log_says("bus up bus=plc"));
    write("conf.d/plant.yaml", "devices: []\n");
    EXPECT_NE(reload().output.find("plc: removed"), std::string::npos);
    EXPECT_TRUE(is("e2e_V1", "OFFLINE"));
}

TEST_F(Reload, LeavesABusSuspendedWhoseWireHasChanged) {
    ASSERT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    EXPECT_TRUE(site_->platform().send(
        Site::gateway_id, "commands/request_id=s-1",
        R"({"service_id":"Gateway","command_name":"SUSPEND_BUS","paras":{"bus":"plc","minutes":60}})"));
    ASSERT_TRUE(log_says("bus suspended bus=plc")) << site_->log();
    write("conf.d/plant.yaml", plant_yaml({1, 2}, ", connection: per_cycle"));
    EXPECT_EQ(reload().code, 0);
    const std::string status = site_->command({"status", "--json"}).output;
    EXPECT_NE(status.find(R"("suspended":true)"), std::string::npos) << status;
    EXPECT_TRUE(site_->platform().send(
        Site::gateway_id, "commands/request_id=s-2",
        R"({"service_id":"Gateway","command_name":"RESUME_BUS","paras":{"bus":"plc"}})"));
    EXPECT_TRUE(log_says("bus resumed bus=plc")) << site_->log();
    EXPECT_TRUE(log_says("bus up bus=plc")) << site_->log();
}

TEST_F(Reload, ConnectsOnceMoreForAnotherPlatformAndLosesNothing) {
    ASSERT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    const std::int64_t from = Site::now_ms();
    const std::uint64_t connections = site_->platform().counts().connections;
    const std::string main = lab::read_file(site_->folder() / "fieldgate.yaml");
    std::string other = main;
    other.replace(other.find("linger: 50ms"), 12, "linger: 60ms");
    write("fieldgate.yaml", other);
    const lab::Finished done = reload();
    EXPECT_EQ(done.code, 0) << done.output;
    EXPECT_NE(done.output.find("platform: connects anew"), std::string::npos) << done.output;
    EXPECT_TRUE(lab::wait_until(
        [&] { return site_->platform().counts().connections == connections + 1; }, 15s));
    const std::int64_t until = Site::now_ms() + 2000;
    EXPECT_TRUE(lab::wait_until(
        [&] { return Site::now_ms() > until && site_->missing(from, until) == 0; }, 15s))
        << site_->log();
    EXPECT_EQ(site_->platform().counts().connections, connections + 1);
    EXPECT_EQ(site_->imbalance(), 0);
    EXPECT_EQ(member("link", "up"), -1);
}

TEST_F(Reload, SaysWhatTakesARestart) {
    ASSERT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    std::string main = lab::read_file(site_->folder() / "fieldgate.yaml");
    main.replace(main.find("store: {"), 8, "store: { max_size: 99MiB,");
    write("fieldgate.yaml", main);
    const lab::Finished done = reload();
    EXPECT_EQ(done.code, 1) << done.output;
    EXPECT_NE(done.output.find("store: changed, and takes a restart"), std::string::npos)
        << done.output;
}

// Somebody edits a file, makes a mistake, and the power goes.
TEST_F(Reload, StartsWithTheLastGoodConfigurationWhereTheFilesDoNotLoad) {
    ASSERT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    write("conf.d/plant.yaml", plant_yaml({1, 2, 3}));
    EXPECT_EQ(reload().code, 0);
    EXPECT_EQ(site_->stop(), 0);
    write("conf.d/plant.yaml", "buses: [");
    site_->start();
    EXPECT_TRUE(lab::wait_until([&] { return site_->status().has_value(); }, 10s)) << site_->log();
    EXPECT_TRUE(is("e2e_V3", "ONLINE")) << site_->log();
    EXPECT_TRUE(log_says("the configuration does not load: the last good one runs"));
    EXPECT_NE(site_->command({"status"}).output.find("THE CONFIGURATION DOES NOT LOAD (1 problem:"),
              std::string::npos);
    EXPECT_EQ(reload().code, 78) << "it still does not";
    write("conf.d/plant.yaml", plant_yaml({1}));
    EXPECT_EQ(reload().code, 0);
    EXPECT_EQ(site_->command({"status"}).output.find("DOES NOT LOAD"), std::string::npos);
    EXPECT_TRUE(is("e2e_V3", "OFFLINE"));
}

class ReloadUnderSystemd : public Reload {
protected:
    ReloadUnderSystemd() : ReloadUnderSystemd(std::make_unique<lab::TempDir>()) {}

private:
    explicit ReloadUnderSystemd(std::unique_ptr<lab::TempDir> state)
        : Reload({"STATE_DIRECTORY=" + state->path().string()}), state_(std::move(state)) {}
    std::unique_ptr<lab::TempDir> state_;
};

// The main file alone says where the store is, and a power cut has emptied it.
TEST_F(ReloadUnderSystemd, FindsTheLastGoodConfigurationWhereTheMainFileIsEmpty) {
    ASSERT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    EXPECT_EQ(site_->stop(), 0);
    ASSERT_TRUE(is("e2e_V1", "OFFLINE"));
    write("fieldgate.yaml", "");
    site_->start();
    EXPECT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    EXPECT_TRUE(log_says("the configuration does not load: the last good one runs"));
}

TEST_F(Reload, HasNoPowerThatTheFilesDoNotGrantAnyMore) {
    ASSERT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    EXPECT_EQ(site_->stop(), 0);
    // The main file loads as far as that, and grants nothing any more; another file is broken.
    std::string main = lab::read_file(site_->folder() / "fieldgate.yaml");
    main.replace(main.find("write: true"), 11, "write: false");
    write("fieldgate.yaml", main);
    write("conf.d/plant.yaml", "buses: [");
    site_->start();
    ASSERT_TRUE(is("e2e_V1", "ONLINE")) << site_->log();
    ASSERT_TRUE(lab::wait_until([&] { return site_->status().has_value(); }, 10s));
    const std::size_t before = site_->platform().messages().size();
    EXPECT_TRUE(site_->platform().send(
        Site::gateway_id, "properties/set/request_id=s-1",
        R"({"object_device_id":"e2e_V1","services":[{"service_id":"Valve","properties":{"limit":5}}]})"));
    EXPECT_TRUE(lab::wait_until(
        [&] {
            for (const lab::Message& message : site_->platform().messages(before))
                if (message.payload.find("remote.write is off") != std::string::npos) return true;
            return false;
        },
        15s))
        << site_->log();
    EXPECT_TRUE(plant_.writes("plc", 1).empty());
}

// The power goes while a reload is at work, and the files do not load afterwards: what starts is
// the site before it or the one after it, never something between.
TEST_F(Reload, KilledAtAnyPointStartsWithTheOldOrTheNewSiteWhole) {
    const int rounds = std::getenv("FIELDGATE_CAMPAIGN") != nullptr ? 100 : 6;
    std::mt19937 random(12);
    ASSERT_TRUE(lab::wait_until([&] { return devices_of_the_plc() != 0; }, 15s)) << site_->log();
    write("conf.d/plant.yaml", plant_yaml({1, 2, 3, 4}));
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(reload().code, 0);
    const std::chrono::microseconds whole = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - began);
    std::map<std::size_t, int> seen;
    for (int round = 0; round < rounds; ++round) {
        ASSERT_TRUE(lab::wait_until([&] { return devices_of_the_plc() != 0; }, 15s))
            << site_->log();
        const std::vector<int> other =
            devices_of_the_plc() == 4 ? std::vector<int>{1, 2} : std::vector<int>{1, 2, 3, 4};
        write("conf.d/plant.yaml", plant_yaml(other));
        std::thread asking([&] { reload(); });
        std::this_thread::sleep_for(whole * static_cast<int>(random() % 120) / 100);
        site_->kill();
        asking.join();
        write("conf.d/plant.yaml", "buses: [");
        site_->start();
        ASSERT_TRUE(lab::wait_until([&] { return devices_of_the_plc() != 0; }, 15s))
            << site_->log();
        const std::size_t devices = devices_of_the_plc();
        EXPECT_TRUE(devices == 2 || devices == 4) << devices;
        ++seen[devices == other.size() ? 1 : 0];
        EXPECT_EQ(site_->imbalance(), 0);
    }
    std::printf("%d rounds: %d times the old site, %d times the new one\n", rounds, seen[0],
                seen[1]);
}

}  // namespace
}  // namespace fieldgate::e2e
