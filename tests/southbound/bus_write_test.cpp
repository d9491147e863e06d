// What becomes of a write, and what the device has seen of it.
#include "tests/southbound/writing.h"

namespace fieldgate::southbound::writing {
namespace {

// A device that takes no more than 100 for `verified`, and only two requests after it was told.
class Stubborn final : public lab::Values {
public:
    void refresh(std::uint8_t, std::int64_t, const lab::Tables& tables) override {
        std::uint16_t& word = tables.holding[40];
        if (word != taken_) {
            wanted_ = std::min<std::uint16_t>(word, 100);
            word = taken_;
            asked_ = 0;
        } else if (wanted_ != taken_ && ++asked_ == 2) {
            taken_ = word = wanted_;
        }
    }
    std::vector<lab::TrueValue> truth(std::uint8_t, const lab::Tables&) const override {
        return {};
    }

private:
    std::uint16_t taken_ = 0;
    std::uint16_t wanted_ = 0;
    unsigned asked_ = 0;
};

TEST_P(BusWriteTest, SendsEachValueOnceByTheFunctionForItsKind) {
    open_known();
    EXPECT_EQ(outcome(limit, Decimal{-235, 1}), Outcome::written);
    EXPECT_EQ(outcome(breaker, true), Outcome::written);
    EXPECT_EQ(outcome(counter, std::int64_t{0x00012345}), Outcome::written);
    const std::vector<Bytes> expected{
        {6, 0, 10, 0xFF, 0x15}, {5, 0, 3, 0xFF, 0}, {16, 0, 20, 0, 2, 4, 0x23, 0x45, 0, 1}};
    EXPECT_EQ(seen(), expected);
    EXPECT_EQ(word(10), 0xFF15);
    EXPECT_TRUE(plant_.coil("site", unit, 3));
    EXPECT_EQ(word(20), 0x2345);
    EXPECT_EQ(requests(), 3U) << "nothing is read without need";
    EXPECT_EQ(bus_->status().writes, 3U);
}

TEST_P(BusWriteTest, LeavesTheBitsOfOthersAlone) {
    open();
    plant_.set_holding("site", unit, 30, 0xABCD);
    EXPECT_EQ(outcome(mode, std::int64_t{5}), Outcome::written);
    EXPECT_EQ(word(30), 0xAB5D);
    EXPECT_EQ(outcome(stage, std::int64_t{2}), Outcome::written);
    EXPECT_EQ(word(30), 0xA25D);
    const std::vector<Bytes> expected{{6, 0, 30, 0xAB, 0x5D}, {22, 0, 30, 0xF0, 0xFF, 0x02, 0}};
    EXPECT_EQ(seen(), expected);
    EXPECT_EQ(plant_.requests("site", unit), 3U) << "a read, FC 6, FC 22";
}

TEST_P(BusWriteTest, SaysUnknownAfterADoubtfulAnswerAndNeverRepeats) {
    open_known();
    std::int64_t value = 0;
    for (const FaultKind kind :
         {FaultKind::silent, FaultKind::truncated, FaultKind::wrong_unit, FaultKind::wrong_function,
          FaultKind::wrong_byte_count, FaultKind::drop, FaultKind::noise_before,
          FaultKind::wrong_header}) {
        const std::size_t before = seen().size();
        plant_.set_fault("site", unit, {kind, 0ms, 0, 1});
        const Result<Written> written = write(counter, ++value);
        ASSERT_TRUE(written) << static_cast<int>(kind) << ": " << written.error().what;
        EXPECT_EQ(written->outcome, Outcome::unknown) << static_cast<int>(kind);
        EXPECT_FALSE(written->what.empty());
        EXPECT_EQ(seen().size(), before + 1) << static_cast<int>(kind);
        // The wire is good for the next one, if it waits for what the link waits for.
        const auto answered = [&] { return write(limit, std::int64_t{1}).has_value(); };
        ASSERT_TRUE(run_until(answered)) << static_cast<int>(kind);
    }
}

TEST_P(BusWriteTest, TellsTheExceptionOfADeviceThatRefuses) {
    open();
    const Result<Written> beyond = write(missing, std::int64_t{1});
    ASSERT_TRUE(beyond);
    EXPECT_EQ(beyond->outcome, Outcome::refused);
    EXPECT_EQ(beyond->exception, 2);
    EXPECT_EQ(beyond->what.substr(beyond->what.find("exception")),
              "exception 2: illegal data address");
    for (std::uint8_t code = 2; code <= 11; ++code) {
        plant_.set_fault("site", unit, {FaultKind::exception, 0ms, code, 1});
        const Result<Written> written = write(limit, std::int64_t{1});
        ASSERT_TRUE(written);
        // The device is still at it; a gateway has passed it on and heard nothing.
        const bool open = code == 5 || code == 11;
        EXPECT_EQ(written->outcome, open ? Outcome::unknown : Outcome::refused) << int{code};
        EXPECT_EQ(written->exception, code);
    }
    EXPECT_EQ(seen().size(), 11U);
}

TEST_P(BusWriteTest, UsesFc16FromThenOnWhereFc6IsUnknown) {
    lab::SlaveLimits limits;
    limits.unknown_functions = {6};
    open(1h, lab::memory_values, limits);
    EXPECT_EQ(outcome(limit, std::int64_t{1}), Outcome::written);
    EXPECT_EQ(outcome(limit, std::int64_t{2}), Outcome::written);
    const std::vector<Bytes> expected{
        {6, 0, 10, 0, 10}, {16, 0, 10, 0, 1, 2, 0, 10}, {16, 0, 10, 0, 1, 2, 0, 20}};
    EXPECT_EQ(seen(), expected);
    EXPECT_EQ(word(10), 20);
}

TEST_P(BusWriteTest, SendsNothingForWhatCannotBeWritten) {
    open();
    EXPECT_EQ(write(fixed, std::int64_t{1}).error().code, Errc::unsupported);
    EXPECT_EQ(write(points, std::int64_t{1}).error().code, Errc::unsupported);
    EXPECT_EQ(run(loop_, bus_->write(5, limit, std::int64_t{1})).error().code, Errc::unsupported);
    EXPECT_EQ(write(limit, Decimal{235, 2}).error().code, Errc::out_of_range);
    EXPECT_EQ(write(limit, std::string("1")).error().code, Errc::bad_data);
    EXPECT_EQ(plant_.requests("site", unit), 0U);
    EXPECT_EQ(bus_->status().writes, 0U);
}

TEST_P(BusWriteTest, SaysThatNothingHasLeftWhereThereIsNoWire) {
    open();
    ASSERT_EQ(outcome(limit, std::int64_t{1}), Outcome::written);
    plant_.unplug("site");
    const Result<Written> lost = write(limit, std::int64_t{2});
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Errc::closed) << lost.error().what;
    plant_.plug("site");
    const auto written = [&] { return write(limit, std::int64_t{3}).has_value(); };
    EXPECT_TRUE(run_until(written));
    EXPECT_EQ(bus_->status().writes, 2U);
    EXPECT_EQ(word(10), 30);
}

TEST_P(BusWriteTest, AsksNothingOfADeviceThatIsOffline) {
    open(10ms);
    poll();
    ASSERT_TRUE(run_until([&] { return scans_ > 3; }));
    plant_.set_fault("site", unit, {FaultKind::silent, 0ms, 0, 0});
    const auto offline = [&] { return bus_->status().devices[0].status == DeviceStatus::offline; };
    ASSERT_TRUE(run_until(offline));
    EXPECT_EQ(write(limit, std::int64_t{2}).error().code, Errc::closed);
    EXPECT_EQ(run(loop_, bus_->read(0, {limit})).error().code, Errc::closed);
    EXPECT_TRUE(seen().empty());
}

TEST_P(BusWriteTest, ReadsBackUntilTheDeviceHasTakenTheValue) {
    open(1h, [] { return std::make_unique<Stubborn>(); });
    const Result<Written> written = write(verified, std::int64_t{70});
    ASSERT_TRUE(written);
    EXPECT_EQ(written->outcome, Outcome::written) << written->what;
    EXPECT_EQ(written->read_back, Value(std::uint64_t{70}));
    EXPECT_GE(plant_.requests("site", unit), 3U);
    EXPECT_EQ(seen().size(), 1U);
}

TEST_P(BusWriteTest, SaysWhatItReadInsteadOfTheWantedValue) {
    open(1h, [] { return std::make_unique<Stubborn>(); });
    const auto begin = Clock::now();
    const Result<Written> written = write(verified, std::int64_t{150});
    ASSERT_TRUE(written);
    EXPECT_EQ(written->outcome, Outcome::mismatch);
    EXPECT_EQ(written->read_back, Value(std::uint64_t{100}));
    EXPECT_EQ(written->what, "it reads as 100");
    EXPECT_GE(Clock::now() - begin, 300ms);
    EXPECT_EQ(seen().size(), 1U) << "it is not written again";
}

TEST_P(BusWriteTest, TakesAFloatForVerifiedThatIsAsNearAsItCanBe) {
    open();
    EXPECT_EQ(outcome(gain, Decimal{123456789012345678, 17}), Outcome::written);
    EXPECT_EQ(outcome(gain, Decimal{1, 1}), Outcome::written);
}

TEST_P(BusWriteTest, SaysUnknownIfNothingCanBeReadBack) {
    open_known();
    // Answers the write, and nothing after it.
    plant_.set_fault("site", unit, {FaultKind::late, 60ms, 0, 1});
    std::optional<Result<Written>> result;
    flows_.spawn("write", keep(bus_->write(0, verified, std::int64_t{5}), result));
    ASSERT_TRUE(run_until([&] { return requests() == 1; }));
    plant_.set_fault("site", unit, {FaultKind::silent, 0ms, 0, 0});
    ASSERT_TRUE(run_until([&] { return result.has_value(); }));
    const Result<Written>& written = *result;
    ASSERT_TRUE(written);
    EXPECT_EQ(written->outcome, Outcome::unknown);
    EXPECT_FALSE(written->read_back);
    EXPECT_TRUE(written->what.starts_with("not read back: ")) << written->what;
    EXPECT_EQ(seen().size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Wires, BusWriteTest, testing::Values(lab::Framing::tcp, lab::Framing::rtu),
                         wire_name);

}  // namespace
}  // namespace fieldgate::southbound::writing
