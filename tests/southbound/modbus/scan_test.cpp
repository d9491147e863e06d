#include "southbound/modbus/scan.h"

#include <gtest/gtest.h>

#include "southbound/link.h"

namespace fieldgate::southbound::modbus {
namespace {

const Pdu reply{3, 6, 0, 7, 0xFF, 0xFF, 0x12, 0x3A};

struct ThreeRegisters : testing::Test {
    ThreeRegisters() {
        map.fields.resize(3);
        map.fields[1].absent = {0xFFFF};
        map.fields[2].type = RawType::bcd16;
        scan.first = 0;
        scan.count = 3;
    }
    std::vector<Reading> read(std::uint64_t tick) {
        std::vector<Reading> out;
        decode(map, scan, tick, reply, out, none);
        return out;
    }
    RegisterMap map;
    Scan scan;
    NoValues none;
};

TEST_F(ThreeRegisters, BecomeReadingsOrAreCounted) {
    scan.fields = {{0, 0, 1, 0}, {1, 1, 1, 0}, {2, 2, 1, 0}};
    const auto readings = read(0);
    ASSERT_EQ(readings.size(), 1U);
    EXPECT_EQ(readings[0], (Reading{0, std::uint64_t{7}}));
    EXPECT_EQ(none.absent, 1U);
    EXPECT_EQ(none.invalid, 1U);
    EXPECT_EQ(none.unlisted, 0U);
}

TEST_F(ThreeRegisters, AreAppendedToWhatIsThere) {
    scan.fields = {{0, 0, 1, 0}};
    std::vector<Reading> out{{9, true}};
    decode(map, scan, 0, reply, out, none);
    EXPECT_EQ(out.size(), 2U);
    EXPECT_EQ(out[0].point, 9U);
}

TEST_F(ThreeRegisters, ReadASlowPointOncePerTurn) {
    scan.fields = {{0, 0, 1, 0}, {0, 0, 60, 0}};
    int slow = 0;
    for (std::uint64_t tick = 0; tick < 600; ++tick)
        slow += static_cast<int>(read(tick).size()) - 1;
    EXPECT_EQ(slow, 10);
}

TEST_F(ThreeRegisters, MakeUpForASlowPointsLostTickWithTheNext) {
    scan.fields = {{0, 0, 60, 0}};
    EXPECT_EQ(read(0).size(), 1U);
    EXPECT_EQ(read(59).size(), 0U);
    EXPECT_EQ(read(63).size(), 1U) << "60, 61 and 62 were not answered";
    EXPECT_EQ(read(119).size(), 0U);
    EXPECT_EQ(read(120).size(), 1U);
}

}  // namespace
}  // namespace fieldgate::southbound::modbus
