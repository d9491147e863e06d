// A platform, or somebody's application on it, that asks and asks for what it does not get: that
// takes nothing from the data, the statuses and the memory of the gateway.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "tests/e2e/site.h"
#include "tests/fakes/scripted_broker.h"
#include "tests/lab/plant/plant.h"
#include "tests/lab/platform/answers.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

using Clock = std::chrono::steady_clock;
using fakes::ScriptedBroker;

constexpr const char* valve_yaml = R"(template: valve
product_id: e2e
protocol: modbus
defaults: { every: 500ms, report: { change: any, max: 10m } }
services:
  Valve:
    limit: { at: "holding:10", type: u16, scale: 0.1, write: { min: 1, max: 63 } }
    level: { at: "holding:30", type: u16 }
)";

std::string flood_plant_yaml(std::uint16_t port) {
    return "buses:\n  plc: { protocol: modbus-tcp, tcp: \"127.0.0.1:" + std::to_string(port) +
           "\", timeout: 200ms, retries: 0 }\ndevices:\n"
           "  - { name: valve, unit: 7, template: valve, bus: plc, node_id: VALVE }\n";
}

bool campaign() { return std::getenv("FIELDGATE_CAMPAIGN") != nullptr; }

struct Kind {
    const char* name;
    int per_second;
    std::string (*road)(int number);  // and the request id
    std::string payload;
};

std::string set_road(int number) { return "properties/set/request_id=f-" + std::to_string(number); }
std::string call_road(int number) { return "commands/request_id=f-" + std::to_string(number); }
std::string get_road(int number) { return "properties/get/request_id=f-" + std::to_string(number); }
std::string same_road(int /*number*/) { return "properties/set/request_id=first"; }

