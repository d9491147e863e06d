#include "southbound/modbus/cost.h"

#include <gtest/gtest.h>

#include "southbound/modbus/pdu.h"

namespace fieldgate::southbound::modbus {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

BusSettings bus(decltype(BusSettings::wire) wire) {
    BusSettings result;
    result.wire = std::move(wire);
    return result;
}

BusSettings serial(std::uint32_t baud, char parity = 'E') {
    SerialSettings line;
    line.baud = baud;
    line.parity = parity;
    return bus(line);
}

BusSettings tcp() { return bus(TcpSettings{.host = "10.0.0.7"}); }

// The widest hole that is cheaper to read along than to jump with another request.
int break_even(std::uint32_t baud) {
    const CostModel cost(serial(baud));
    int hole = 0;
    while (hole < 1000) {
        const auto count = static_cast<std::uint16_t>(hole + 1);
        const nanoseconds along =
            cost.transaction(Table::holding, count) - cost.transaction(Table::holding, 0);
        const nanoseconds again = cost.transaction(Table::holding, 0);
        if (along >= again) break;
        ++hole;
    }
    return hole;
}

TEST(CostModel, BreaksEvenWhereTheArithmeticSays) {
    EXPECT_EQ(break_even(2400), 12);
    EXPECT_EQ(break_even(9600), 18);
    EXPECT_EQ(break_even(19200), 27);
    EXPECT_EQ(break_even(115200), 129);
}

TEST(CostModel, CountsEveryBitOfACharacter) {
    EXPECT_EQ(character_time(std::get<SerialSettings>(serial(9600).wire)), 1145833ns);  // 11 bits
    EXPECT_EQ(character_time(std::get<SerialSettings>(serial(9600, 'N').wire)), 1041666ns);  // 10
}

TEST(CostModel, IsSilentForThreeAndAHalfCharactersOrAFixedTime) {
    const auto silence = [](std::uint32_t baud) {
        return frame_silence(std::get<SerialSettings>(serial(baud).wire));
    };
    EXPECT_NEAR(static_cast<double>(silence(9600).count()), 3.5 * 11e9 / 9600, 4);
    EXPECT_NEAR(static_cast<double>(silence(19200).count()), 3.5 * 11e9 / 19200, 4);
    EXPECT_EQ(silence(38400), 1750us);
    EXPECT_EQ(silence(115200), 1750us);
}

TEST(CostModel, CountsTheBytesOfBothWires) {
    EXPECT_EQ(wire_bytes(serial(9600).wire, Table::holding, 10), 13U + 20U);
    EXPECT_EQ(wire_bytes(serial(9600).wire, Table::coil, 9), 13U + 2U);
    EXPECT_EQ(wire_bytes(tcp().wire, Table::input, 10), 12U + 9U + 20U);
}

TEST(CostModel, AlwaysReadsAlongOnTcp) {
    const CostModel cost(tcp());
    EXPECT_LT(cost.transaction(Table::holding, 125), 2 * cost.transaction(Table::holding, 1));
}

TEST(CostModel, LearnsTheLatencyOfItsDevices) {
    CostModel cost(serial(9600));
    const Request request = read_request(1, Table::holding, 0, 10);
    const nanoseconds wire = 33 * character_time(std::get<SerialSettings>(serial(9600).wire));
    EXPECT_EQ(cost.latency(), 20ms);
    for (int i = 0; i < 100; ++i) cost.observe(request, wire + 55ms);
    EXPECT_NEAR(static_cast<double>(cost.latency().count()), 55e6, 1e3);
    for (int i = 0; i < 200; ++i) cost.observe(request, wire / 2);
    EXPECT_GE(cost.latency(), 0ms);
    EXPECT_LT(cost.latency(), 1us);
}

TEST(CostModel, GivesLongAnswersOnSlowLinesMoreTime) {
    const CostModel slow(serial(1200));
    const Request longest = read_request(1, Table::holding, 0, 125);
    const nanoseconds answer = 255 * character_time(std::get<SerialSettings>(serial(1200).wire));
    EXPECT_GT(slow.timeout(longest), answer + 200ms);
    EXPECT_LT(CostModel(serial(115200)).timeout(longest), 350ms);
}

TEST(CostModel, HonoursATimeoutThatIsGiven) {
    BusSettings impatient = serial(1200);
    impatient.timeout = 77ms;
    EXPECT_EQ(CostModel(impatient).timeout(read_request(1, Table::holding, 0, 125)), 77ms);
    EXPECT_EQ(CostModel(tcp()).timeout(read_request(1, Table::holding, 0, 125)), 500ms);
}

TEST(CostModel, TurnsAroundOnSerialLinesOnly) {
    EXPECT_EQ(CostModel(serial(9600)).turnaround(), 20ms);
    EXPECT_EQ(CostModel(tcp()).turnaround(), 0ms);
}

}  // namespace
}  // namespace fieldgate::southbound::modbus
