#include "southbound/modbus/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace fieldgate::southbound::modbus {
namespace {

using namespace std::chrono_literals;

BusSettings line(std::uint32_t baud = 9600) {
    SerialSettings serial;
    serial.baud = baud;
    BusSettings bus;
    bus.wire = serial;
    return bus;
}

Field field(std::uint16_t address, RawType type = RawType::u16, Table table = Table::holding) {
    Field result;
    result.table = table;
    result.address = address;
    result.type = type;
    return result;
}

DeviceSettings device(RegisterMap map, std::chrono::milliseconds period = 1s) {
    DeviceSettings result;
    result.unit = 5;
    result.every.assign(map.fields.size(), period);
    result.map = std::make_shared<const RegisterMap>(std::move(map));
    return result;
}

/// A device that refuses or ignores what it does not know.
struct FakeDevice {
    std::set<std::uint16_t> holes{};
    unsigned longest = 125;
    int too_long = 3;  ///< The exception for that; 0: silence.
    int hole = 2;
    int requests = 0;

    // 0: answered; -1: silent; else the exception.
    int ask(const Scan& scan) {
        ++requests;
        if (scan.count > longest) return too_long == 0 ? -1 : too_long;
        for (unsigned i = scan.first; i < scan.first + 0U + scan.count; ++i)
            if (holes.contains(static_cast<std::uint16_t>(i))) return hole == 0 ? -1 : hole;
        return 0;
    }
};

bool tell(DevicePlan& plan, std::size_t scan, int answer) {
    if (answer == 0) return plan.answered(scan);
    if (answer < 0) return plan.timed_out(scan);
    return plan.refused(scan, answer);
}

/// Polls every regular scan round after round; returns the points that were answered in the last.
std::set<PointIndex> poll(DevicePlan& plan, FakeDevice& fake, int rounds) {
    std::set<PointIndex> read;
    for (int round = 0; round < rounds; ++round) {
        read.clear();
        for (std::size_t i = 0; i < plan.scans().size(); ++i) {
            if (plan.scans()[i].retry) continue;
            const Scan scan = plan.scans()[i];
            const int answer = fake.ask(scan);
            if (answer == 0)
                for (const ScanField& f : scan.fields) read.insert(f.point);
            if (tell(plan, i, answer)) break;  // positions are void; a new round
        }
    }
    return read;
}

std::vector<Scan> regular(const DevicePlan& plan) {
    std::vector<Scan> result;
    for (const Scan& scan : plan.scans())
        if (!scan.retry) result.push_back(scan);
    return result;
}

RegisterMap row(std::uint16_t first, std::uint16_t count) {
    RegisterMap map;
    for (std::uint16_t i = 0; i < count; ++i)
        map.fields.push_back(field(static_cast<std::uint16_t>(first + i)));
    return map;
}

TEST(DevicePlan, MakesARequestOfEveryBlock) {
    RegisterMap map;
    map.fields = {field(10, RawType::u32), field(13), field(7, RawType::boolean, Table::coil)};
    const CostModel cost(line());
    const DevicePlan plan(device(map), cost);
    ASSERT_EQ(plan.scans().size(), 2U);
    EXPECT_EQ(plan.scans()[0].request.pdu, (Pdu{1, 0, 7, 0, 1}));
    EXPECT_EQ(plan.scans()[1].request.pdu, (Pdu{3, 0, 10, 0, 4}));
    EXPECT_EQ(plan.scans()[1].request.unit, 5);
    ASSERT_EQ(plan.scans()[1].fields.size(), 2U);
    EXPECT_EQ(plan.scans()[1].fields[1].offset, 3);
    EXPECT_EQ(plan.scans()[1].fields[1].point, 1U);
}

TEST(DevicePlan, IsTheSameForAnotherUnitWithTheSameFields) {
    const CostModel cost(line());
    const DeviceSettings five = device(row(0, 300));
    DeviceSettings nine = five;
    nine.unit = 9;
    const DevicePlan plan(five, cost);
    ASSERT_TRUE(plan.suits(nine));
    const DevicePlan made(nine, cost);
    const DevicePlan copied(plan, nine);
    ASSERT_EQ(copied.scans().size(), made.scans().size());
    for (std::size_t i = 0; i < made.scans().size(); ++i) {
        EXPECT_EQ(copied.scans()[i].request.unit, 9);
        EXPECT_EQ(copied.scans()[i].request.pdu, made.scans()[i].request.pdu);
        EXPECT_EQ(copied.scans()[i].fields.size(), made.scans()[i].fields.size());
    }
    nine.every[7] = 2s;
    EXPECT_FALSE(plan.suits(nine));
}

TEST(DevicePlan, NeverReadsForbiddenRegistersNotEvenForAPoint) {
    RegisterMap map = row(0, 10);
    map.fields.push_back(field(45));
    map.forbidden = {{Table::holding, 5, 6}, {Table::holding, 45, 45}, {Table::coil, 0, 9}};
    const CostModel cost(line());
    const DevicePlan plan(device(map), cost);
    EXPECT_EQ(plan.unreadable(), 3U);
    for (const Scan& scan : plan.scans()) {
        const unsigned end = scan.first + 0U + scan.count;
        EXPECT_TRUE(end <= 5 || (scan.first > 6 && end <= 45)) << scan.first;
    }
}

TEST(DevicePlan, AsksForSixteenTimesAsManyCoils) {
    RegisterMap map;
    for (std::uint16_t i = 0; i < 200; ++i)
        map.fields.push_back(field(i, RawType::boolean, Table::coil));
    map.max_registers = 10;
    const CostModel cost(line());
    const DevicePlan plan(device(map), cost);
    ASSERT_EQ(plan.scans().size(), 2U);
    EXPECT_LE(plan.scans()[0].count, 160);
}

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

TEST(DevicePlan, DropsAPointThatNoRequestCanRead) {
    RegisterMap map = row(0, 1);
    map.fields.push_back(field(10, RawType::string));
    map.fields.back().length = 300;
    map.fields.push_back(field(0xFFFF, RawType::u32));
    const CostModel cost(line());
    const DevicePlan plan(device(map), cost);
    EXPECT_EQ(plan.unreadable(), 2U);
    EXPECT_EQ(plan.scans().size(), 1U);
}

TEST(Timings, TellScansApart) {
    const CostModel cost(line());
    DevicePlan plan(device(row(0, 20)), cost);
    FakeDevice fake{.holes = {7}};
    poll(plan, fake, 20);
    std::set<std::uint64_t> keys;
    for (const auto& timing : timings(plan.scans())) keys.insert(timing.key);
    EXPECT_EQ(keys.size(), 3U);
}

TEST(DevicePlan, BringsAPointThatIsWantedThoughItsTurnHasPassed) {
    RegisterMap map;
    for (std::uint16_t i = 0; i < 3; ++i) map.fields.push_back(field(i));
    DeviceSettings settings = device(map);
    settings.every[1] = 10s;
    const CostModel cost(line());
    DevicePlan plan(settings, cost);
    ASSERT_EQ(plan.scans().size(), 1U) << "the slow point rides along";
    const Pdu reply{3, 6, 0, 1, 0, 2, 0, 3};
    NoValues none;
    const auto read = [&](std::uint64_t tick) {
        std::vector<Reading> readings;
        decode(plan.map(), plan.scans()[0], tick, reply, readings, none);
        return readings.size();
    };
    EXPECT_EQ(read(0), 3U);
    EXPECT_EQ(read(1), 2U);
    EXPECT_EQ(plan.want(1), std::optional<std::size_t>(0));
    EXPECT_EQ(read(1), 3U);
    EXPECT_EQ(read(2), 2U);
    EXPECT_EQ(plan.want(7), std::nullopt);

    std::vector<Scan> now = plan.scans_of({1, 2, 7});
    ASSERT_EQ(now.size(), 1U);
    std::vector<Reading> readings;
    decode(plan.map(), now[0], 2, reply, readings, none);
    EXPECT_EQ(readings.size(), 2U);
    EXPECT_EQ(read(2), 0U + 2U) << "nobody's turn was taken";
    EXPECT_TRUE(plan.scans_of({}).empty());
}

}  // namespace
}  // namespace fieldgate::southbound::modbus
