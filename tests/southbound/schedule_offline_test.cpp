#include "southbound/schedule.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/southbound/scheduling.h"

namespace fieldgate::southbound {
namespace {

using namespace scheduling;

TEST(ScheduleOffline, TellsTransitionsOnly) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1s}), start);
    EXPECT_EQ(schedule.status(0), DeviceStatus::unknown);
    Instant now = start;
    const auto scan = [&](bool answered) {
        now = *schedule.next();
        const auto due = schedule.take(now);
        return schedule.done(*due, answered, now);
    };
    EXPECT_EQ(scan(true), DeviceStatus::online);
    EXPECT_EQ(scan(true), std::nullopt);
    EXPECT_EQ(scan(false), std::nullopt);
    EXPECT_EQ(scan(false), std::nullopt);
    EXPECT_EQ(scan(true), std::nullopt) << "two failures are no outage";
    EXPECT_EQ(scan(false), std::nullopt);
    EXPECT_EQ(scan(false), std::nullopt);
    EXPECT_EQ(schedule.failures_in_a_row(0), 2U);
    EXPECT_EQ(scan(false), DeviceStatus::offline);
    EXPECT_EQ(scan(false), std::nullopt);
    EXPECT_EQ(scan(true), DeviceStatus::online);
}

TEST(ScheduleOffline, IsNotBroughtBackAgainAndAgainByProbesAlone) {
    Schedule schedule(start);
    schedule.set(0, {.after = 3, .probe_from = 1s, .probe_to = 8s}, periods({500ms}), start);
    Instant now = start;
    std::vector<Instant> outages;
    bool scans_too = false;
    const auto run = [&](Instant until) {
        while (now < until) {
            now = *schedule.next();
            const auto due = schedule.take(now);
            if (schedule.done(*due, due->probe || scans_too, now) == DeviceStatus::offline)
                outages.push_back(now);
        }
    };
    run(start + 1min);
    std::vector<int> seconds;
    for (std::size_t i = 1; i < outages.size(); ++i)
        seconds.push_back(static_cast<int>(
            std::chrono::round<std::chrono::seconds>(outages[i] - outages[i - 1]).count()));
    EXPECT_LE(outages.size(), 9U) << testing::PrintToString(seconds);
    EXPECT_GE(seconds.back(), 8);
    scans_too = true;
    run(now + 10s);
    scans_too = false;
    outages.clear();
    run(now + 4s);
    EXPECT_EQ(outages.size(), 2U) << "it was back for good: the pauses begin anew";
}

TEST(ScheduleOffline, HoldsADeviceAndLetsOthersGoOn) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1s, 1s}), start);
    schedule.set(1, policy, periods({1s}), start);
    const auto first = schedule.take(start);
    ASSERT_EQ(first->device, 0U);
    schedule.hold(0, start + 300ms);
    schedule.again(*first);
    const auto other = schedule.take(start);
    ASSERT_EQ(other->device, 1U);
    schedule.done(*other, true, start);
    EXPECT_EQ(schedule.next(), start + 300ms);
    const auto second = schedule.take(start + 300ms);
    EXPECT_EQ(second->device, 0U);
    EXPECT_EQ(second->scan, first->scan);
    EXPECT_EQ(second->tries, 1);
    EXPECT_EQ(second->tick, first->tick);
    schedule.done(*second, true, start + 300ms);
    EXPECT_EQ(schedule.take(start + 300ms)->scan, 1U);
    EXPECT_EQ(schedule.take(start + 1s)->tries, 0) << "another tick, other tries";
    EXPECT_EQ(schedule.overruns(), 0U);
}

TEST(ScheduleOffline, ProbesWithWhatIsReadAllDay) {
    Schedule schedule(start);
    std::vector<Schedule::Timing> timings = periods({500ms, 500ms, 500ms});
    timings[1].at_once = false;  // a retry of what was refused
    schedule.set(0, {.after = 1, .probe_from = 1s, .probe_to = 1s}, timings, start);
    Instant now = start;
    schedule.done(*schedule.take(now), false, now);
    std::vector<std::size_t> scans;
    for (int i = 0; i < 4; ++i) {
        now = *schedule.next();
        const auto due = schedule.take(now);
        scans.push_back(due->scan);
        schedule.done(*due, false, now);
    }
    EXPECT_EQ(scans, (std::vector<std::size_t>{0, 2, 0, 2}));
}

TEST(ScheduleOffline, HearsNothingOfTheDeviceFromAScanThatIsToBlame) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1s}), start);
    schedule.done(*schedule.take(start), true, start);
    Instant now = start;
    for (int i = 0; i < 20; ++i) {
        now = *schedule.next();
        schedule.done_for_nothing(*schedule.take(now));
    }
    EXPECT_EQ(schedule.status(0), DeviceStatus::online);
    EXPECT_EQ(schedule.failures_in_a_row(0), 0U);
}

