#include "southbound/modbus/plan.h"

#include <gtest/gtest.h>

#include "tests/southbound/modbus/fake_device.h"

namespace fieldgate::southbound::modbus {
namespace {

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

TEST(DevicePlan, NeverReadsWhatIsOnlyWritten) {
    RegisterMap map = row(0, 3);
    map.fields[1].never_read = true;
    map.gap = 0;
    const CostModel cost(line());
    DevicePlan plan(device(map), cost);
    EXPECT_EQ(plan.scans().size(), 2U);
    EXPECT_EQ(plan.unreadable(), 0U) << "nobody wants to read it";
    EXPECT_FALSE(plan.want(1));
}

TEST(DevicePlan, ReadsEachPointByItselfButForThoseOfTheSameRegisters) {
    RegisterMap map;
    map.fields = {field(0), field(1), field(2, RawType::u32), field(1), field(2)};
    map.fields[3].bits = Bits{0, 3};
    map.alone = true;
    DeviceSettings settings = device(map);
    settings.every[3] = 5s;  // rides along
    const CostModel cost(line());
    const DevicePlan plan(settings, cost);
    ASSERT_EQ(plan.scans().size(), 4U);
    for (const Scan& scan : plan.scans()) {
        EXPECT_EQ(scan.count, width(map.fields[scan.fields[0].point]));
        EXPECT_EQ(scan.fields.size(), scan.first == 1 ? 2U : 1U);
    }
}

TEST(DevicePlan, BeginsWhereTheDeviceWantsItTo) {
    RegisterMap map;
    map.fields = {field(98), field(103), field(104, RawType::u32), field(100), field(102)};
    map.fields[1].begins_at = 100;
    map.fields[2].begins_at = 100;
    DeviceSettings settings = device(map);
    settings.every[2] = 5s;
    const CostModel cost(line());
    const DevicePlan plan(settings, cost);
    ASSERT_EQ(plan.scans().size(), 2U);
    EXPECT_EQ(plan.scans()[0].first, 98);
    EXPECT_EQ(plan.scans()[0].count, 1);
    EXPECT_EQ(plan.scans()[1].first, 100);
    EXPECT_EQ(plan.scans()[1].count, 6);
    for (const ScanField& f : plan.scans()[1].fields)
        EXPECT_EQ(100 + f.offset, map.fields[f.point].address);
}

TEST(DevicePlan, AsksForAsManyAsTheDeviceAnswers) {
    RegisterMap map;
    map.fields = {field(10), field(65535), field(20), field(30, RawType::u64)};
    map.fields.push_back(field(40, RawType::boolean, Table::coil));
    map.forbidden = {{Table::holding, 21, 25}};
    map.min_registers = 2;
    map.gap = 0;
    const CostModel cost(line());
    DevicePlan plan(device(map), cost);
    std::set<std::pair<int, int>> asked;
    for (std::size_t i = 0; i < plan.scans().size(); ++i) {
        const Scan& scan = plan.scans()[i];
        asked.emplace(scan.first, scan.count);
        EXPECT_EQ(scan.first + scan.fields[0].offset, map.fields[scan.fields[0].point].address);
        EXPECT_GE(plan.probe(i).pdu[4], scan.table == Table::coil ? 1 : 2);
    }
    EXPECT_EQ(asked,
              (std::set<std::pair<int, int>>{{10, 2}, {65534, 2}, {19, 2}, {30, 4}, {40, 1}}));
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
