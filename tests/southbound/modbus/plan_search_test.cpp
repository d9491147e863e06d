#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/southbound/modbus/fake_device.h"

namespace fieldgate::southbound::modbus {
namespace {

TEST(DevicePlan, FindsARegisterThatTheDeviceDoesNotHave) {
    const CostModel cost(line());
    for (std::uint16_t hole = 0; hole < 60; ++hole) {
        DevicePlan plan(device(row(0, 60)), cost);
        FakeDevice fake{.holes = {hole}};
        const auto read = poll(plan, fake, 20);
        EXPECT_EQ(read.size(), 59U) << hole;
        EXPECT_EQ(plan.unreadable(), 1U);
        EXPECT_EQ(regular(plan).size(), hole == 0 || hole == 59 ? 1U : 2U) << hole;
        EXPECT_LE(fake.requests, 80) << hole;
    }
}

TEST(DevicePlan, FindsAHoleThatNobodyWants) {
    const CostModel cost(line());
    RegisterMap map;  // pairs at 0, 3, 6, ...; nothing at 2, 5, 8, ...
    for (std::uint16_t i = 0; i < 60; i = static_cast<std::uint16_t>(i + 3))
        map.fields.push_back(field(i, RawType::u32));
    for (std::uint16_t hole = 2; hole < 57; hole = static_cast<std::uint16_t>(hole + 3)) {
        DevicePlan plan(device(map), cost);
        FakeDevice fake{.holes = {hole}};
        EXPECT_EQ(poll(plan, fake, 20).size(), 20U) << hole;
        EXPECT_EQ(plan.unreadable(), 0U);
        EXPECT_EQ(regular(plan).size(), 2U) << hole;
        const int before = fake.requests;
        poll(plan, fake, 10);
        EXPECT_EQ(fake.requests, before + 20) << "the hole is remembered";
    }
}

TEST(DevicePlan, FindsManyHoles) {
    const CostModel cost(line());
    std::mt19937 random(3);
    for (int round = 0; round < 100; ++round) {
        RegisterMap map;
        std::uint16_t address = 0;
        for (int i = 0; i < 40; ++i) {
            map.fields.push_back(field(address, random() % 3 == 0 ? RawType::u32 : RawType::u16));
            address = static_cast<std::uint16_t>(address + 2 + random() % 3);
        }
        FakeDevice fake{.hole = round % 2 == 0 ? 2 : 3};
        for (auto n = random() % 6; n > 0; --n)
            fake.holes.insert(static_cast<std::uint16_t>(random() % address));
        std::size_t good = 0;
        for (const Field& f : map.fields) {
            bool hit = false;
            for (unsigned i = 0; i < width(f); ++i)
                hit = hit || fake.holes.contains(static_cast<std::uint16_t>(f.address + i));
            if (!hit) ++good;
        }
        DevicePlan plan(device(map), cost);
        EXPECT_EQ(poll(plan, fake, 100).size(), good) << "round " << round;
        const int before = fake.requests;
        poll(plan, fake, 1);
        EXPECT_EQ(fake.requests - before, static_cast<int>(regular(plan).size())) << "settled";
    }
}

TEST(DevicePlan, LearnsFromAnyExceptionToWhatNeverWorked) {
    const CostModel cost(line(115200));
    for (const int exception : {1, 2, 3, 4, 7, 8, 9, 128}) {
        RegisterMap map;
        map.fields = {field(10), field(11), field(16), field(20)};
        DevicePlan plan(device(map), cost);
        ASSERT_EQ(plan.scans().size(), 1U);
        FakeDevice fake{.holes = {13}, .hole = exception};
        EXPECT_EQ(poll(plan, fake, 20).size(), 4U) << exception;
        EXPECT_EQ(plan.unreadable(), 0U);
        EXPECT_EQ(plan.scans().size(), 2U);

        fake.holes = {11};  // a point is at fault
        DevicePlan other(device(map), cost);
        EXPECT_EQ(poll(other, fake, 20).size(), 3U) << exception;
        EXPECT_EQ(other.unreadable(), 1U);
        ASSERT_EQ(other.lessons().refused.size(), 1U);
        EXPECT_EQ(other.lessons().refused[0].exception, exception);
    }
}

TEST(DevicePlan, TakesABusyDeviceForBusyFirst) {
    const CostModel cost(line());
    DevicePlan plan(device(row(0, 20)), cost);
    for (int i = 0; i < 9; ++i) EXPECT_FALSE(plan.refused(0, 6));
    EXPECT_TRUE(plan.refused(0, 6)) << "it has never said anything else";
    FakeDevice fake{.holes = {7}, .hole = 5};
    EXPECT_EQ(poll(plan, fake, 200).size(), 19U);
}

TEST(DevicePlan, AsksWhatNeverWorkedForEachPointAlone) {
    const CostModel cost(line());
    RegisterMap map = row(0, 5);
    map.fields.push_back(field(500, RawType::u32));
    DevicePlan plan(device(map), cost);
    ASSERT_EQ(plan.scans().size(), 2U);
    std::set<std::pair<int, int>> asked;
    for (std::size_t i = 0; i < 40; ++i) {
        const Pdu pdu = plan.probe(i % 2).pdu;
        asked.emplace(pdu[1] * 256 + pdu[2], pdu[4]);
    }
    for (int point = 0; point < 5; ++point) EXPECT_TRUE(asked.contains({point, 1})) << point;
    EXPECT_TRUE(asked.contains({500, 2}));
    (void)plan.answered(0);
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(plan.probe(0).pdu, (Pdu{3, 0, 0, 0, 2}));
}

TEST(DevicePlan, LearnsHowMuchADeviceAnswersAtOnce) {
    const CostModel cost(line(115200));
    for (const int exception : {2, 3}) {
        for (const unsigned longest : {4U, 16U, 40U, 100U}) {
            RegisterMap map = row(0, 120);
            map.fields.push_back(field(200, RawType::u64));
            DevicePlan plan(device(map), cost);
            FakeDevice fake{.longest = longest, .too_long = exception};
            EXPECT_EQ(poll(plan, fake, 200).size(), 121U) << longest;
            EXPECT_EQ(plan.unreadable(), 0U);
            EXPECT_LE(regular(plan).size(), 120 / (longest / 4) + 2);
        }
    }
}

TEST(DevicePlan, LearnsFromSilenceToo) {
    const CostModel cost(line(115200));
    RegisterMap map = row(0, 100);
    map.fields.push_back(field(500));
    DevicePlan plan(device(map), cost);
    FakeDevice fake{.longest = 30, .too_long = 0};
    EXPECT_EQ(poll(plan, fake, 40).size(), 101U);
    EXPECT_EQ(plan.unreadable(), 0U);
}

TEST(DevicePlan, LearnsFromSilenceOfItsOnlyBlockWhenAProbeIsAnswered) {
    const CostModel cost(line(115200));
    DevicePlan plan(device(row(0, 100)), cost);
    for (int i = 0; i < 100; ++i)
        EXPECT_FALSE(plan.timed_out(0)) << "a dead device teaches nothing";
    bool changed = false;
    for (int i = 0; i < 3 && !changed; ++i) {
        for (int probe = 0; probe < 40; ++probe) plan.alive();
        changed = plan.timed_out(0);
    }
    EXPECT_TRUE(changed);
    EXPECT_LE(plan.scans()[0].count, 50);
}

TEST(DevicePlan, IsTaughtNothingByNoise) {
    const CostModel cost(line());
    DevicePlan plan(device(row(0, 100)), cost);
    EXPECT_FALSE(plan.answered(0));
    for (int i = 0; i < 1000; ++i) {
        plan.alive();
        EXPECT_FALSE(plan.timed_out(0));
    }
    EXPECT_FALSE(plan.refused(0, 6)) << "busy";
    EXPECT_FALSE(plan.refused(0, 4));
    EXPECT_EQ(plan.scans().size(), 1U);
}

TEST(DevicePlan, TriesARefusedPointAgainEverMoreRarely) {
    const CostModel cost(line());
    DevicePlan plan(device(row(0, 20)), cost);
    FakeDevice fake{.holes = {7}};
    poll(plan, fake, 20);
    const auto retry = std::find_if(plan.scans().begin(), plan.scans().end(),
                                    [](const Scan& scan) { return scan.retry; });
    ASSERT_NE(retry, plan.scans().end());
    EXPECT_EQ(retry->period, 15s);
    EXPECT_EQ(retry->first, 7);
    EXPECT_EQ(retry->count, 1);
    const auto position = static_cast<std::size_t>(retry - plan.scans().begin());
    EXPECT_FALSE(timings(plan.scans())[position].at_once);
    EXPECT_TRUE(plan.refused(position, 2));
    EXPECT_EQ(plan.scans()[position].period, 30s);
    for (int i = 0; i < 100; ++i) plan.refused(position, 2);
    EXPECT_EQ(plan.scans()[position].period, 1h);
    EXPECT_FALSE(plan.refused(position, 2)) << "nothing changes any more";

    fake.holes.clear();  // the device has learned it
    EXPECT_TRUE(plan.answered(position));
    EXPECT_EQ(plan.unreadable(), 0U);
    EXPECT_EQ(poll(plan, fake, 2).size(), 20U);
    EXPECT_EQ(plan.scans().size(), 1U);
}

TEST(DevicePlan, ForgetsWhatADeviceSaidWhileItStarted) {
    const CostModel cost(line());
    for (const int exception : {2, 3}) {
        DevicePlan plan(device(row(0, 60)), cost);
        FakeDevice starting{.longest = 0, .too_long = exception};
        poll(plan, starting, 200);
        EXPECT_EQ(plan.unreadable(), 60U);

        FakeDevice started;
        while (plan.unreadable() > 0) {  // the retries come round
            std::size_t retry = 0;
            while (!plan.scans()[retry].retry) ++retry;
            ASSERT_TRUE(plan.answered(retry));
        }
        poll(plan, started, 5);
        EXPECT_EQ(plan.scans().size(), 1U);
        EXPECT_EQ(plan.scans()[0].count, 60);
    }
}

TEST(DevicePlan, LearnsNothingFromAGatewayThatSpeaksForNobody) {
    const CostModel cost(line(115200));
    DevicePlan plan(device(row(0, 100)), cost);
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(plan.refused(0, 11));
        EXPECT_FALSE(plan.timed_out(0));
    }
}

TEST(DevicePlan, GivesUpPointsOfOneRegisterTogether) {
    RegisterMap map = row(0, 3);
    for (std::uint8_t bit = 0; bit < 8; ++bit) {
        map.fields.push_back(field(1));
        map.fields.back().bits = Bits{bit, bit};
    }
    const CostModel cost(line());
    DevicePlan plan(device(map), cost);
    FakeDevice fake{.holes = {1}};
    EXPECT_EQ(poll(plan, fake, 20), (std::set<PointIndex>{0, 2}));
    EXPECT_EQ(plan.unreadable(), 9U);
    EXPECT_EQ(plan.scans().size(), 3U) << "two blocks and one retry";
}

}  // namespace
}  // namespace fieldgate::southbound::modbus