TEST(ScheduleOffline, ProbesADeadDeviceWithGrowingPauses) {
    Schedule schedule(start);
    schedule.set(0, {.after = 1, .probe_from = 1s, .probe_to = 8s}, periods({500ms, 500ms}), start);
    Instant now = start;
    EXPECT_EQ(schedule.done(*schedule.take(now), false, now), DeviceStatus::offline);
    std::vector<std::chrono::seconds> pauses;
    std::vector<std::size_t> scans;
    for (int i = 0; i < 6; ++i) {
        const Instant before = now;
        now = *schedule.next();
        pauses.push_back(std::chrono::duration_cast<std::chrono::seconds>(now - before));
        const auto due = schedule.take(now);
        ASSERT_TRUE(due);
        EXPECT_TRUE(due->probe);
        scans.push_back(due->scan);
        EXPECT_FALSE(schedule.next()) << "one probe at a time";
        schedule.done(*due, false, now);
    }
    EXPECT_EQ(pauses, (std::vector<std::chrono::seconds>{1s, 2s, 4s, 8s, 8s, 8s}));
    EXPECT_EQ(scans, (std::vector<std::size_t>{0, 1, 0, 1, 0, 1})) << "one block may be at fault";
    EXPECT_EQ(schedule.overruns(), 0U) << "an outage is not an overrun";
}

TEST(ScheduleOffline, BringsAllScansBackInPhaseWithOneAnswer) {
    Schedule schedule(start);
    schedule.set(0, policy, periods({1s, 1h, 1h}), start);
    Instant now = start;
    for (std::size_t scan = 0; scan < 2; ++scan)  // the first hourly scan succeeds
        schedule.done(*schedule.take(now), true, now);
    for (int i = 0; i < 3; ++i) {  // the second one fails, then the fast one
        now = *schedule.next();
        schedule.done(*schedule.take(now), false, now);
    }
    ASSERT_EQ(schedule.status(0), DeviceStatus::offline);

    now = *schedule.next() + 250ms;
    const auto probe = schedule.take(now);
    EXPECT_EQ(schedule.done(*probe, true, now), DeviceStatus::online);

    const auto fast = schedule.take(now);
    ASSERT_TRUE(fast);
    EXPECT_EQ(fast->scan, 2U) << "the hourly scan that failed is the most overdue";
    const auto second = schedule.take(now);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->scan, 0U);
    EXPECT_EQ(second->at, start + 3s);
    EXPECT_FALSE(schedule.take(now)) << "the hourly scan that was read is not read again";
    EXPECT_EQ(schedule.next(), start + 4s);
    EXPECT_EQ(schedule.overruns(), 0U);
}

// One dead of thirty: the brief of a bus that never stands still for a dead device.
TEST(ScheduleOffline, LetsADeadDeviceCostItsLineLittle) {
    constexpr auto scan_time = 30ms;
    constexpr auto timeout = 600ms;  // and the silence after it
    Schedule schedule(start);
    for (std::size_t device = 0; device < 30; ++device)
        schedule.set(device, policy, periods({1s}), start);
    Instant now = start;
    std::uint64_t good = 0;
    std::optional<Instant> offline;
    while (!offline || now < *offline + 5min) {
        now = std::max(now, *schedule.next());
        const auto due = schedule.take(now);
        const bool answered = due->device != 7;
        now += answered ? scan_time : timeout;
        if (schedule.done(*due, answered, now) == DeviceStatus::offline) offline = now;
        if (offline && answered) ++good;
    }
    EXPECT_GE(static_cast<double>(good), 0.95 * 29 * 300);
}

TEST(ScheduleOffline, StaysOfflineThroughANewPlan) {
    Schedule schedule(start);
    schedule.set(0, {.after = 1, .probe_from = 1s, .probe_to = 8s}, periods({1s, 1s}), start);
    schedule.done(*schedule.take(start), false, start);
    schedule.set(0, policy, periods({2s}), start + 100ms);
    EXPECT_EQ(schedule.next(), start + 1s);
    const auto due = schedule.take(start + 1s);
    EXPECT_TRUE(due->probe);
    EXPECT_EQ(due->scan, 0U);
}

TEST(ScheduleOffline, AsksAllOfflineDevicesAtOnceWhenTheLineIsBack) {
    Schedule schedule(start);
    const OfflinePolicy impatient{.after = 1, .probe_from = 1s, .probe_to = 1h};
    for (std::size_t device = 0; device < 3; ++device)
        schedule.set(device, impatient, periods({1s}), start);
    for (int i = 0; i < 3; ++i) {
        const auto due = schedule.take(start);
        schedule.done(*due, due->device == 0, start);
    }
    schedule.ask_all(start + 500ms);
    EXPECT_EQ(schedule.take(start + 500ms)->device, 1U);
    const auto probe = schedule.take(start + 500ms);
    EXPECT_EQ(probe->device, 2U);
    EXPECT_TRUE(probe->probe);
    EXPECT_FALSE(schedule.take(start + 500ms)) << "the one that is online keeps its turn";
    EXPECT_EQ(schedule.done(*probe, true, start + 510ms), DeviceStatus::online);
}

}  // namespace
}  // namespace fieldgate::southbound
