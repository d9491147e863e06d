// A bus whose devices change while it runs.
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include "tests/southbound/polling.h"

namespace fieldgate::southbound::polling {
namespace {

using BusServeTest = BusTest;

// From scan to scan of one device, the longest time.
milliseconds longest_gap(const std::vector<Instant>& at) {
    Instant::duration longest{0};
    for (std::size_t i = 1; i < at.size(); ++i) longest = std::max(longest, at[i] - at[i - 1]);
    return std::chrono::duration_cast<milliseconds>(longest);
}

DeviceSettings edited(DeviceSettings device, std::uint64_t edition) {
    device.device.edition = edition;
    return device;
}

TEST_F(BusServeTest, TakesDevicesInAndOutAndTheOthersMissNoScan) {
    const auto port = plant_.add_tcp({"plc", {1, 2, 3}, lab::certified_values, {}});
    const DeviceSettings one = device(0, 1, certified_map(20), 50ms);
    const DeviceSettings two = device(1, 2, certified_map(20), 50ms);
    const DeviceSettings three = device(2, 3, certified_map(20), 50ms);
    Bus& bus = add(tcp("plc", port), {one, two}, seen_);
    ASSERT_TRUE(run_until([&] { return seen_.at[0].size() > 5 && seen_.at[1].size() > 5; }, 5s));
    const std::uint64_t overruns = bus.status().overruns;
    for (int i = 0; i < 10; ++i) {
        const std::size_t before = seen_.at[2].size();
        bus.serve({three, one});
        ASSERT_TRUE(run_until([&] { return seen_.at[2].size() > before + 2; }, 5s));
        const std::size_t gone = seen_.at[1].size();
        run_for(120ms);
        EXPECT_EQ(seen_.at[1].size(), gone) << "nobody asks it any more";
        bus.serve({one, two});
        ASSERT_TRUE(run_until([&] { return seen_.at[1].size() > gone + 2; }, 5s));
    }
    EXPECT_EQ(seen_.wrong, 0);
    EXPECT_LT(longest_gap(seen_.at[0]), 90ms);
    EXPECT_EQ(bus.status().overruns, overruns);
    EXPECT_EQ(bus.status().devices.size(), 2u);
    EXPECT_EQ(seen_.changes[0], std::vector<DeviceStatus>{DeviceStatus::online});
    EXPECT_EQ(seen_.changes[1].size(), 11u) << "each time it is a new one";
}

// The most devices that came to the bus in one turn of the loop.
asio::awaitable<void> watch(const Bus& bus, std::size_t& most) {
    for (std::size_t before = bus.status().devices.size();;) {
        co_await asio::post(asio::use_awaitable);
        const std::size_t now = bus.status().devices.size();
        if (now > before) most = std::max(most, now - before);
        before = now;
    }
}

// Each plan may take milliseconds, and other buses of the loop have their ticks.
TEST_F(BusServeTest, PlansOneRegisterMapATurnOfTheLoop) {
    const auto port = plant_.add_tcp({"plc", {1, 2, 3, 4, 5, 6}, lab::certified_values, {}});
    Bus& bus = add(tcp("plc", port), {}, seen_);
    std::size_t most = 0;
    flows_.spawn("watch", watch(bus, most));
    std::vector<DeviceSettings> devices;
    for (std::uint8_t unit = 1; unit <= 6; ++unit)
        devices.push_back(device(unit - 1U, unit, certified_map(20), 20ms));
    bus.serve(devices);
    ASSERT_TRUE(run_until([&] { return seen_.at.size() == 6; }, 5s));
    EXPECT_EQ(most, 1U);

    bus.serve({});
    ASSERT_TRUE(run_until([&] { return bus.status().devices.empty(); }, 5s));
    for (DeviceSettings& device : devices) device.map = devices[0].map;
    bus.serve(devices);
    ASSERT_TRUE(run_until([&] { return bus.status().devices.size() == 6; }, 5s));
    run_for(50ms);
    EXPECT_EQ(most, 6U) << "one plan is enough for all of them";
    EXPECT_EQ(seen_.wrong, 0);
}

TEST_F(BusServeTest, KeepsWhatItHasLearnedOfADeviceThatIsReadAsBefore) {
    lab::SlaveLimits limits;
    limits.holes = {{17, 17}};
    const auto port = plant_.add_tcp({"plc", {1}, lab::certified_values, limits});
    const DeviceSettings before = device(0, 1, certified_map(10), 20ms);
    Bus& bus = add(tcp("plc", port), {before}, seen_);
    const auto learned = [&] {
        return bus.status().errors.exception > 0 && seen_.values > 49u * 10;
    };
    ASSERT_TRUE(run_until(learned, 5s));
    run_for(200ms);
    const std::uint64_t refused = bus.status().errors.exception;
    const std::uint64_t scans = bus.status().devices.at(0).scans;
    DeviceSettings after = edited(before, 2);
    after.every.assign(after.every.size(), 30ms);
    after.offline.after = 5;
    bus.serve({after});
    ASSERT_TRUE(run_until([&] { return seen_.edition[0] == 2; }, 5s));
    run_for(300ms);
    EXPECT_EQ(bus.status().errors.exception, refused) << "the hole is not looked for again";
    EXPECT_GT(bus.status().devices.at(0).scans, scans);
    EXPECT_EQ(seen_.changes[0].size(), 1u);

    DeviceSettings other = edited(before, 3);
    other.map = std::make_shared<RegisterMap>(*before.map);
    bus.serve({other});
    ASSERT_TRUE(run_until([&] { return bus.status().errors.exception > refused; }, 5s));
    EXPECT_EQ(seen_.wrong, 0);
}

TEST_F(BusServeTest, IsTaughtWhatTheDeviceHasRefusedBefore) {
    lab::SlaveLimits limits;
    limits.holes = {{17, 17}, {33, 34}};
    const auto port = plant_.add_tcp({"plc", {1}, lab::certified_values, limits});
    const DeviceSettings settings = device(0, 1, certified_map(10), 20ms);
    testing::internal::CaptureStderr();
    log::set_level(log::Level::info);
    Bus& before = add(tcp("plc", port), {settings}, seen_);
    const auto learned = [&] { return before.status().devices.at(0).learned; };
    EXPECT_TRUE(run_until([&] { return learned().refused.size() == 2; }, 5s));
    EXPECT_TRUE(run_until([&] { return seen_.values > 2000; }, 5s));
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_NE(told.find("registers=\"holding:17 refused (exception 2), holding:33..34 refused "
                        "(exception 2)\""),
              std::string::npos)
        << told;
    EXPECT_TRUE(before.status().latency);

    Seen seen;
    Bus& after = add(tcp("plc", port), {settings}, seen);
    after.teach(settings.device, learned());
    ASSERT_TRUE(run_until([&] { return seen.values > 500; }, 5s));
    EXPECT_EQ(after.status().errors.exception, 0U);
    EXPECT_EQ(after.status().devices.at(0).learned, learned());
    EXPECT_EQ(seen.wrong + seen_.wrong, 0);
}

TEST_F(BusServeTest, TakesOverWhatWasOrderedOfTheBusThatItReplaces) {
    const auto port = plant_.add_tcp({"plc", {1, 2}, lab::certified_values, {}});
    const auto map = certified_map(1);
    const DeviceSettings one = device(0, 1, map, 10s);
    const DeviceSettings two = device(1, 2, map, 10s);
    Bus& before = add(tcp("plc", port), {one, two}, seen_);
    ASSERT_TRUE(before.set_period(std::nullopt, 20ms, Clock::now() + 1h));
    before.suspend(Clock::now() + 1h);
    const Bus::Ordered ordered = before.ordered();

    DeviceSettings other = edited(two, 2);
    other.map = certified_map(1);
    const std::vector<DeviceSettings> devices{edited(one, 2), other};
    for (const bool served : {false, true}) {
        Seen seen;
        TaskGroup flows(loop_.get_executor());
        Bus after(loop_.get_executor(), tcp("plc", port),
                  served ? std::vector<DeviceSettings>() : devices);
        if (served) after.serve(devices);
        after.take_over(ordered);
        flows.spawn("collect", collect(after, seen));
        EXPECT_TRUE(after.suspended());
        run_for(200ms);
        EXPECT_TRUE(seen.at.empty()) << "it is suspended as before";
        after.resume();
        EXPECT_TRUE(run_until([&] { return seen.at[0].size() > 10; }, 5s))
            << "in the period ordered" << served;
        EXPECT_LE(seen.at[1].size(), 2U) << "another device: in that of the file";
        run(loop_, stop(flows));
    }
}

TEST_F(BusServeTest, RefusesWhatIsAskedOfAnotherEdition) {
    const auto port = plant_.add_tcp({"plc", {1}, lab::certified_values, {}});
    const DeviceSettings before = device(0, 1, certified_map(2), 20ms);
    Bus& bus = add(tcp("plc", port), {before}, seen_);
    ASSERT_TRUE(run_until([&] { return seen_.at[0].size() > 2; }, 5s));
    bus.serve({edited(before, 2)});
    ASSERT_TRUE(run_until([&] { return seen_.edition[0] == 2; }, 5s));
    const auto old = run(loop_, bus.read(DeviceRef(0, 0), {0}));
    ASSERT_FALSE(old);
    EXPECT_EQ(old.error().code, Errc::unsupported);
    const auto now = run(loop_, bus.read(DeviceRef(0, 2), {0}));
    ASSERT_TRUE(now);
    EXPECT_EQ(now->device, DeviceRef(0, 2));
    bus.serve({});
    ASSERT_TRUE(run_until([&] { return bus.status().devices.empty(); }, 5s));
    EXPECT_EQ(run(loop_, bus.read(DeviceRef(0, 2), {0})).error().code, Errc::unsupported);
    const std::uint64_t requests = plant_.requests("plc", 1);
    run_for(100ms);
    EXPECT_EQ(plant_.requests("plc", 1), requests);
}

// Whoever asks holds the device; what he gets is of the edition he asked.
TEST_F(BusServeTest, EndsWhatIsUnderWayWithTheDeviceThatLeaves) {
    const auto port = plant_.add_tcp({"plc", {1}, lab::certified_values, {}});
    plant_.set_fault("plc", 1, lab::Fault{lab::FaultKind::late, 100ms, 0, 0});
    const DeviceSettings before = device(0, 1, certified_map(60), 1h);
    Bus& bus = add(tcp("plc", port), {before}, seen_);
    ASSERT_TRUE(run_until([&] { return seen_.at[0].size() > 2; }, 5s));
    std::vector<PointIndex> all;
    for (PointIndex i = 0; i < 300; ++i) all.push_back(i);
    std::optional<Result<Readings>> read;
    start(loop_, keep(bus.read(DeviceRef(0, 0), all), read));
    run_for(50ms);
    DeviceSettings other = edited(before, 2);
    other.map = certified_map(3);
    other.every.resize(other.map->fields.size());
    bus.serve({other});
    ASSERT_TRUE(run_until([&] { return read.has_value(); }, 5s));
    ASSERT_TRUE(*read);
    EXPECT_EQ((**read).device, DeviceRef(0, 0));
    EXPECT_EQ((**read).values.size(), 300u);
}

}  // namespace
}  // namespace fieldgate::southbound::polling
