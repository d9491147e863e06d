#include "southbound/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "tests/southbound/scheduling.h"

namespace fieldgate::southbound {
namespace {

using namespace scheduling;

TEST(Schedule, HasNothingToDoWithoutScans) {
    Schedule schedule(start);
    EXPECT_FALSE(schedule.next());
    EXPECT_FALSE(schedule.take(start + 1h));
}

TEST(Schedule, TakesNothingBeforeItsDeadline) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1s}), start);
    ASSERT_TRUE(schedule.take(start));
    EXPECT_FALSE(schedule.take(start + 999ms));
    EXPECT_EQ(schedule.next(), start + 1s);
    EXPECT_TRUE(schedule.take(start + 1s));
}

TEST(Schedule, DoesNotDriftOverHoursOfSlowScans) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1s}), start);
    Instant now = start;
    std::uint64_t scans = 0;
    while (now < start + 4h) {
        now = *schedule.next();
        const auto due = schedule.take(now);
        ASSERT_TRUE(due);
        ASSERT_EQ(due->at, start + 1s * static_cast<std::int64_t>(scans));
        ASSERT_EQ(due->tick, scans);
        now += 300ms + 7ms * (scans % 13);  // the wire is slow, but not too slow
        schedule.done(*due, true, now);
        ++scans;
    }
    EXPECT_EQ(scans, 14401U);
    EXPECT_EQ(schedule.overruns(), 0U);
}

TEST(Schedule, SkipsAndCountsWhatIsOverdueAndKeepsThePhase) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1s}), start);
    schedule.done(*schedule.take(start), true, start + 10ms);

    const auto late = schedule.take(start + 3500ms);
    ASSERT_TRUE(late);
    EXPECT_EQ(late->at, start + 3s);
    EXPECT_EQ(late->tick, 3U);
    EXPECT_EQ(schedule.overruns(), 2U);  // 1 s and 2 s
    EXPECT_FALSE(schedule.take(start + 3600ms)) << "nothing is queued";
    EXPECT_EQ(schedule.next(), start + 4s);
}

TEST(Schedule, SharesAnOverloadedWireFairly) {
    Schedule schedule(start);
    for (std::size_t device = 0; device < 10; ++device)
        schedule.set(device, policy, periods({100ms}), start);
    std::map<std::size_t, int> scans;
    Instant now = start;
    while (now < start + 10min) {
        now = std::max(now, *schedule.next());
        const auto due = schedule.take(now);
        ASSERT_TRUE(due);
        ++scans[due->device];
        now += 30ms;  // 10 * 30 ms in 100 ms: three times too much
        schedule.done(*due, true, now);
    }
    for (const auto& [device, count] : scans) EXPECT_NEAR(count, 2000, 2) << device;
    EXPECT_GT(schedule.overruns(), 30'000U);
}

TEST(Schedule, StartsEqualPeriodsOnOneTickDeviceByDevice) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({2s, 1s}), start);
    schedule.set(1, policy, periods({1s, 1s}), start + 10ms);
    std::vector<std::size_t> devices;
    while (const auto due = schedule.take(start + 2s)) devices.push_back(due->device);
    EXPECT_EQ(devices, (std::vector<std::size_t>{0, 0, 1, 1}));
    EXPECT_EQ(schedule.next(), start + 3s);
}

TEST(Schedule, KeepsTheTurnOfScansThatSurviveANewPlan) {
    Schedule schedule(start);
    const std::array before{Schedule::Timing{1s, 1, true}, Schedule::Timing{10s, 2, true}};
    schedule.set(0, policy, before, start);
    schedule.done(*schedule.take(start), true, start);
    const auto refused = schedule.take(start);
    schedule.done(*refused, true, start);

    const std::array after{Schedule::Timing{1s, 1, true}, Schedule::Timing{10s, 3, true},
                           Schedule::Timing{10s, 4, true}, Schedule::Timing{1h, 5, false}};
    schedule.set(0, policy, after, start + 20ms);
    EXPECT_EQ(schedule.take(start + 20ms)->scan, 1U) << "new blocks are read at once";
    EXPECT_EQ(schedule.take(start + 20ms)->scan, 2U);
    EXPECT_FALSE(schedule.take(start + 20ms)) << "neither a known one nor one that may wait";
    EXPECT_EQ(schedule.next(), start + 1s);
    std::uint64_t hourly = 0;
    while (const auto due = schedule.take(start + 1h)) hourly += due->scan == 3 ? 1U : 0U;
    EXPECT_EQ(hourly, 1U);
}

TEST(Schedule, ForgetsADeviceWithoutScans) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1s}), start);
    schedule.set(0, policy, {}, start);
    EXPECT_FALSE(schedule.next());
}

TEST(Schedule, DoesNotGrowWithDevicesThatComeAndGo) {
    Schedule schedule(start);
    schedule.set(0, {.after = 1, .probe_from = 1ms, .probe_to = 1ms}, periods({1ms, 1h, 1h}),
                 start);
    Instant now = start;
    bool answered = false;
    for (int i = 0; i < 20'000; ++i) {
        now = std::max(now, *schedule.next());
        const auto due = schedule.take(now);
        answered = !answered;
        schedule.done(*due, answered, now);
    }
    EXPECT_LT(schedule.queued(), 200U);
}

