// A write whose time may be over before the wire is free, and one that has to be made whatever the
// bus is told.
#include "tests/southbound/writing.h"

namespace fieldgate::southbound::writing {
namespace {

using BusInsistTest = BusWriteTest;

TEST_P(BusInsistTest, SendsNothingWhoseTimeIsOver) {
    open(1h);
    const auto late = [&](PointIndex point, Value value, Instant not_after) {
        return run(loop_, bus_->write(0, point, std::move(value), not_after));
    };
    EXPECT_EQ(late(limit, std::int64_t{1}, Clock::now()).error().code, Errc::timeout);
    EXPECT_EQ(late(mode, std::int64_t{1}, Clock::now()).error().code, Errc::timeout);
    EXPECT_TRUE(seen().empty());
    EXPECT_EQ(bus_->status().writes, 0U);
    EXPECT_TRUE(late(limit, std::int64_t{1}, Clock::now() + 10s));
    EXPECT_EQ(seen().size(), 1U);
}

// The wire is free in time, and the link may not use it yet: the unit owes an answer.
TEST_P(BusInsistTest, SendsNothingThatTheLinkHeldBackForTooLong) {
    if (GetParam() == lab::Framing::tcp) GTEST_SKIP() << "TCP answers have a number: no doubts";
    open_known();
    plant_.set_fault("site", unit, {FaultKind::silent, 0ms, 0, 1});
    EXPECT_EQ(outcome(limit, std::int64_t{1}), Outcome::unknown);
    ASSERT_EQ(seen().size(), 1U);
    const auto held = run(loop_, bus_->write(0, counter, std::int64_t{7}, Clock::now() + 50ms));
    ASSERT_FALSE(held);
    EXPECT_EQ(held.error().code, Errc::timeout);
    EXPECT_EQ(seen().size(), 1U);
    EXPECT_EQ(outcome(counter, std::int64_t{7}), Outcome::written);
}

TEST_P(BusInsistTest, WritesThroughASuspension) {
    open(10ms);
    poll();
    ASSERT_TRUE(run_until([&] { return scans_ > 5; }));
    bus_->suspend(Clock::now() + 1h);
    ASSERT_EQ(write(limit, std::int64_t{1}).error().code, Errc::busy);
    const Bus::WriteHow insisting(Instant::max(), true);
    const auto written = run(loop_, bus_->write(0, verified, std::int64_t{5}, insisting));
    ASSERT_TRUE(written) << written.error().what;
    EXPECT_EQ(written->outcome, Outcome::written) << written->what;
    EXPECT_EQ(word(40), 5);
    EXPECT_TRUE(bus_->status().suspended);
}

TEST_P(BusInsistTest, AsksADeviceOfASuspendedBusBeforeItWritesToIt) {
    open(20ms);
    poll();
    ASSERT_TRUE(run_until([&] { return scans_ > 5; }));
    bus_->suspend(Clock::now() + 1h);
    plant_.set_fault("site", 0, {FaultKind::silent, 0ms, 0, 0});
    const Bus::WriteHow insisting(Instant::max(), true);
    const auto dead = run(loop_, bus_->write(0, limit, std::int64_t{1}, insisting));
    ASSERT_FALSE(dead);
    EXPECT_EQ(dead.error().code, Errc::busy);
    EXPECT_TRUE(seen().empty()) << "nobody would know what became of it";
    plant_.set_fault("site", 0, {});
    const auto back = run(loop_, bus_->write(0, limit, std::int64_t{1}, insisting));
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(back->outcome, Outcome::written);
    EXPECT_EQ(seen().size(), 1U);
}

TEST_P(BusInsistTest, TakesDevicesOverThoughItIsSuspended) {
    open(20ms);
    poll();
    ASSERT_TRUE(run_until([&] { return scans_ > 5; }));
    bus_->suspend(Clock::now() + 1h);
    DeviceSettings other = device(20ms);
    other.device.edition = 2;
    bus_->serve({other});
    const Bus::WriteHow insisting(Instant::max(), true);
    ASSERT_TRUE(run_until([&] {
        const auto written =
            run(loop_, bus_->write(DeviceRef(0, 2), limit, std::int64_t{1}, insisting));
        return written && written->outcome == Outcome::written;
    }));
    EXPECT_EQ(
        run(loop_, bus_->write(DeviceRef(0, 0), limit, std::int64_t{1}, insisting)).error().code,
        Errc::unsupported);
}

INSTANTIATE_TEST_SUITE_P(Wires, BusInsistTest,
                         testing::Values(lab::Framing::tcp, lab::Framing::rtu), wire_name);

}  // namespace
}  // namespace fieldgate::southbound::writing
