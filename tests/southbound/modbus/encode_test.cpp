#include "southbound/modbus/encode.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "southbound/modbus/registers.h"

namespace fieldgate::southbound::modbus {
namespace {

using Words = std::vector<std::uint16_t>;
using Text = std::string;
constexpr Order abcd{}, cdab{.words_swapped = true, .bytes_swapped = false},
    badc{.words_swapped = false, .bytes_swapped = true},
    dcba{.words_swapped = true, .bytes_swapped = true};

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

Field text(std::uint16_t length, Trim trim, Order order = {}) {
    Field result = field(RawType::string, order);
    result.length = length;
    result.trim = trim;
    return result;
}

Field picked(RawType type, std::uint8_t first, std::uint8_t last, Order order = {}) {
    Field result = field(type, order);
    result.bits = Bits{first, last};
    return result;
}

Words words(const Field& field, const Value& value) {
    const Result<Image> image = encode(field, value);
    return image ? image->words : Words();
}

Errc refusal(const Field& field, const Value& value) { return encode(field, value).error().code; }
Text why(const Field& field, const Value& value) { return encode(field, value).error().what; }

Value whole(std::int64_t number) { return number; }

TEST(Encode, HonoursEveryOrder) {
    const Value value = std::int64_t{0x0A0B0C0D};
    EXPECT_EQ(words(field(RawType::u32, abcd), value), (Words{0x0A0B, 0x0C0D}));
    EXPECT_EQ(words(field(RawType::u32, cdab), value), (Words{0x0C0D, 0x0A0B}));
    EXPECT_EQ(words(field(RawType::u32, badc), value), (Words{0x0B0A, 0x0D0C}));
    EXPECT_EQ(words(field(RawType::u32, dcba), value), (Words{0x0D0C, 0x0B0A}));
    EXPECT_EQ(words(field(RawType::u16, dcba), whole(0x1234)), (Words{0x3412}));
}

TEST(Encode, TakesAnyKindOfNumberByItsQuantity) {
    const Field tenths = scaled(RawType::i16, {1, 1});
    for (const Value& value :
         {Value(whole(5)), Value(std::uint64_t{5}), Value(Decimal{50, 1}), Value(5.0), Value(5.0F)})
        EXPECT_EQ(words(tenths, value), (Words{50})) << to_string(value);
    EXPECT_EQ(words(field(RawType::u16), true), (Words{1}));
    EXPECT_EQ(words(tenths, Decimal{-127, 1}), (Words{0xFF81}));
}

TEST(Encode, RefusesWhatLiesBetweenTwoRawValuesAndNamesTheStep) {
    const Field tenths = scaled(RawType::u16, {1, 1}, {-40, 0});
    EXPECT_EQ(words(tenths, Decimal{-399, 1}), (Words{1}));
    EXPECT_EQ(refusal(tenths, Decimal{-3995, 2}), Errc::out_of_range);
    EXPECT_EQ(why(tenths, Decimal{-3995, 2}),
              "-39.95 lies between two values of the point, which are 0.1 apart");
    EXPECT_EQ(refusal(field(RawType::u16), Decimal{5, 1}), Errc::out_of_range);
    EXPECT_EQ(refusal(scaled(RawType::u16, {3, 0}), whole(10)), Errc::out_of_range);
    EXPECT_EQ(words(scaled(RawType::u16, {3, 0}), whole(12)), (Words{4}));
}

TEST(Encode, RefusesMoreThanTheRawTypeHolds) {
    struct Row {
        RawType type;
        Value least, most;
        Value below, above;
    };
    const std::vector<Row> rows{
        {RawType::u16, whole(0), whole(65535), whole(-1), whole(65536)},
        {RawType::i16, whole(-32768), whole(32767), whole(-32769), whole(32768)},
        {RawType::u32, whole(0), whole(4294967295), whole(-1), whole(4294967296)},
        {RawType::i32, whole(-2147483648), whole(2147483647), whole(-2147483649),
         whole(2147483648)},
        {RawType::u64, whole(0), std::uint64_t{UINT64_MAX}, whole(-1), Decimal{-1, 0}},
        {RawType::i64, whole(INT64_MIN), whole(INT64_MAX), std::uint64_t{1} << 63, UINT64_MAX},
        {RawType::bcd16, whole(0), whole(9999), whole(-1), whole(10000)},
        {RawType::bcd32, whole(0), whole(99999999), whole(-1), whole(100000000)},
        {RawType::boolean, whole(0), whole(1), whole(-1), whole(2)}};
    for (const Row& row : rows) {
        EXPECT_TRUE(encode(field(row.type), row.least)) << to_string(row.least);
        EXPECT_TRUE(encode(field(row.type), row.most)) << to_string(row.most);
        EXPECT_EQ(refusal(field(row.type), row.below), Errc::out_of_range) << to_string(row.below);
        EXPECT_EQ(refusal(field(row.type), row.above), Errc::out_of_range) << to_string(row.above);
    }
    EXPECT_EQ(why(field(RawType::i16), whole(40000)),
              "40000 is more than the point can hold: raw values are -32768 to 32767");
}

TEST(Encode, WritesDigitsAsBcd) {
    EXPECT_EQ(words(field(RawType::bcd16), whole(1234)), (Words{0x1234}));
    EXPECT_EQ(words(scaled(RawType::bcd32, {1, 2}), Decimal{1234567, 2}), (Words{0x0123, 0x4567}));
}

TEST(Encode, RoundsForFloatsOnly) {
    EXPECT_EQ(words(field(RawType::f32), Decimal{2305, 1}), (Words{0x4366, 0x8000}));
    EXPECT_EQ(words(field(RawType::f32, cdab), whole(1)), (Words{0, 0x3F80}));
    EXPECT_EQ(words(scaled(RawType::f32, {1, 3}), Decimal{5, 1}), (Words{0x43FA, 0}));  // 500
    EXPECT_EQ(words(field(RawType::f64), Decimal{1, 1}), (Words{0x3FB9, 0x9999, 0x9999, 0x999A}));
    EXPECT_EQ(refusal(field(RawType::f32), 1e39), Errc::out_of_range);
    EXPECT_EQ(refusal(scaled(RawType::f64, {1, 9}), 1e300 * 1e8), Errc::out_of_range);
    EXPECT_EQ(refusal(field(RawType::f64), std::numeric_limits<double>::quiet_NaN()),
              Errc::bad_data);
    EXPECT_EQ(refusal(field(RawType::u16), std::numeric_limits<float>::infinity()), Errc::bad_data);
}

TEST(Encode, LeavesTheBitsAlongsideAlone) {
    const Result<Image> nibble = encode(picked(RawType::u16, 4, 7), whole(9));
    ASSERT_TRUE(nibble);
    EXPECT_EQ(nibble->words, (Words{0x0090}));
    EXPECT_EQ(nibble->mask, (Words{0x00F0}));
    EXPECT_FALSE(nibble->whole());
    const Result<Image> swapped = encode(picked(RawType::u32, 31, 31, dcba), true);
    ASSERT_TRUE(swapped);
    EXPECT_EQ(swapped->words, (Words{0, 0x0080}));
    EXPECT_EQ(swapped->mask, (Words{0, 0x0080}));
    EXPECT_EQ(refusal(picked(RawType::u16, 4, 7), whole(16)), Errc::out_of_range);
    EXPECT_EQ(refusal(picked(RawType::u16, 3, 3), whole(2)), Errc::out_of_range);
    EXPECT_TRUE(encode(field(RawType::u16), whole(1))->whole());
}

TEST(Encode, CountsTheBitsOfAnyTypeInBinary) {
    EXPECT_EQ(words(picked(RawType::bcd16, 4, 11), whole(12)), (Words{0x00C0}));
}

TEST(Encode, PadsTextsAndRefusesWhatWouldNotComeBack) {
    EXPECT_EQ(words(text(6, Trim::nul), Text("abc")), (Words{0x6162, 0x6300, 0}));
    EXPECT_EQ(words(text(6, Trim::space), Text("abc")), (Words{0x6162, 0x6320, 0x2020}));
    EXPECT_EQ(words(text(4, Trim::none, badc), Text("abcd")), (Words{0x6261, 0x6463}));
    const Result<Image> odd = encode(text(3, Trim::nul), Text("abc"));
    ASSERT_TRUE(odd);
    EXPECT_EQ(odd->words, (Words{0x6162, 0x6300}));
    EXPECT_EQ(odd->mask, (Words{0xFFFF, 0xFF00})) << "the last byte is not its own";
    EXPECT_EQ(refusal(text(3, Trim::nul), Text("abcd")), Errc::out_of_range);
    EXPECT_EQ(refusal(text(3, Trim::none), Text("ab")), Errc::out_of_range);
    EXPECT_EQ(refusal(text(6, Trim::nul), Text("a\0b", 3)), Errc::out_of_range);
    EXPECT_EQ(refusal(text(6, Trim::space), Text(" ab")), Errc::out_of_range);
    EXPECT_EQ(refusal(text(6, Trim::nul), whole(5)), Errc::bad_data);
    EXPECT_EQ(refusal(field(RawType::u16), Text("5")), Errc::bad_data);
}

TEST(Encode, LooksUpTheRawValueOfAWord) {
    Field mode = field(RawType::u16);
    mode.values = {{1, Text("day")}, {2, Text("night")}, {3, whole(7)}, {4, Text("night")}};
    EXPECT_EQ(words(mode, Text("night")), (Words{2}));
    EXPECT_EQ(words(mode, Decimal{70, 1}), (Words{3}));
    EXPECT_EQ(refusal(mode, Text("dusk")), Errc::out_of_range);
    EXPECT_EQ(why(mode, Text("dusk")),
              "\"dusk\" is none of the point's values: day, night, 7, night");
    mode.absent = {2};
    EXPECT_EQ(words(mode, Text("night")), (Words{4})) << "2 would mean no value";
}

TEST(Encode, NeverWritesWhatWouldReadAsNoValue) {
    Field point = scaled(RawType::i16, {1, 1});
    point.absent = {0x7FFF, 0xFFFF};
    EXPECT_EQ(refusal(point, Decimal{32767, 1}), Errc::out_of_range);
    EXPECT_EQ(refusal(point, Decimal{-1, 1}), Errc::out_of_range);
    EXPECT_TRUE(encode(point, Decimal{32766, 1}));
}

TEST(Encode, WritesCoilsAndNoInputs) {
    Field coil = field(RawType::boolean);
    coil.table = Table::coil;
    EXPECT_EQ(words(coil, true), (Words{1}));
    EXPECT_EQ(words(coil, whole(0)), (Words{0}));
    EXPECT_EQ(refusal(coil, whole(2)), Errc::out_of_range);
    for (const Table table : {Table::discrete, Table::input}) {
        coil.table = table;
        EXPECT_EQ(refusal(coil, true), Errc::unsupported);
    }
}

// Every raw value that can be, of every integer type, order and scale, is written as it was read.
TEST(Encode, BringsEveryReadValueBackToItsBits) {
    std::mt19937_64 random(1);
    for (const RawType type : {RawType::u16, RawType::i16, RawType::u32, RawType::i32, RawType::u64,
                               RawType::i64, RawType::f32, RawType::f64})
        for (const Order order : {abcd, cdab, badc, dcba})
            for (const Decimal scale : {Decimal{1, 0}, Decimal{1, 1}, Decimal{-25, 3}})
                for (int i = 0; i < 500; ++i) {
                    Field f = field(type, order);
                    f.scale = scale;
                    if (i % 2 == 1) f.offset = {-273'15, 2};
                    std::vector<std::uint8_t> data(2U * width(f));
                    for (std::uint8_t& byte : data) byte = static_cast<std::uint8_t>(random());
                    Value value;
                    if (decode(f, data, 0, value) != Decoded::value) continue;
                    const bool scaled = scale.decimals > 0 || i % 2 == 1;
                    if (scaled && !std::holds_alternative<Decimal>(value)) continue;
                    const Result<Image> image = encode(f, value);
                    ASSERT_TRUE(image) << to_string(value) << ": " << image.error().what;
                    ASSERT_EQ(to_bytes(f, *image), data) << to_string(value);
                }
}

}  // namespace
}  // namespace fieldgate::southbound::modbus
