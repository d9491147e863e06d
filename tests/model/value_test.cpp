#include "model/value.h"

#include <gtest/gtest.h>

#include <limits>

namespace fieldgate {
namespace {

std::string text(const Value& value) {
    std::string out;
    append_json(out, value);
    return out;
}

TEST(AppendJson, WritesEveryKindOfValueAsItIs) {
    EXPECT_EQ(text(true), "true");
    EXPECT_EQ(text(false), "false");
    EXPECT_EQ(text(std::int64_t{-42}), "-42");
    EXPECT_EQ(text(std::uint64_t{18446744073709551615U}), "18446744073709551615");
    EXPECT_EQ(text(Decimal{2314, 1}), "231.4");
    EXPECT_EQ(text(233.1F), "233.1");
    EXPECT_EQ(text(233.1), "233.1");
    EXPECT_EQ(text(std::string("a\"b\n")), "\"a\\\"b\\n\"");
}

TEST(AppendJson, WritesNoNumberThatJsonDoesNotHave) {
    EXPECT_EQ(text(std::numeric_limits<float>::quiet_NaN()), "null");
    EXPECT_EQ(text(-std::numeric_limits<double>::infinity()), "null");
}

TEST(AppendJson, AppendsToWhatIsThere) {
    std::string out = "{\"v\":";
    append_json(out, Decimal{-5, 1});
    EXPECT_EQ(out, "{\"v\":-0.5");
}

TEST(ToString, LeavesStringsWithoutQuotes) {
    EXPECT_EQ(to_string(Value(std::string("night"))), "night");
    EXPECT_EQ(to_string(Value(Decimal{2314, 1})), "231.4");
    EXPECT_EQ(to_string(Value(true)), "true");
}

TEST(AsNumber, KnowsEveryKindButStrings) {
    EXPECT_EQ(as_number(true), 1.0);
    EXPECT_EQ(as_number(std::int64_t{-3}), -3.0);
    EXPECT_EQ(as_number(std::uint64_t{1} << 63), 9223372036854775808.0);
    EXPECT_EQ(as_number(Decimal{2331, 1}), 233.1);
    EXPECT_EQ(as_number(0.5F), 0.5);
    EXPECT_EQ(as_number(0.25), 0.25);
    EXPECT_FALSE(as_number(std::string("5")));
}

TEST(AsDecimal, IsExactOrAbsent) {
    EXPECT_EQ(as_decimal(false), (Decimal{0, 0}));
    EXPECT_EQ(as_decimal(std::int64_t{-3}), (Decimal{-3, 0}));
    EXPECT_EQ(as_decimal(std::uint64_t{9223372036854775807U}),
              (Decimal{std::numeric_limits<std::int64_t>::max(), 0}));
    EXPECT_FALSE(as_decimal(std::uint64_t{1} << 63));
    EXPECT_EQ(as_decimal(Decimal{10, 1}), (Decimal{10, 1}));
    EXPECT_EQ(as_decimal(233.1F), (Decimal{2331, 1}));
    EXPECT_FALSE(as_decimal(1e300));
    EXPECT_FALSE(as_decimal(std::string("5")));
}

TEST(CloseTo, ComparesNumbersByQuantityWhateverTheirKind) {
    EXPECT_TRUE(close_to(std::int64_t{5}, Decimal{500, 2}, {}));
    EXPECT_TRUE(close_to(0.1F, Decimal{1, 1}, {}));
    EXPECT_TRUE(close_to(true, std::uint64_t{1}, {}));
    EXPECT_TRUE(close_to(Decimal{100, 1}, Decimal{105, 1}, {5, 1}));
    EXPECT_TRUE(close_to(Decimal{105, 1}, Decimal{100, 1}, {5, 1}));
    EXPECT_FALSE(close_to(Decimal{1051, 2}, Decimal{100, 1}, {5, 1}));
    EXPECT_FALSE(close_to(UINT64_MAX, UINT64_MAX - 1, {})) << "the same double";
    EXPECT_TRUE(close_to(UINT64_MAX, UINT64_MAX, {}));
    EXPECT_FALSE(close_to(INT64_MIN, INT64_MAX, {1, 0}));
    EXPECT_TRUE(close_to(INT64_MIN, Decimal{INT64_MIN, 0}, {}));
    EXPECT_TRUE(close_to(std::string("on"), std::string("on"), {}));
    EXPECT_FALSE(close_to(std::string("1"), std::int64_t{1}, {}));
}

}  // namespace
}  // namespace fieldgate
