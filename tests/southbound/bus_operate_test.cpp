// What an operator, or the platform for one, may do to a bus.
#include "tests/southbound/writing.h"

namespace fieldgate::southbound::writing {
namespace {

using BusOperateTest = BusWriteTest;

TEST_P(BusOperateTest, SendsNothingWhileItIsSuspendedAndGoesOnByItself) {
    open(100ms);
    poll();
    ASSERT_TRUE(run_until([&] { return scans_ > 5 && last_.size() == points - 1; }));
    bus_->suspend(Clock::now() + 1h);
    EXPECT_TRUE(bus_->status().suspended);
    EXPECT_EQ(write(limit, std::int64_t{1}).error().code, Errc::busy);
    EXPECT_EQ(run(loop_, bus_->read(0, {limit})).error().code, Errc::busy);
    const auto raw = run(loop_, bus_->read_raw(unit, Table::holding, 0, 1));
    EXPECT_EQ(raw.error().code, Errc::busy);
    const auto pass = [&](milliseconds time) {
        const Instant end = Clock::now() + time;
        return run_until([&] { return Clock::now() > end; });
    };
    // What was on the wire has come back by then; nothing follows.
    ASSERT_TRUE(pass(200ms));
    const std::uint64_t requests = plant_.requests("site", unit);
    ASSERT_TRUE(pass(400ms));
    EXPECT_EQ(plant_.requests("site", unit), requests);
    const std::uint64_t overruns = bus_->status().overruns;
    const std::size_t scans = scans_;
    const Instant until = Clock::now() + 50ms;
    bus_->suspend(until);
    EXPECT_TRUE(run_until([&] { return scans_ > scans + 3; }));
    EXPECT_GE(Clock::now(), until);
    EXPECT_FALSE(bus_->status().suspended);
    EXPECT_LE(bus_->status().overruns, overruns + 10) << "thirty scans were nobody's fault";
    EXPECT_EQ(outcome(limit, std::int64_t{1}), Outcome::written);
}

TEST_P(BusOperateTest, GoesOnAtOnceWhenItIsResumed) {
    open(10ms);
    poll();
    ASSERT_TRUE(run_until([&] { return scans_ > 5; }));
    bus_->suspend(Clock::now() + 1h);
    ASSERT_TRUE(run_until([&] { return bus_->status().suspended; }));
    bus_->resume();
    const std::size_t scans = scans_;
    EXPECT_TRUE(run_until([&] { return scans_ > scans + 3; }));
    EXPECT_EQ(outcome(limit, std::int64_t{1}), Outcome::written);
}

TEST_P(BusOperateTest, ReadsEveryPointNowWhenItIsTold) {
    open(1h);
    poll();
    ASSERT_TRUE(run_until([&] { return last_.size() == points - 1; }));
    last_.clear();
    bus_->scan_now();
    EXPECT_TRUE(run_until([&] { return last_.size() == points - 1; }));
}

TEST_P(BusOperateTest, ReadsFasterForATimeAndThenAsBefore) {
    open(1h);
    poll();
    ASSERT_TRUE(run_until([&] { return last_.size() == points - 1; }));
    const Instant until = Clock::now() + 300ms;
    ASSERT_TRUE(bus_->set_period(0, 20ms, until));
    const std::size_t before = scans_;
    ASSERT_TRUE(run_until([&] { return Clock::now() > until + 200ms; }));
    const std::size_t fast = scans_ - before;
    EXPECT_GE(fast, 10U);
    EXPECT_LE(fast, 85U) << "15 periods of 5 blocks at most, and each once with its old period";
    const std::size_t after = scans_;
    ASSERT_TRUE(run_until([&] { return Clock::now() > until + 400ms; }));
    EXPECT_EQ(scans_, after);
    EXPECT_EQ(bus_->set_period(9, 20ms, until).error().code, Errc::unsupported);
    EXPECT_EQ(bus_->set_period(std::nullopt, 0ms, until).error().code, Errc::out_of_range);
    EXPECT_TRUE(bus_->set_period(std::nullopt, 20ms, Clock::now() + 1h));
    EXPECT_TRUE(run_until([&] { return scans_ > after + 10; }));
}

TEST_P(BusOperateTest, ReadsNoPointMuchFasterOrSlowerThanItsFileSays) {
    open(1s);
    poll();
    ASSERT_TRUE(run_until([&] { return last_.size() == points - 1; }));
    const Instant until = Clock::now() + 1h;
    for (const auto period : {99ms, 10'001ms, 86'400'000ms}) {
        const auto set = bus_->set_period(0, period, until, 10);
        ASSERT_FALSE(set) << period.count();
        EXPECT_EQ(set.error().code, Errc::out_of_range);
        EXPECT_NE(set.error().what.find("100 to 10000 ms"), std::string::npos) << set.error().what;
    }
    ASSERT_TRUE(bus_->set_period(0, 100ms, until, 10));
    const std::size_t before = scans_;
    EXPECT_TRUE(run_until([&] { return scans_ > before + 20; }));
}

TEST_P(BusOperateTest, ReadsNoAlarmMoreSlowly) {
    open(50ms);
    poll();
    ASSERT_TRUE(run_until([&] { return last_.size() == points - 1; }));
    ASSERT_TRUE(bus_->set_period(std::nullopt, 1h, Clock::now() + 1h));
    const Instant calm = Clock::now() + 100ms;  // what was on its way has come
    ASSERT_TRUE(run_until([&] { return Clock::now() > calm; }));
    last_.clear();
    const std::size_t before = scans_;
    EXPECT_TRUE(run_until([&] { return scans_ > before + 5; }));
    ASSERT_EQ(last_.size(), 1U);
    EXPECT_TRUE(last_.contains(fixed));
}

TEST_P(BusOperateTest, ReadsRegistersThatNobodyHasPlanned) {
    open(1h);
    plant_.set_holding("site", unit, 100, 0xABCD);
    plant_.set_holding("site", unit, 101, 7);
    const auto words = run(loop_, bus_->read_raw(unit, Table::holding, 100, 2));
    ASSERT_TRUE(words) << words.error().what;
    EXPECT_EQ(*words, (std::vector<std::uint16_t>{0xABCD, 7}));
    ASSERT_EQ(outcome(breaker, true), Outcome::written);
    const auto bits = run(loop_, bus_->read_raw(unit, Table::coil, 2, 10));
    ASSERT_TRUE(bits);
    EXPECT_EQ(*bits, (std::vector<std::uint16_t>{0, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
    const auto beyond = run(loop_, bus_->read_raw(unit, Table::holding, 499, 2));
    EXPECT_EQ(beyond.error().code, Errc::refused);
    EXPECT_EQ(beyond.error().detail, 2);
    for (const auto& [who, count] : {std::pair{0, 1}, {7, 0}, {7, 126}})
        EXPECT_EQ(run(loop_, bus_->read_raw(static_cast<std::uint8_t>(who), Table::holding, 0,
                                            static_cast<std::uint16_t>(count)))
                      .error()
                      .code,
                  Errc::out_of_range);
    const auto end = run(loop_, bus_->read_raw(unit, Table::input, 65535, 2));
    EXPECT_EQ(end.error().code, Errc::out_of_range);
}

INSTANTIATE_TEST_SUITE_P(Wires, BusOperateTest,
                         testing::Values(lab::Framing::tcp, lab::Framing::rtu), wire_name);

}  // namespace
}  // namespace fieldgate::southbound::writing