TEST(Schedule, CarriesAThousandDevices) {
    Schedule schedule(start);
    constexpr std::size_t devices = 1000;
    for (std::size_t device = 0; device < devices; ++device)
        schedule.set(device, policy, periods({1s, 5s}), start);
    Instant now = start;
    std::uint64_t scans = 0;
    while (now < start + 2min) {
        now = std::max(now, *schedule.next());
        const auto due = schedule.take(now);
        now += 500us;
        schedule.done(*due, true, now);
        ++scans;
    }
    EXPECT_EQ(schedule.overruns(), 0U);
    EXPECT_NEAR(static_cast<double>(scans), devices * (120 + 24), 2 * devices);
}

TEST(Schedule, HurriesAScanOnceAndKeepsItsTicks) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1s, 1s}), start);
    schedule.take(start);
    schedule.take(start);
    schedule.hurry(0, 1, start + 300ms);
    schedule.hurry(0, 1, start + 310ms);  // it is due already
    EXPECT_EQ(schedule.next(), start + 300ms);
    const auto due = schedule.take(start + 320ms);
    ASSERT_TRUE(due);
    EXPECT_EQ(due->scan, 1U);
    EXPECT_EQ(due->tick, 0U);
    schedule.done(*due, true, start + 330ms);
    EXPECT_FALSE(schedule.take(start + 999ms));
    for (const std::size_t scan : {0U, 1U}) EXPECT_EQ(schedule.take(start + 1s)->scan, scan);
    EXPECT_FALSE(schedule.take(start + 1s)) << "each once";
    EXPECT_EQ(schedule.overruns(), 0U);
}

TEST(Schedule, HurriesAllButRetriesAndKeepsTheirTicks) {
    Schedule schedule(start);
    auto timings = periods({1s, 10s, 60s});
    timings[2].at_once = false;
    schedule.set(0, policy, timings, start);
    schedule.take(start);
    schedule.take(start);
    schedule.hurry_all(start + 500ms);
    for (const std::size_t scan : {0U, 1U}) {
        const auto due = schedule.take(start + 500ms);
        ASSERT_TRUE(due);
        EXPECT_EQ(due->scan, scan);
    }
    EXPECT_FALSE(schedule.take(start + 500ms));
    EXPECT_EQ(schedule.next(), start + 1s);
    EXPECT_EQ(schedule.overruns(), 0U);
}

TEST(Schedule, ForgivesWhatCameDueWhileNobodyLooked) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1s, 20s}), start);
    schedule.take(start);
    schedule.take(start);
    schedule.forgive(start + 10s + 300ms);
    const auto due = schedule.take(start + 10s + 300ms);
    ASSERT_TRUE(due);
    EXPECT_EQ(due->scan, 0U);
    EXPECT_EQ(due->at, start + 10s);
    EXPECT_FALSE(schedule.take(start + 10s + 300ms)) << "once, and the slow one keeps its turn";
    EXPECT_EQ(schedule.next(), start + 11s);
    EXPECT_EQ(schedule.overruns(), 0U);
}

TEST(Schedule, HurriesNothingOfAnOfflineDevice) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1s}), start);
    Instant now = start;
    while (schedule.status(0) != DeviceStatus::offline) {
        now = *schedule.next();
        schedule.done(*schedule.take(now), false, now);
    }
    schedule.hurry(0, 0, now);
    EXPECT_EQ(schedule.next(), now + policy.probe_from);
}

TEST(Schedule, StaysSmallHoweverOftenItIsHurried) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1h}), start);
    Instant now = start;
    for (int i = 0; i < 10'000; ++i, now += 1ms) {
        schedule.hurry(0, 0, now);
        const auto due = schedule.take(now);
        ASSERT_TRUE(due);
        schedule.done(*due, true, now);
    }
    EXPECT_LE(schedule.queued(), 70U);
}

TEST(Schedule, ForgetsADeviceThatIsDroppedAndGivesItsNumberToAnother) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1s, 2s}), start);
    schedule.set(1, policy, periods({1s}), start);
    for (int i = 0; i < 3; ++i) {
        const Instant now = start + 1s * i;
        while (const auto due = schedule.take(now)) schedule.done(*due, due->device == 1, now);
    }
    ASSERT_EQ(schedule.status(0), DeviceStatus::offline);
    schedule.drop(0);
    EXPECT_EQ(schedule.status(0), DeviceStatus::unknown);
    const Instant later = start + 3s;
    for (int i = 0; i < 20; ++i)
        while (const auto due = schedule.take(later + 1s * i)) {
            ASSERT_EQ(due->device, 1U);
            schedule.done(*due, true, later + 1s * i);
        }
    schedule.hurry_all(later + 20s);
    schedule.ask_all(later + 20s);
    schedule.forgive(later + 20s);
    schedule.set(0, policy, periods({5s}), later + 20s);
    const auto due = schedule.take(later + 20s);
    ASSERT_TRUE(due);
    EXPECT_EQ(due->device, 0U);
    EXPECT_FALSE(due->probe) << "the new one has done nothing wrong";
    EXPECT_EQ(schedule.overruns(), 0U);
}

}  // namespace
}  // namespace fieldgate::southbound
