#include "southbound/modbus/summary.h"

#include <gtest/gtest.h>

namespace fieldgate::southbound::modbus {
namespace {

using namespace std::chrono_literals;

BusSettings line(std::uint32_t baud) {
    SerialSettings serial;
    serial.baud = baud;
    BusSettings bus;
    bus.wire = serial;
    return bus;
}

std::vector<DeviceSettings> meters(std::size_t count, std::chrono::milliseconds period) {
    RegisterMap map;
    map.fields.resize(16);
    for (std::uint16_t i = 0; i < 16; ++i) map.fields[i].address = i;
    const auto shared = std::make_shared<const RegisterMap>(map);
    std::vector<DeviceSettings> devices(count);
    for (std::size_t i = 0; i < count; ++i) {
        devices[i].device.index = static_cast<DeviceIndex>(i);
        devices[i].name = "meter-" + std::to_string(i);
        devices[i].unit = static_cast<std::uint8_t>(i + 1);
        devices[i].map = shared;
        devices[i].every.assign(16, period);
    }
    return devices;
}

// 30 devices of 16 registers at 9600 baud: 13 + 32 characters of 11 bits, two silences of 3.5, and
// 20 ms of latency are 79.6 ms; 20 ms of turnaround on top.
TEST(Summary, AddsUpALineByArithmetic) {
    const PlanSummary summary = summarize(line(9600), meters(30, 5s));
    ASSERT_EQ(summary.blocks.size(), 30U);
    EXPECT_EQ(summary.blocks[0].bytes, 45U);
    EXPECT_EQ(summary.blocks[0].fields, 16U);
    EXPECT_EQ(summary.blocks[29].unit, 30);
    EXPECT_NEAR(static_cast<double>(summary.blocks[0].time.count()), 99.58e6, 0.02e6);
    EXPECT_NEAR(static_cast<double>(summary.cycle.count()), 2.9875e9, 0.001e9);
    EXPECT_NEAR(summary.load_percent, 59.75, 0.05);
    EXPECT_NEAR(summary.requests_per_second, 6, 1e-9);
    EXPECT_NEAR(summary.bytes_per_second, 270, 1e-9);
    EXPECT_TRUE(summary.messages.empty());
}

TEST(Summary, SaysWhatDeadDevicesCost) {
    const PlanSummary summary = summarize(line(9600), meters(30, 5s));
    ASSERT_EQ(summary.dead.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(summary.dead[i].devices, i + 1);
        EXPECT_GT(summary.dead[i].dying_percent, summary.load_percent);
        EXPECT_LT(summary.dead[i].offline_percent, summary.load_percent);
    }
    EXPECT_GT(summary.dead[1].dying_percent, summary.dead[0].dying_percent);
}

TEST(Summary, WarnsOfPeriodsThatCannotBeMet) {
    const PlanSummary summary = summarize(line(9600), meters(30, 1s));
    EXPECT_NEAR(summary.load_percent, 298.7, 0.3);
    ASSERT_EQ(summary.messages.size(), 1U);
    EXPECT_EQ(summary.messages[0],
              "the periods need 299 % of the wire's time: scans will be skipped");
}

TEST(Summary, NamesPointsThatAreNeverRead) {
    auto devices = meters(1, 1s);
    RegisterMap map = *devices[0].map;
    map.forbidden = {{Table::holding, 3, 4}};
    devices[0].map = std::make_shared<const RegisterMap>(map);
    const PlanSummary summary = summarize(line(9600), devices);
    ASSERT_EQ(summary.messages.size(), 1U);
    EXPECT_EQ(summary.messages[0].substr(0, 17), "meter-0: 2 points");
}

TEST(Summary, NeedsNoTurnaroundForASingleDevice) {
    const PlanSummary summary = summarize(line(9600), meters(1, 1s));
    EXPECT_NEAR(summary.load_percent, 7.958, 0.01);
}

TEST(Summary, OfAnEmptyBusIsEmpty) {
    const PlanSummary summary = summarize(line(9600), {});
    EXPECT_TRUE(summary.blocks.empty());
    EXPECT_EQ(summary.load_percent, 0);
}

}  // namespace
}  // namespace fieldgate::southbound::modbus
