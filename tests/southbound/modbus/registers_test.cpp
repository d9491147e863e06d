#include "southbound/modbus/registers.h"

#include <gtest/gtest.h>

#include <limits>

namespace fieldgate::southbound::modbus {
namespace {

using Bytes = std::vector<std::uint8_t>;

Field field(RawType type, Order order = {}) {
    Field result;
    result.type = type;
    result.order = order;
    return result;
}

Field scaled(RawType type, Decimal scale, Decimal offset = {}) {
    Field result = field(type);
    result.scale = scale;
    result.offset = offset;
    return result;
}

std::optional<Value> value(const Field& field, const Bytes& data, std::size_t offset = 0) {
    Value out;
    if (decode(field, data, offset, out) != Decoded::value) return std::nullopt;
    return out;
}

Decoded outcome(const Field& field, const Bytes& data, std::size_t offset = 0) {
    Value out;
    return decode(field, data, offset, out);
}

constexpr Order abcd{}, cdab{.words_swapped = true, .bytes_swapped = false},
    badc{.words_swapped = false, .bytes_swapped = true},
    dcba{.words_swapped = true, .bytes_swapped = true};

TEST(Decode, HonoursEveryOrderOfTwoRegisters) {
    const Value expected = std::uint64_t{0x0A0B0C0D};
    EXPECT_EQ(value(field(RawType::u32, abcd), {0x0A, 0x0B, 0x0C, 0x0D}), expected);
    EXPECT_EQ(value(field(RawType::u32, cdab), {0x0C, 0x0D, 0x0A, 0x0B}), expected);
    EXPECT_EQ(value(field(RawType::u32, badc), {0x0B, 0x0A, 0x0D, 0x0C}), expected);
    EXPECT_EQ(value(field(RawType::u32, dcba), {0x0D, 0x0C, 0x0B, 0x0A}), expected);
}

TEST(Decode, HonoursEveryOrderOfFourRegisters) {
    const Value expected = std::uint64_t{0x0102030405060708};
    EXPECT_EQ(value(field(RawType::u64, abcd), {1, 2, 3, 4, 5, 6, 7, 8}), expected);
    EXPECT_EQ(value(field(RawType::u64, cdab), {7, 8, 5, 6, 3, 4, 1, 2}), expected);
    EXPECT_EQ(value(field(RawType::u64, badc), {2, 1, 4, 3, 6, 5, 8, 7}), expected);
    EXPECT_EQ(value(field(RawType::u64, dcba), {8, 7, 6, 5, 4, 3, 2, 1}), expected);
}

TEST(Decode, SwapsTheBytesOfOneRegisterAndIgnoresItsWordOrder) {
    EXPECT_EQ(value(field(RawType::u16, cdab), {0x12, 0x34}), Value(std::uint64_t{0x1234}));
    EXPECT_EQ(value(field(RawType::u16, badc), {0x12, 0x34}), Value(std::uint64_t{0x3412}));
    EXPECT_EQ(value(field(RawType::u16, dcba), {0x12, 0x34}), Value(std::uint64_t{0x3412}));
}

TEST(Decode, KnowsTheSign) {
    EXPECT_EQ(value(field(RawType::i16), {0xFF, 0xFE}), Value(std::int64_t{-2}));
    EXPECT_EQ(value(field(RawType::i32), {0x80, 0, 0, 0}),
              Value(std::int64_t{std::numeric_limits<std::int32_t>::min()}));
    EXPECT_EQ(value(field(RawType::i64), {0x80, 0, 0, 0, 0, 0, 0, 0}),
              Value(std::numeric_limits<std::int64_t>::min()));
}

TEST(Decode, KeepsEveryDigitOf64Bits) {
    EXPECT_EQ(value(field(RawType::u64), Bytes(8, 0xFF)),
              Value(std::numeric_limits<std::uint64_t>::max()));
}

TEST(Decode, KeepsFloatsAsTheyAre) {
    EXPECT_EQ(value(field(RawType::f32), {0x43, 0x69, 0x1A, 0x1D}), Value(233.10200F));
    EXPECT_EQ(value(field(RawType::f64), {0x40, 0x59, 0, 0, 0, 0, 0, 0}), Value(100.0));
}

TEST(Decode, ScalesInDecimalWithoutNoise) {
    EXPECT_EQ(value(scaled(RawType::u32, {1, 1}), {0, 0, 0x09, 0x49}), Value(Decimal{2377, 1}));
    EXPECT_EQ(value(scaled(RawType::u16, {1, 1}), {0x08, 0xFC}), Value(Decimal{230, 0}));
    EXPECT_EQ(value(scaled(RawType::i16, {1, 2}), {0xFF, 0x85}), Value(Decimal{-123, 2}));
    EXPECT_EQ(value(scaled(RawType::u16, {1, 1}, {-400, 1}), {0, 5}), Value(Decimal{-395, 1}));
    EXPECT_EQ(value(scaled(RawType::u16, {25, 1}, {125, 3}), {0, 3}), Value(Decimal{7625, 3}));
    EXPECT_EQ(value(scaled(RawType::u16, {1, 1}), {0, 0}), Value(Decimal{0, 0}));
}

TEST(Decode, ScalesTheShortestTextOfAFloat) {
    // 233.1 as f32 is 233.1000061...; times 0.1 is 23.31
    EXPECT_EQ(value(scaled(RawType::f32, {1, 1}), {0x43, 0x69, 0x19, 0x9A}),
              Value(Decimal{2331, 2}));
}

TEST(Decode, LeavesIntegersAloneWhoseScaleIsOneHoweverWritten) {
    EXPECT_EQ(value(scaled(RawType::u16, {100, 2}), {0, 7}), Value(std::uint64_t{7}));
    EXPECT_EQ(value(scaled(RawType::u16, {1, 0}, {0, 3}), {0, 7}), Value(std::uint64_t{7}));
}

TEST(Decode, FallsBackToDoubleOnlyWhereDecimalsEnd) {
    const Bytes most(8, 0xFF);
    EXPECT_EQ(value(scaled(RawType::u64, {1, 3}), most), Value(18446744073709551.615));
    EXPECT_EQ(value(scaled(RawType::i64, {1, 3}), most), Value(Decimal{-1, 3}));
    // 1e30 * 0.1
    EXPECT_EQ(value(scaled(RawType::f32, {1, 1}), {0x71, 0x49, 0xF2, 0xCA}),
              Value(double{1e30F} * 0.1));
}

TEST(Decode, HasNoValueForFloatsThatAreNotFinite) {
    for (const Field& f : {field(RawType::f32), scaled(RawType::f32, {1, 1})}) {
        EXPECT_EQ(outcome(f, {0x7F, 0xC0, 0, 0}), Decoded::invalid);
        EXPECT_EQ(outcome(f, {0x7F, 0x80, 0, 0}), Decoded::invalid);
        EXPECT_EQ(outcome(f, {0xFF, 0x80, 0, 0}), Decoded::invalid);
    }
    EXPECT_EQ(outcome(field(RawType::f64), {0x7F, 0xF0, 0, 0, 0, 0, 0, 0}), Decoded::invalid);
    // the greatest double times ten
    EXPECT_EQ(outcome(scaled(RawType::f64, {10, 0}), {0x7F, 0xEF, 255, 255, 255, 255, 255, 255}),
              Decoded::invalid);
}

TEST(Decode, ReadsBcdAndRefusesWhatIsNone) {
    EXPECT_EQ(value(field(RawType::bcd16), {0x12, 0x34}), Value(std::uint64_t{1234}));
    EXPECT_EQ(value(field(RawType::bcd32, cdab), {0x56, 0x78, 0x12, 0x34}),
              Value(std::uint64_t{12345678}));
    EXPECT_EQ(value(scaled(RawType::bcd16, {1, 2}), {0x12, 0x34}), Value(Decimal{1234, 2}));
    EXPECT_EQ(outcome(field(RawType::bcd16), {0x12, 0x3A}), Decoded::invalid);
    EXPECT_EQ(outcome(field(RawType::bcd16), {0xF2, 0x34}), Decoded::invalid);
}

TEST(Decode, PicksBits) {
    Field f = field(RawType::u16);
    f.bits = Bits{3, 3};
    EXPECT_EQ(value(f, {0, 0x08}), Value(true));
    EXPECT_EQ(value(f, {0xFF, 0xF7}), Value(false));
    f.bits = Bits{8, 11};
    EXPECT_EQ(value(f, {0x5A, 0xFF}), Value(std::uint64_t{0xA}));
    f.scale = Decimal{5, 1};
    EXPECT_EQ(value(f, {0x5A, 0xFF}), Value(Decimal{5, 0}));
    Field wide = field(RawType::u64);
    wide.bits = Bits{0, 63};
    EXPECT_EQ(value(wide, Bytes(8, 0xFF)), Value(~std::uint64_t{0}));
    wide.bits = Bits{63, 63};
    EXPECT_EQ(value(wide, {0x80, 0, 0, 0, 0, 0, 0, 0}), Value(true));
}

TEST(Decode, ComparesAbsentWithTheRawValueAtItsFullWidth) {
    Field f = scaled(RawType::i16, {1, 2});
    f.absent = {0x7FFF, 0x8000};
    EXPECT_EQ(outcome(f, {0x7F, 0xFF}), Decoded::absent);
    EXPECT_EQ(outcome(f, {0x80, 0x00}), Decoded::absent);
    EXPECT_EQ(outcome(f, {0x7F, 0xFE}), Decoded::value);

    Field wide = field(RawType::i32, cdab);
    wide.absent = {0x8000};
    EXPECT_EQ(outcome(wide, {0x80, 0, 0xFF, 0xFF}), Decoded::value);
    EXPECT_EQ(outcome(wide, {0x80, 0, 0, 0}), Decoded::absent);

    Field nan = field(RawType::f32);
    nan.absent = {0x7FC00000};
    EXPECT_EQ(outcome(nan, {0x7F, 0xC0, 0, 0}), Decoded::absent);

    Field bcd = field(RawType::bcd16);
    bcd.absent = {0xFFFF};
    EXPECT_EQ(outcome(bcd, {0xFF, 0xFF}), Decoded::absent);

    Field bits = field(RawType::u16);
    bits.bits = Bits{4, 7};
    bits.absent = {0xF};
    EXPECT_EQ(outcome(bits, {0, 0xF3}), Decoded::absent);
    EXPECT_EQ(outcome(bits, {0xFF, 0x0F}), Decoded::value);
}

TEST(Decode, SaysTheListedWordAndNothingForOthers) {
    Field tariff = field(RawType::u16);
    tariff.values = {{1, std::string("day")}, {2, std::string("night")}};
    EXPECT_EQ(value(tariff, {0, 2}), Value(std::string("night")));
    EXPECT_EQ(outcome(tariff, {0, 3}), Decoded::unlisted);

    Field signed_word = field(RawType::i16);
    signed_word.values = {{0xFFFF, std::string("fault")}};
    EXPECT_EQ(value(signed_word, {0xFF, 0xFF}), Value(std::string("fault")));

    Field door = field(RawType::boolean);
    door.values = {{0, std::string("shut")}, {1, std::string("open")}};
    EXPECT_EQ(value(door, {0x12, 0}), Value(std::string("open")));
    EXPECT_EQ(value(door, {0, 0}), Value(std::string("shut")));
}

TEST(Decode, ReadsCoilsFromTheLowestBitOn) {
    Field coil = field(RawType::boolean);
    coil.table = Table::coil;
    const Bytes data{0xCD, 0x01};  // Application Protocol V1.1b3, 6.1: CD is 27 to 20 as 11001101
    const std::vector<bool> expected{true, false, true, true, false, false, true, true, true};
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(value(coil, data, i), Value(bool{expected[i]})) << i;
    EXPECT_EQ(outcome(coil, data, 16), Decoded::invalid);
    coil.absent = {0};
    EXPECT_EQ(outcome(coil, data, 1), Decoded::absent);
}

TEST(Decode, ReadsABooleanFromAWholeRegister) {
    EXPECT_EQ(value(field(RawType::boolean), {0, 0}), Value(false));
    EXPECT_EQ(value(field(RawType::boolean), {1, 0}), Value(true));
    Field f = field(RawType::boolean);
    f.absent = {0xFFFF};
    EXPECT_EQ(outcome(f, {0xFF, 0xFF}), Decoded::absent);
}

Field text(std::uint16_t length, Trim trim = Trim::nul, Order order = {}) {
    Field result = field(RawType::string, order);
    result.length = length;
    result.trim = trim;
    return result;
}

TEST(Decode, TrimsStrings) {
    const Bytes data{' ', 'A', 'b', ' ', 0, 'x'};
    EXPECT_EQ(value(text(6), data), Value(std::string(" Ab ")));
    EXPECT_EQ(value(text(6, Trim::space), data), Value(std::string("Ab")));
    EXPECT_EQ(value(text(6, Trim::none), data), Value(std::string(" Ab \0x", 6)));
    EXPECT_EQ(value(text(4, Trim::space), Bytes(4, ' ')), Value(std::string()));
}

TEST(Decode, SwapsTheBytesOfStrings) {
    EXPECT_EQ(value(text(4, Trim::nul, badc), {'B', 'A', 'D', 'C'}), Value(std::string("ABCD")));
    EXPECT_EQ(value(text(3, Trim::nul, badc), {'B', 'A', 'D', 'C'}), Value(std::string("ABC")));
    EXPECT_EQ(value(text(3), {'A', 'B', 'C', 'D'}), Value(std::string("ABC")));
}

TEST(Decode, LeavesBytesThatAreNoUtf8ToTheWriter) {
    EXPECT_EQ(value(text(2), {0xFF, 0xE4}), Value(std::string("\xFF\xE4")));
}

TEST(Decode, NeverReadsBehindTheAnswer) {
    const Bytes three(6, 0xFF);
    EXPECT_EQ(outcome(field(RawType::u16), three, 2), Decoded::value);
    EXPECT_EQ(outcome(field(RawType::u16), three, 3), Decoded::invalid);
    EXPECT_EQ(outcome(field(RawType::u32), three, 1), Decoded::value);
    EXPECT_EQ(outcome(field(RawType::u32), three, 2), Decoded::invalid);
    EXPECT_EQ(outcome(field(RawType::u64), three), Decoded::invalid);
    EXPECT_EQ(outcome(text(8), three), Decoded::invalid);
    EXPECT_EQ(outcome(field(RawType::u16), {}), Decoded::invalid);
    EXPECT_EQ(outcome(field(RawType::u16), three, std::numeric_limits<std::size_t>::max()),
              Decoded::invalid);
}

}  // namespace
}  // namespace fieldgate::southbound::modbus