std::string set_limit(const std::string& device, const std::string& property,
                      const std::string& value) {
    return R"({"object_device_id":")" + device +
           R"(","services":[{"service_id":"Valve","properties":{")" + property + "\":" + value +
           "}}]}";
}

const std::string first_set = set_limit("e2e_VALVE", "limit", "16.5");

std::vector<Kind> kinds() {
    const std::string large = '"' + std::string(32'000, 'x') + '"';
    return {{"unknown device", 100, set_road, set_limit("e2e_NOBODY", "limit", "5")},
            {"property not allowed", 100, set_road, set_limit("e2e_VALVE", "level", "5")},
            {"malformed", 100, call_road, "no JSON at all"},
            {"unknown command", 100, call_road,
             R"({"object_device_id":"e2e_VALVE","service_id":"Valve","command_name":"X"})"},
            {"copies of one that was done", 100, same_road, first_set},
            {"large", 20, set_road, set_limit("e2e_VALVE", "level", large)},
            {"allowed, and too many", 100, get_road, R"({"object_device_id":"e2e_VALVE"})"}};
}

// What the platform says to our events, so that the clock is proven.
std::vector<std::pair<std::string, std::string>> platform_answers(const std::string& topic,
                                                                  const std::string& payload) {
    lab::Entry entry;
    entry.kind = lab::Entry::Kind::published;
    entry.device = Site::gateway_id;
    entry.topic = topic;
    entry.text = payload;
    entry.at = Site::now_ms();
    std::vector<std::pair<std::string, std::string>> all;
    for (const lab::Downlink& down : lab::answers_to(entry, {}, Site::now_ms()))
        all.emplace_back(down.topic, down.payload);
    return all;
}

/// Sends what `kinds` are, each at its rate or all of them at a hundred a second, until it goes.
class Flood {
public:
    Flood(ScriptedBroker& broker, std::vector<Kind> kinds)
        : broker_(broker), kinds_(std::move(kinds)), thread_([this] { run(); }) {}
    ~Flood() { stop(); }
    Flood(const Flood&) = delete;
    Flood& operator=(const Flood&) = delete;
    int stop() {
        stopped_ = true;
        if (thread_.joinable()) thread_.join();
        return number_;
    }

private:
    void run() {
        const auto began = Clock::now();
        const int rate = kinds_.size() == 1 ? kinds_.front().per_second : 100;
        const std::string prefix = std::string("$oc/devices/") + Site::gateway_id + "/sys/";
        while (!stopped_) {
            const Kind& kind = kinds_.at(static_cast<std::size_t>(number_) % kinds_.size());
            broker_.send(prefix + kind.road(number_), kind.payload);
            std::this_thread::sleep_until(began + 1000ms * ++number_ / rate);
        }
    }

    ScriptedBroker& broker_;
    std::vector<Kind> kinds_;
    std::atomic<bool> stopped_ = false;
    int number_ = 0;
    std::thread thread_;
};

struct Measured {
    std::string fault;
    double before = 0;  // records acknowledged a second
    double during = 0;
    std::int64_t grown_kb = 0;
    std::size_t answered = 0;
    std::int64_t given_up = 0;
};

class FloodedSite {
public:
    FloodedSite() : site_(settings(plant_.add_tcp({"plc", {7}, lab::memory_values, {}}))) {}

    Measured live_through(std::vector<Kind> flood_of, std::chrono::seconds how_long) {
        Measured measured;
        site_.start();
        if (!write_first()) return {"the first write is not answered\n" + site_.log()};
        measured.before = rate(std::min(how_long, std::chrono::seconds(10)));
        const std::int64_t memory = resident_kb();
        Flood flood(broker_, std::move(flood_of));
        measured.during = rate(how_long);
        measured.grown_kb = resident_kb() - memory;
        plant_.set_fault("plc", 7, {lab::FaultKind::silent, 0ms, 0, 0});
        if (!told_offline()) measured.fault += " a device that goes is not told;";
        const int sent = flood.stop();
        // 64 may wait for their turn and 10 for their PUBACK, and those on their way for us.
        const auto counted = [&] {
            measured.answered = answers();
            measured.given_up = *site_.status()->get("link")->get("unanswered")->integer();
            return measured.given_up + static_cast<std::int64_t>(measured.answered) >= sent - 74;
        };
        if (!lab::wait_until(counted)) measured.fault += " neither answered nor counted;";
        judge(measured);
        return measured;
    }

private:
    static std::string endpoint(const ScriptedBroker& broker) {
        return "mqtt://127.0.0.1:" + std::to_string(broker.port());
    }
    Site::Settings settings(std::uint16_t port) {
        ScriptedBroker::Script script;
        script.answers = platform_answers;
        broker_.play(script);
        Site::Settings settings;
        settings.endpoint = endpoint(broker_);
        settings.platform_more = "  linger: 50ms\n";
        settings.more = "remote: { write: true }\n";
        settings.files = {{"templates/valve.yaml", valve_yaml},
                          {"conf.d/plant.yaml", flood_plant_yaml(port)}};
        return settings;
    }

    bool write_first() {
        if (!lab::wait_until([&] { return told("ONLINE") && site_.book("acknowledged") > 100; },
                             20s))
            return false;
        broker_.send(
            std::string("$oc/devices/") + Site::gateway_id + "/sys/properties/set/request_id=first",
            first_set);
        return broker_.wait_for([](const ScriptedBroker& b) {
            const auto all = b.publishes();
            return std::any_of(all.rbegin(), all.rend(), [](const auto& publish) {
                return publish.topic.ends_with("/response/request_id=first");
            });
        });
    }

    double rate(std::chrono::seconds over) const {
        const auto began = Clock::now();
        const std::int64_t from = site_.book("acknowledged");
        std::this_thread::sleep_for(over);
        const std::int64_t until = site_.book("acknowledged");
        return static_cast<double>(until - from) /
               std::chrono::duration<double>(Clock::now() - began).count();
    }

    std::int64_t resident_kb() {
        const std::string status =
            lab::read_file("/proc/" + std::to_string(site_.gateway().pid()) + "/status");
        return std::stol(status.substr(status.find("VmRSS:") + 6));
    }

    bool told(const std::string& status) const {
        const std::string said = R"({"device_id":"e2e_VALVE","status":")" + status + "\"}";
        const auto all = broker_.publishes();
        return std::any_of(all.rbegin(), all.rend(), [&](const auto& publish) {
            return publish.payload.find(said) != std::string::npos;
        });
    }
    bool told_offline() {
        return broker_.wait_for([this](const ScriptedBroker&) { return told("OFFLINE"); }, 15s);
    }

    std::size_t answers() const {
        std::size_t count = 0;
        for (const auto& publish : broker_.publishes())
            if (publish.topic.find("/response/request_id=") != std::string::npos) ++count;
        return count;
    }

    void judge(Measured& measured) {
        if (measured.during < 0.8 * measured.before) measured.fault += " the data starves;";
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        if (measured.grown_kb > 10 * 1024) measured.fault += " it takes too much memory;";
#endif
        const std::string audit = site_.command({"audit"}).output;
        if (audit.find(R"({"Valve.limit":16.5})") == std::string::npos)
            measured.fault += " the audit has lost the write:\n" + audit;
        if (plant_.writes("plc", 7).size() != 1) measured.fault += " not one write;";
        if (broker_.connects().size() != 1) measured.fault += " the link was lost;";
        if (site_.imbalance() != 0) measured.fault += " the books do not balance;";
        if (site_.stop() != 0) measured.fault += " does not stop;";
        if (!measured.fault.empty()) measured.fault += "\n" + site_.log();
    }

    lab::Plant plant_;
    ScriptedBroker broker_;
    Site site_;
};

void expect_well(const std::string& name, const Measured& measured) {
    EXPECT_EQ(measured.fault, "") << name;
    std::printf(
        "figure: flood of %s: %.0f of %.0f records/s (%.0f %%), %ld KB more memory, %zu answers, "
        "%ld given up\n",
        name.c_str(), measured.during, measured.before, 100 * measured.during / measured.before,
        static_cast<long>(measured.grown_kb), measured.answered,
        static_cast<long>(measured.given_up));
}

// 3 s for all kinds together; in a campaign a minute for each, beside each other.
TEST(Flood, OfRefusedRequestsTakesNothingFromTheData) {
    if (!campaign()) {
        expect_well("all kinds", FloodedSite().live_through(kinds(), 3s));
        return;
    }
    std::mutex mutex;
    std::vector<std::thread> threads;
    for (const Kind& kind : kinds())
        threads.emplace_back([&mutex, kind] {
            const Measured measured = FloodedSite().live_through({kind}, 60s);
            const std::lock_guard lock(mutex);
            expect_well(kind.name, measured);
        });
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace fieldgate::e2e
