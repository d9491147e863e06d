// A platform, or somebody's application on it, that asks and asks for what it does not get: that
// takes nothing from the data, the statuses and the memory of the gateway.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "tests/e2e/valve_site.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

using Clock = std::chrono::steady_clock;

bool campaign() { return std::getenv("FIELDGATE_CAMPAIGN") != nullptr; }

struct Kind {
    const char* name;
    int per_second;
    const char* road;
    std::string id;  // empty: one of its own for each
    std::string payload;
};

std::vector<Kind> kinds() {
    const std::string large = '"' + std::string(32'000, 'x') + '"';
    return {
        {"unknown device", 100, "properties/set", "", ValveSite::set_of("NOBODY", "limit", "5")},
        {"property not allowed", 100, "properties/set", "",
         ValveSite::set_of(ValveSite::valve_id, "level", "5")},
        {"malformed", 100, "commands", "", "no JSON at all"},
        {"unknown command", 100, "commands", "",
         R"({"object_device_id":"e2e_VALVE","service_id":"Valve","command_name":"X"})"},
        {"copies of one that was done", 100, "properties/set", "first",
         ValveSite::set_of(ValveSite::valve_id, "limit", "16.5")},
        {"large", 20, "properties/set", "", ValveSite::set_of(ValveSite::valve_id, "level", large)},
        {"allowed, and too many", 100, "properties/get", "",
         R"({"object_device_id":"e2e_VALVE"})"}};
}

/// Sends one kind at its rate, or all of them at a hundred a second, until it is stopped.
class Flood {
public:
    Flood(ValveSite& site, std::vector<Kind> kinds)
        : site_(site), kinds_(std::move(kinds)), thread_([this] { run(); }) {}
    ~Flood() { stop(); }
    Flood(const Flood&) = delete;
    Flood& operator=(const Flood&) = delete;
    /// How many there were.
    int stop() {
        stopped_ = true;
        if (thread_.joinable()) thread_.join();
        return number_;
    }

private:
    void run() {
        const auto began = Clock::now();
        const int rate = kinds_.size() == 1 ? kinds_.front().per_second : 100;
        while (!stopped_) {
            const Kind& kind = kinds_.at(static_cast<std::size_t>(number_) % kinds_.size());
            site_.send(kind.road, kind.id.empty() ? "f-" + std::to_string(number_) : kind.id,
                       kind.payload);
            std::this_thread::sleep_until(began + 1000ms * ++number_ / rate);
        }
    }

    ValveSite& site_;
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

bool starves(const Measured& measured) { return measured.during < 0.8 * measured.before; }

std::int64_t resident_now_kb(Site& site) {
    const std::string status =
        lab::read_file("/proc/" + std::to_string(site.gateway().pid()) + "/status");
    return std::stol(status.substr(status.find("VmRSS:") + 6));
}

double acknowledged_per_second(Site& site, std::chrono::seconds over) {
    const auto began = Clock::now();
    const std::int64_t from = site.book("acknowledged");
    std::this_thread::sleep_for(over);
    const std::int64_t until = site.book("acknowledged");
    return static_cast<double>(until - from) /
           std::chrono::duration<double>(Clock::now() - began).count();
}

void judge(ValveSite& valve, Measured& measured) {
    if (starves(measured)) measured.fault += " the data starves;";
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    if (measured.grown_kb > 10 * 1024) measured.fault += " it takes too much memory;";
#endif
    const std::string audit = valve.site().command({"audit"}).output;
    if (audit.find(R"({"Valve.limit":16.5})") == std::string::npos)
        measured.fault += " the audit has lost the write:\n" + audit;
    if (valve.plant().writes("plc", 7).size() != 1) measured.fault += " not one write;";
    if (valve.broker().connects().size() != 1) measured.fault += " the link was lost;";
    if (valve.site().imbalance() != 0) measured.fault += " the books do not balance;";
    if (valve.site().stop() != 0) measured.fault += " does not stop;";
    if (!measured.fault.empty()) measured.fault += "\n" + valve.site().log();
}

Measured live_through(std::vector<Kind> flood_of, std::chrono::seconds how_long) {
    Measured measured;
    ValveSite valve;
    valve.site().start();
    const bool ready = valve.ready();
    valve.set_limit("first", "16.5");
    if (!ready || !lab::wait_until([&] { return !valve.answers("first").empty(); })) {
        measured.fault = "the first write is not answered\n" + valve.site().log();
        return measured;
    }
    measured.before =
        acknowledged_per_second(valve.site(), std::min(how_long, std::chrono::seconds(10)));
    const std::int64_t memory = resident_now_kb(valve.site());
    Flood flood(valve, std::move(flood_of));
    // Who starves does so all the time; a machine that does something else, for a while. A campaign
    // has its minute.
    for (int window = 0; window < (campaign() ? 1 : 3) && starves(measured); ++window)
        measured.during = acknowledged_per_second(valve.site(), how_long);
    measured.grown_kb = resident_now_kb(valve.site()) - memory;
    valve.plant().set_fault("plc", 7, {lab::FaultKind::silent, 0ms, 0, 0});
    if (!lab::wait_until([&] { return valve.status(ValveSite::valve_id) == "OFFLINE"; }, 15s))
        measured.fault += " a device that goes is not told;";
    const int sent = flood.stop();
    // 64 may wait for their turn and 10 for their PUBACK.
    const auto counted = [&] {
        measured.answered = valve.answers();
        measured.given_up = valve.link("unanswered");
        return measured.given_up + static_cast<std::int64_t>(measured.answered) >= sent - 74;
    };
    if (!lab::wait_until(counted)) measured.fault += " neither answered nor counted;";
    judge(valve, measured);
    return measured;
}

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
        expect_well("all kinds", live_through(kinds(), 3s));
        return;
    }
    std::mutex mutex;
    std::vector<std::thread> threads;
    for (const Kind& kind : kinds())
        threads.emplace_back([&mutex, kind] {
            const Measured measured = live_through({kind}, 60s);
            const std::lock_guard lock(mutex);
            expect_well(kind.name, measured);
        });
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace fieldgate::e2e
