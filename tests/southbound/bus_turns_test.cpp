// Writes and reads out of turn while the bus polls.
#include <algorithm>

#include "tests/southbound/writing.h"

namespace fieldgate::southbound::writing {
namespace {

using BusTurnsTest = BusWriteTest;

TEST_P(BusTurnsTest, LetsNothingBetweenTheReadingAndTheWritingOfBits) {
    open(1ms);
    poll();
    ASSERT_TRUE(run_until([&] { return scans_ > 20; }));
    for (unsigned i = 1; i < 16; ++i) {
        std::optional<Result<Written>> first;
        std::optional<Result<Written>> second;
        flows_.spawn("first", keep(bus_->write(0, mode, std::int64_t{i}), first));
        flows_.spawn("second", keep(bus_->write(0, phase, std::int64_t{i}), second));
        ASSERT_TRUE(run_until([&] { return first && second; }));
        EXPECT_EQ(word(30), i << 4 | i) << "neither has taken the other's bits back";
    }
    EXPECT_EQ(seen().size(), 30U);
}

TEST_P(BusTurnsTest, ReportsAWrittenPointAtOnceHoweverSlowItsPeriodIs) {
    open(1h);
    poll();
    ASSERT_TRUE(run_until([&] { return last_.contains(limit) && last_.contains(counter); }));
    const std::size_t before = scans_;
    EXPECT_EQ(outcome(limit, Decimal{125, 1}), Outcome::written);
    const auto reported = [&] { return last_[limit] == Value(Decimal{125, 1}); };
    EXPECT_TRUE(run_until(reported, 500ms));
    EXPECT_EQ(scans_, before + 1) << "its block once, and nothing else";
}

TEST_P(BusTurnsTest, WaitsForOneScanAtMostBehindAPollingThatNeverRests) {
    open(1ms);
    poll();
    ASSERT_TRUE(run_until([&] { return scans_ > 20; }));
    for (std::int64_t i = 0; i < 50; ++i) {
        const std::uint64_t before = plant_.requests("site", unit);
        ASSERT_EQ(outcome(counter, i), Outcome::written);
        const std::uint64_t number = plant_.writes("site", unit).back().request;
        // One scan was on the wire, seen by the slave or not.
        EXPECT_LE(number, before + 2) << i;
    }
}

TEST_P(BusTurnsTest, KeepsPollingThroughAHundredWritesInARow) {
    open(1ms);
    poll();
    ASSERT_TRUE(run_until([&] { return scans_ > 20; }));
    const std::size_t before = scans_;
    for (std::int64_t i = 1; i <= 100; ++i) ASSERT_EQ(outcome(counter, i), Outcome::written);
    EXPECT_GE(scans_ - before, 90U) << "a scan between two writes";
    ASSERT_EQ(seen().size(), 100U);
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(seen()[i][7], i + 1);
    EXPECT_EQ(bus_->status().errors.timeout, 0U);
}

TEST_P(BusTurnsTest, LeavesThreeTurnsInFourToAPollingThatNeverRests) {
    open(1ms);
    poll();
    plant_.set_fault("site", unit, {FaultKind::late, 3ms, 0, 0});
    ASSERT_TRUE(run_until([&] { return scans_ > 20; }));
    const std::size_t before = scans_;
    std::size_t answered = 0;
    const auto ask = [](Bus& bus, std::size_t& count) -> asio::awaitable<void> {
        for (;;) {
            const auto words = co_await bus.read_raw(unit, Table::holding, 10, 1);
            if (words) ++count;
        }
    };
    TaskGroup askers(loop_.get_executor());
    for (int i = 0; i < 3; ++i) askers.spawn("ask", ask(*bus_, answered));
    ASSERT_TRUE(run_until([&] { return answered >= 100; }, 20s));
    EXPECT_GE(scans_ - before, 250U);
    const auto stop_all = [](TaskGroup& group) -> asio::awaitable<int> {
        co_await group.stop();
        co_return 0;
    };
    run(loop_, stop_all(askers));
}

TEST_P(BusTurnsTest, ReadsAWholeDeviceNowInTheRequestsOfItsPlan) {
    open(1h);
    poll();
    ASSERT_TRUE(run_until([&] { return last_.contains(limit) && last_.contains(counter); }));
    // By now the plan knows what the device refuses.
    ASSERT_TRUE(run_until([&] { return last_.size() == points - 1; }));
    plant_.set_holding("site", unit, 10, 55);
    const std::uint64_t overruns = bus_->status().overruns;
    const std::uint64_t requests = plant_.requests("site", unit);
    const std::size_t scans = scans_;
    std::vector<PointIndex> all;
    for (PointIndex i = 0; i < points; ++i) all.push_back(i);
    const Result<Readings> now = run(loop_, bus_->read(0, all));
    ASSERT_TRUE(now) << now.error().what;
    EXPECT_EQ(now->values.size(), std::size_t{points} - 1) << "all but the one it refuses";
    const Reading expected{limit, Decimal{55, 1}};
    EXPECT_NE(std::find(now->values.begin(), now->values.end(), expected), now->values.end());
    EXPECT_LE(plant_.requests("site", unit) - requests, 4U);
    EXPECT_EQ(bus_->status().overruns, overruns);
    EXPECT_EQ(scans_, scans) << "the schedule is as it was";
    EXPECT_EQ(run(loop_, bus_->read(0, {missing})).error().code, Errc::unsupported);
    EXPECT_EQ(run(loop_, bus_->read(3, {limit})).error().code, Errc::unsupported);
}

TEST_P(BusTurnsTest, GivesTheWireBackWhenAWriteIsCancelled) {
    open_known();
    plant_.set_fault("site", unit, {FaultKind::late, 80ms, 0, 1});
    TaskGroup writers(loop_.get_executor());
    std::optional<Result<Written>> first;
    std::optional<Result<Written>> second;
    writers.spawn("first", keep(bus_->write(0, limit, std::int64_t{1}), first));
    writers.spawn("second", keep(bus_->write(0, limit, std::int64_t{2}), second));
    ASSERT_TRUE(run_until([&] { return requests() == 1; }));
    const auto stop_all = [](TaskGroup& group) -> asio::awaitable<int> {
        co_await group.stop();
        co_return 0;
    };
    run(loop_, stop_all(writers));
    EXPECT_FALSE(second);
    const auto written = [&] { return write(counter, std::int64_t{3}).has_value(); };
    EXPECT_TRUE(run_until(written));
    EXPECT_EQ(seen().size(), 2U) << "the second has never left";
}

INSTANTIATE_TEST_SUITE_P(Wires, BusTurnsTest, testing::Values(lab::Framing::tcp, lab::Framing::rtu),
                         wire_name);

}  // namespace
}  // namespace fieldgate::southbound::writing
