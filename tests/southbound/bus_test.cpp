#include "southbound/bus.h"

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <map>
#include <memory>

#include "tests/southbound/polling.h"

using namespace std::chrono_literals;

namespace fieldgate::southbound::polling {
namespace {

using modbus::RawType;

TEST_F(BusTest, BringsTheValuesOfItsDevicesWithTheTimeOfTheirAnswers) {
    const auto port = plant_.add_tcp({"plc", {1, 2}, lab::certified_values, {}});
    Seen& seen = seen_;
    Bus& bus =
        add(tcp("plc", port),
            {device(0, 1, certified_map(20), 50ms), device(1, 2, certified_map(20), 100ms)}, seen);
    run_for(1050ms);
    EXPECT_EQ(seen.wrong, 0);
    EXPECT_NEAR(static_cast<double>(seen.at[0].size()), 21, 2);
    EXPECT_NEAR(static_cast<double>(seen.at[1].size()), 11, 2);
    EXPECT_EQ(seen.changes[0], std::vector<DeviceStatus>{DeviceStatus::online});
    const BusStatus status = bus.status();
    EXPECT_TRUE(status.up);
    EXPECT_EQ(status.errors.total(), 0u);
    EXPECT_EQ(status.devices.at(1).status, DeviceStatus::online);
}

TEST_F(BusTest, FindsTheHoleInABlockAndReadsAroundIt) {
    lab::SlaveLimits limits;
    limits.holes = {{17, 17}};
    const auto port = plant_.add_tcp({"plc", {1}, lab::certified_values, limits});
    Seen& seen = seen_;
    add(tcp("plc", port), {device(0, 1, certified_map(10), 20ms)}, seen);
    run_for(1000ms);
    EXPECT_EQ(seen.wrong, 0);
    const std::uint64_t refused = buses_.back()->status().errors.exception;
    EXPECT_GT(refused, 0u);
    EXPECT_LT(refused, 12u);
    run_for(300ms);
    EXPECT_EQ(buses_.back()->status().errors.exception, refused) << "it is asked for no more";
    EXPECT_GT(seen.values, 49u * 20);
}

/// How a device says no to a register that nobody wants and the planner reads along.
struct SaysNo {
    const char* name;
    lab::SlaveLimits::Says says;
    std::uint8_t exception;
};
class BusWithAHole : public BusTest, public testing::WithParamInterface<std::tuple<bool, SaysNo>> {
protected:
    // Points at 10, 11, 16 and 20, as in the report; 13 is the hole.
    Bus& start() {
        const auto& [serial, no] = GetParam();
        auto map = std::make_shared<RegisterMap>();
        constexpr std::array<std::uint16_t, 4> wanted{10, 11, 16, 20};
        for (const std::uint16_t address : wanted) map->fields.emplace_back().address = address;
        lab::SlaveLimits limits;
        limits.holes = {{13, 13}};
        limits.hole_says = no.says;
        limits.hole_exception = no.exception;
        lab::Plant::Site site{"plc", {1}, lab::certified_values, limits};
        DeviceSettings settings = device(0, 1, map, 20ms);
        settings.offline = {3, 20ms, 160ms};
        if (serial) {
            plant_.add_rtu(site, line_path("hole"));
            return add(line(line_path("hole"), 1'000'000, 30ms), {settings}, seen_);
        }
        BusSettings bus = tcp("plc", plant_.add_tcp(site));
        bus.timeout = 30ms;
        return add(bus, {settings}, seen_);
    }
    std::size_t outages() {
        const auto& changes = seen_.changes[0];
        return static_cast<std::size_t>(
            std::count(changes.begin(), changes.end(), DeviceStatus::offline));
    }
};

TEST_P(BusWithAHole, ReadsAroundItHoweverTheDeviceSaysNo) {
    const Bus& bus = start();
    const auto all_read = [&] { return seen_.values >= 40; };
    ASSERT_TRUE(run_until(all_read, 20s)) << seen_.values;
    EXPECT_LE(outages(), 3U) << "a probe that alone is answered is no recovery";
    const BusStatus before = bus.status();
    run_for(500ms);
    EXPECT_EQ(bus.status().errors.total(), before.errors.total()) << "it is asked for no more";
    EXPECT_GE(seen_.values, 60U);
    EXPECT_EQ(bus.status().devices.at(0).learned.edges.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Wires, BusWithAHole,
    testing::Combine(testing::Bool(),
                     testing::Values(SaysNo{"exception1", lab::SlaveLimits::Says::exception, 1},
                                     SaysNo{"exception2", lab::SlaveLimits::Says::exception, 2},
                                     SaysNo{"exception4", lab::SlaveLimits::Says::exception, 4},
                                     SaysNo{"busy", lab::SlaveLimits::Says::exception, 6},
                                     SaysNo{"nothing", lab::SlaveLimits::Says::nothing_in_it, 2},
                                     SaysNo{"silence", lab::SlaveLimits::Says::silence, 2})),
    [](const auto& each) {
        return std::string(std::get<0>(each.param) ? "rtu_" : "tcp_") +
               std::get<1>(each.param).name;
    });

// What it still owes is waited for by those who ask it, and by nobody else.
TEST_F(BusTest, ALostSerialAnswerSilencesItsOwnUnit) {
    plant_.add_rtu({"line", {1, 2, 3, 4}, lab::certified_values, {}}, line_path("lost"));
    const auto map = certified_map(2);
    std::vector<DeviceSettings> devices;
    for (std::uint8_t unit = 1; unit <= 4; ++unit)
        devices.push_back(device(unit - 1U, unit, map, 40ms));
    Bus& bus = add(line(line_path("lost"), 1'000'000, 100ms), devices, seen_);
    ASSERT_TRUE(run_until([&] { return seen_.values >= 200; }, 5s));
    plant_.watch("line");
    plant_.set_fault("line", 1, {lab::FaultKind::silent, 0ms, 0, 1});
    ASSERT_TRUE(run_until([&] { return bus.status().errors.timeout == 1; }, 2s));
    run_for(500ms);
    const std::vector<lab::Plant::Arrival> arrivals = plant_.arrivals("line");
    std::size_t lost = 0;
    for (std::size_t i = 0; i + 1 < arrivals.size() && lost == 0; ++i)
        if (arrivals[i + 1].at - arrivals[i].at > 90ms) lost = i;
    ASSERT_EQ(arrivals[lost].unit, 1);
    const auto after = [&](bool itself) {
        const auto next = std::find_if(
            arrivals.begin() + static_cast<std::ptrdiff_t>(lost) + 1, arrivals.end(),
            [&](const lab::Plant::Arrival& arrival) { return (arrival.unit == 1) == itself; });
        return next == arrivals.end() ? 0ns : next->at - arrivals[lost].at;
    };
    EXPECT_GE(after(false), 190ms) << "a timeout, and one of silence";
    EXPECT_LE(after(false), 290ms);
    EXPECT_GE(after(true), 340ms) << "three and a half";
    EXPECT_LE(after(true), 480ms);
    EXPECT_EQ(seen_.wrong, 0);
    EXPECT_EQ(bus.status().errors.total(), 1U) << "it was asked once more, and answered";
}

TEST_F(BusTest, LearnsHowManyRegistersADeviceGivesAtOnce) {
    lab::SlaveLimits limits;
    limits.max_registers = 40;
    const auto port = plant_.add_tcp({"plc", {1}, lab::certified_values, limits});
    Seen& seen = seen_;
    add(tcp("plc", port), {device(0, 1, certified_map(20), 20ms)}, seen);
    run_for(800ms);
    EXPECT_EQ(seen.wrong, 0);
    EXPECT_GT(seen.values, 100u * 15);
    EXPECT_LE(buses_.back()->status().errors.exception, 4u);
}

TEST_F(BusTest, LearnsWhatMakesADeviceHangUpAndReadsTheRest) {
    const auto port = plant_.add_tcp({"plc", {1}, lab::certified_values, {}});
    lab::Fault hangs_up{lab::FaultKind::drop, 0ms, 0, 0};
    hangs_up.function = 1;
    plant_.set_fault("plc", 1, hangs_up);
    auto map = std::make_shared<RegisterMap>(*certified_map(2));
    map->fields.emplace_back().table = Table::coil;
    map->fields.back().type = RawType::boolean;
    add(tcp("plc", port), {device(0, 1, map, 200ms)}, seen_);
    run_for(2000ms);
    EXPECT_GE(seen_.at[0].size(), 8u);
    EXPECT_EQ(seen_.changes[0], std::vector<DeviceStatus>{DeviceStatus::online});
    const auto given_up = [&] { return buses_.back()->status().errors.closed >= 10; };
    ASSERT_TRUE(run_until(given_up, 5s));
    const std::uint64_t closed = buses_.back()->status().errors.closed;
    run_for(1000ms);
    EXPECT_EQ(buses_.back()->status().errors.closed, closed) << "it is asked for no more";
}

TEST_F(BusTest, ShowsADeviceOfflineAndBackOnlineOnce) {
    const auto port = plant_.add_tcp({"plc", {1}, lab::certified_values, {}});
    Seen& seen = seen_;
    DeviceSettings settings = device(0, 1, certified_map(2), 30ms);
    settings.offline = {3, 50ms, 100ms};
    BusSettings bus = tcp("plc", port);
    bus.timeout = 50ms;
    add(bus, {settings}, seen);
    run_for(200ms);
    plant_.set_fault("plc", 1, {lab::FaultKind::silent, 0ms, 0, 0});
    run_for(800ms);
    const std::vector<DeviceStatus> gone{DeviceStatus::online, DeviceStatus::offline};
    EXPECT_EQ(seen.changes[0], gone);
    EXPECT_FALSE(buses_.back()->status().devices.at(0).last_error.empty());
    const std::size_t values = seen.values;
    plant_.set_fault("plc", 1, {});
    run_for(500ms);
    const std::vector<DeviceStatus> back{DeviceStatus::online, DeviceStatus::offline,
                                         DeviceStatus::online};
    EXPECT_EQ(seen.changes[0], back);
    EXPECT_GT(seen.values, values);
    EXPECT_EQ(seen.wrong, 0);
    EXPECT_EQ(buses_.back()->status().devices.at(0).last_error, "") << "it is over";
}

TEST_F(BusTest, TurnsAsLongAsItWaitsForASlowWire) {
    const std::string path = line_path("slow");
    plant_.add_rtu({"line", {1}, lab::certified_values, {}}, path);
    plant_.set_fault("line", 1, {lab::FaultKind::silent, 0ms, 0, 0});
    Bus& bus = add(line(path, 1'000'000, 700ms), {device(0, 1, certified_map(2), 1h)}, seen_);
    Clock::duration longest{0};
    const auto retried = [&] {
        longest = std::max<Clock::duration>(longest, Clock::now() - bus.turned());
        return bus.status().errors.timeout >= 2;
    };
    ASSERT_TRUE(run_until(retried, 10s));
    EXPECT_LT(longest, 7 * 700ms / 2) << "for what the unit may still say, and others are asked";
}

TEST_F(BusTest, ServesAsLongAsSomebodyWaitsForASlowWire) {
    const std::string path = line_path("asked");
    plant_.add_rtu({"line", {1}, lab::certified_values, {}}, path);
    plant_.set_fault("line", 1, {lab::FaultKind::silent, 0ms, 0, 0});
    Bus& bus = add(line(path, 1'000'000, 400ms), {device(0, 1, certified_map(2), 1h)}, seen_);
    bool done = false;
    const auto ask = [](Bus& asked, bool& answered) -> asio::awaitable<void> {
        const auto words = co_await asked.read_raw(1, modbus::Table::holding, 0, 2);
        EXPECT_FALSE(words);
        answered = true;
    };
    flows_.spawn("ask", ask(bus, done));
    Clock::duration longest{0};
    const auto gave_up = [&] {
        if (!done) longest = std::max<Clock::duration>(longest, Clock::now() - bus.served());
        return done;
    };
    ASSERT_TRUE(run_until(gave_up, 10s));
    EXPECT_LT(longest, 300ms);
    const Instant last = bus.served();
    run_for(300ms);
    EXPECT_EQ(bus.served(), last) << "nobody has asked since";
}

TEST_F(BusTest, CountsEveryRequestThatHasLeft) {
    const std::string path = line_path("counted");
    plant_.add_rtu({"line", {1}, lab::certified_values, {}}, path);
    plant_.set_fault("line", 1, {lab::FaultKind::silent, 0ms, 0, 1});
    Bus& bus = add(line(path, 1'000'000, 200ms), {device(0, 1, certified_map(2), 1h)}, seen_);
    const auto read = [&] { return seen_.values > 0; };
    ASSERT_TRUE(run_until(read, 10s));
    EXPECT_GE(bus.status().requests, 3u) << "the lost one, the proof, the second try";
    EXPECT_EQ(bus.status().requests, plant_.requests("line", 1));
}

TEST_F(BusTest, KeepsPollingALineOnWhichOneDeviceOfThirtyIsDead) {
    const std::string path = line_path("thirty");
    std::vector<std::uint8_t> units;
    std::vector<DeviceSettings> devices;
    const auto map = certified_map(2);
    for (std::uint8_t unit = 1; unit <= 30; ++unit) {
        units.push_back(unit);
        devices.push_back(device(unit - 1U, unit, map, 500ms));
        devices.back().offline = {3, 1s, 60s};
    }
    plant_.add_rtu({"line", units, lab::certified_values, {}}, path, {115200, 1ms});
    plant_.set_fault("line", 17, {lab::FaultKind::silent, 0ms, 0, 0});
    Seen& seen = seen_;
    add(line(path, 115200, 100ms), std::move(devices), seen);
    const auto is_offline = [&] {
        return buses_.back()->status().devices.at(16).status == DeviceStatus::offline;
    };
    ASSERT_TRUE(run_until(is_offline, 10s));
    seen.at.clear();
    const milliseconds window = campaign() ? milliseconds(5min) : 6s;
    run_for(window);
    const double due = static_cast<double>(window / 500ms);
    for (DeviceIndex i = 0; i < 30; ++i) {
        if (i == 16) continue;
        EXPECT_GE(static_cast<double>(seen.at[i].size()), 0.95 * due - 1) << i;
    }
    EXPECT_TRUE(seen.at[16].empty());
    EXPECT_EQ(seen.wrong, 0);
    EXPECT_EQ(plant_.silence_violations("line"), 0u);
}

TEST_F(BusTest, KeepsThePeriodOfFiftyTcpDevicesWhileFiftyOthersAreDead) {
    constexpr DeviceIndex devices = 100;
    Seen& seen = seen_;
    for (DeviceIndex i = 0; i < devices; ++i) {
        const std::string name = "plc-" + std::to_string(i);
        const auto unit = static_cast<std::uint8_t>(i + 1);
        const auto port = plant_.add_tcp({name, {unit}, lab::certified_values, {}});
        // Of the dead ones, some refuse, some are silent, some hang up.
        const bool dead = i % 2 == 1;
        if (dead && i % 3 == 0) plant_.unplug(name);
        if (dead && i % 3 == 1) plant_.set_fault(name, unit, {lab::FaultKind::silent, 0ms, 0, 0});
        if (dead && i % 3 == 2) plant_.set_fault(name, unit, {lab::FaultKind::drop, 0ms, 0, 0});
        add(tcp(name, port), {device(i, unit, certified_map(2), 200ms)}, seen);
    }
    run_for(1s);
    seen.at.clear();
    const milliseconds window = campaign() ? milliseconds(60s) : 4s;
    run_for(window);
    for (DeviceIndex i = 0; i < devices; i += 2) {
        const std::vector<Instant>& at = seen.at[i];
        ASSERT_GE(at.size(), 10u) << i;
        const auto span = at.back() - at.front();
        const auto mean = span / (at.size() - 1);
        EXPECT_GE(mean, 180ms) << i;
        EXPECT_LE(mean, 220ms) << i;
    }
    EXPECT_EQ(seen.wrong, 0);
}

TEST_F(BusTest, ShowsAPulledLineAndIsBackSoonAfterItIsPluggedIn) {
    const std::string path = line_path("pulled");
    plant_.add_rtu({"line", {1, 2}, lab::certified_values, {}}, path);
    Seen& seen = seen_;
    std::vector<DeviceSettings> devices;
    for (std::uint8_t unit = 1; unit <= 2; ++unit)
        devices.push_back(device(unit - 1U, unit, certified_map(2), 100ms));
    Bus& bus = add(line(path, 1'000'000, 100ms), std::move(devices), seen);
    run_for(500ms);
    plant_.unplug("line");
    const auto all_offline = [&] {
        const BusStatus status = bus.status();
        return !status.up && status.devices[0].status == DeviceStatus::offline &&
               status.devices[1].status == DeviceStatus::offline;
    };
    EXPECT_TRUE(run_until(all_offline, 2s));
    run_for(campaign() ? 30s : 3s);  // their pauses grow meanwhile
    seen.at.clear();
    plant_.plug("line");
    const auto both_are_back = [&] { return seen.at.size() == 2; };
    EXPECT_TRUE(run_until(both_are_back, 5s));
    EXPECT_TRUE(bus.status().up);
    EXPECT_EQ(seen.wrong, 0);
}

}  // namespace
}  // namespace fieldgate::southbound::polling
