#include "model/fit.h"

#include <gtest/gtest.h>

#include <limits>

#include "model/mapping.h"

namespace fieldgate {
namespace {

using Text = std::string;

// What leaves, or "-" if nothing does.
std::string sent(const Value& value, const PropertyModel* model) {
    std::string out = "before ";
    const bool fitted = append_fitted(out, value, model);
    if (!fitted) return out == "before " ? "-" : "refused, but something was appended";
    return out.substr(7);
}

PropertyModel of_type(DataType type) {
    PropertyModel model;
    model.name = "p";
    model.type = type;
    return model;
}

PropertyModel number(DataType type, const char* min, const char* max, const char* step = "") {
    PropertyModel model = of_type(type);
    model.min = parse_decimal(min);
    model.max = parse_decimal(max);
    model.step = parse_decimal(step);
    return model;
}

struct Row {
    Value value;
    std::string json;
};

void expect_rows(const PropertyModel& model, const std::vector<Row>& rows) {
    for (const Row& row : rows)
        EXPECT_EQ(sent(row.value, &model), row.json)
            << to_string(model.type) << " of " << to_string(row.value);
}

constexpr std::uint64_t beyond_int64 = std::uint64_t{1} << 63;
const float nan_float = std::numeric_limits<float>::quiet_NaN();
const double infinite = std::numeric_limits<double>::infinity();

TEST(Fit, WithoutAModelEveryFiniteValueFits) {
    EXPECT_EQ(sent(true, nullptr), "true");
    EXPECT_EQ(sent(std::uint64_t{18446744073709551615U}, nullptr), "18446744073709551615");
    EXPECT_EQ(sent(Decimal{2314, 1}, nullptr), "231.4");
    EXPECT_EQ(sent(233.1F, nullptr), "233.1");
    EXPECT_EQ(sent(Text("x"), nullptr), "\"x\"");
    EXPECT_EQ(sent(nan_float, nullptr), "-");
    EXPECT_EQ(sent(infinite, nullptr), "-");
}

TEST(Fit, NoFloatThatIsNotFiniteLeaves) {
    for (const DataType type : {DataType::integer, DataType::long_integer, DataType::decimal,
                                DataType::string, DataType::date_time, DataType::json_object,
                                DataType::enumeration, DataType::boolean, DataType::string_list})
        expect_rows(of_type(type), {{nan_float, "-"}, {-infinite, "-"}});
}

TEST(Fit, DecimalIsAnyNumberAsItIs) {
    expect_rows(of_type(DataType::decimal), {{Decimal{2331, 1}, "233.1"},
                                             {233.1F, "233.1"},
                                             {233.1, "233.1"},
                                             {std::int64_t{-7}, "-7"},
                                             {std::uint64_t{beyond_int64}, "9223372036854775808"},
                                             {1e-30, "1e-30"},
                                             {1e25F, "1e+25"},
                                             {true, "1"},
                                             {false, "0"},
                                             {Text("5"), "-"}});
}

TEST(Fit, BothEndsOfTheRangeAreIncluded) {
    expect_rows(number(DataType::decimal, "-0.5", "233.1"),
                {{Decimal{2331, 1}, "233.1"},
                 {Decimal{23310, 2}, "233.10"},
                 {Decimal{23311, 2}, "-"},
                 {Decimal{-5, 1}, "-0.5"},
                 {Decimal{-500001, 6}, "-"},
                 {233.1F, "233.1"},  // in binary it is above
                 {233.10002F, "-"},
                 {233.1, "233.1"},
                 {233.10000000000002, "-"},
                 {-0.5F, "-0.5"},
                 {-0.50000006F, "-"},
                 {1e25, "-"},
                 {1e-30, "1e-30"},
                 {std::int64_t{233}, "233"},
                 {std::int64_t{234}, "-"},
                 {std::uint64_t{beyond_int64}, "-"},
                 {true, "1"}});
    expect_rows(number(DataType::decimal, "0", ""),
                {{-1e-30, "-"},
                 {-0.0F, "-0"},
                 {1e-30, "1e-30"},
                 {std::uint64_t{beyond_int64}, "9223372036854775808"}});
    expect_rows(number(DataType::decimal, "2", "3"), {{true, "-"}});
}

TEST(Fit, StepRoundsToTheGridThatStartsAtMin) {
    expect_rows(number(DataType::decimal, "", "", "0.1"), {{Decimal{2314, 2}, "23.1"},
                                                           {Decimal{2315, 2}, "23.2"},
                                                           {Decimal{-2315, 2}, "-23.2"},
                                                           {23.14F, "23.1"},
                                                           {0.04999F, "0"},
                                                           {1e-30, "0"},
                                                           {0.0012345678901234567, "0"},
                                                           {1e25, "-"},
                                                           {true, "1"}});
    expect_rows(number(DataType::decimal, "0.05", "10", "0.1"), {{Decimal{1, 1}, "0.15"},
                                                                 {Decimal{9, 2}, "0.05"},
                                                                 {Decimal{4, 2}, "-"},
                                                                 {Decimal{10, 0}, "9.95"}});
}

TEST(Fit, RoundingStaysInsideAndBringsNothingInside) {
    expect_rows(number(DataType::decimal, "0", "10.07", "0.1"),
                {{Decimal{1007, 2}, "10"}, {Decimal{1008, 2}, "-"}, {Decimal{-1, 2}, "-"}});
    expect_rows(number(DataType::decimal, "", "0.04", "0.1"), {{Decimal{-4, 2}, "0"}});
    expect_rows(number(DataType::decimal, "5", "5", "3"), {{std::int64_t{5}, "5"}});
    expect_rows(number(DataType::decimal, "", "-0.01", "0.1"), {{Decimal{-2, 2}, "-0.1"}});
}

TEST(Fit, IntIsIntegral) {
    expect_rows(of_type(DataType::integer), {{std::int64_t{42}, "42"},
                                             {std::uint64_t{42}, "42"},
                                             {Decimal{2310, 1}, "231"},
                                             {Decimal{2314, 1}, "-"},
                                             {231.0F, "231"},
                                             {231.5F, "-"},
                                             {1e-30, "-"},
                                             {true, "1"},
                                             {false, "0"},
                                             {Text("1"), "-"},
                                             {std::int64_t{2147483647}, "2147483647"},
                                             {std::int64_t{2147483648}, "-"},
                                             {std::int64_t{-2147483648}, "-2147483648"},
                                             {std::int64_t{-2147483649}, "-"}});
}

TEST(Fit, IntRoundsOnlyIfStepSaysSo) {
    expect_rows(number(DataType::integer, "0", "100", "1"), {{Decimal{224, 1}, "22"},
                                                             {Decimal{225, 1}, "23"},
                                                             {22.4F, "22"},
                                                             {1e-30, "0"},
                                                             {100.4F, "-"}});
    expect_rows(number(DataType::integer, "0", "100", "5"), {{std::int64_t{13}, "15"}});
    expect_rows(number(DataType::integer, "0", "100", "0.5"),
                {{Decimal{224, 1}, "-"}, {Decimal{221, 1}, "22"}});
}

TEST(Fit, AModelsOwnRangeCountsBeforeItsTypes) {
    expect_rows(number(DataType::integer, "0", "4294967295"),
                {{std::uint64_t{4294967295}, "4294967295"}, {std::uint64_t{4294967296}, "-"}});
    expect_rows(number(DataType::integer, "0", ""), {{std::int64_t{2147483648}, "-"}});
}

TEST(Fit, LongHas64Bits) {
    expect_rows(of_type(DataType::long_integer),
                {{std::uint64_t{9223372036854775807}, "9223372036854775807"},
                 {std::uint64_t{beyond_int64}, "-"},
                 {std::numeric_limits<std::int64_t>::min(), "-9223372036854775808"},
                 {Decimal{15, 1}, "-"},
                 {1e18, "1000000000000000000"},
                 {1e19, "-"}});
}

TEST(Fit, BooleanIsABitAndNothingElse) {
    expect_rows(of_type(DataType::boolean), {{true, "true"},
                                             {false, "false"},
                                             {std::int64_t{1}, "true"},
                                             {std::uint64_t{0}, "false"},
                                             {Decimal{10, 1}, "true"},
                                             {0.0F, "false"},
                                             {std::int64_t{2}, "-"},
                                             {std::int64_t{-1}, "-"},
                                             {Decimal{1, 1}, "-"},
                                             {Text("true"), "-"}});
}

TEST(Fit, StringTakesTheTextOfEveryValue) {
    expect_rows(of_type(DataType::string),
                {{Text("a\"b"), "\"a\\\"b\""},
                 {true, "\"true\""},
                 {false, "\"false\""},
                 {Decimal{2314, 1}, "\"231.4\""},
                 {233.1F, "\"233.1\""},
                 {std::uint64_t{beyond_int64}, "\"9223372036854775808\""},
                 {Text(), "\"\""}});
}

TEST(Fit, MaxLengthCountsCharacters) {
    PropertyModel model = of_type(DataType::string);
    model.max_length = 3;
    expect_rows(model, {{Text("abc"), "\"abc\""},
                        {Text("abcd"), "-"},
                        {Text("äöü"), "\"äöü\""},  // 6 bytes
                        {Text("äöüß"), "-"},
                        {Text("😀😀😀"), "\"😀😀😀\""},  // 12 bytes, 6 UTF-16 units
                        {Text("\"\\\n"), "\"\\\"\\\\\\n\""},
                        {Text("\x01\x02\x03"), "\"\\u0001\\u0002\\u0003\""},
                        {Text("\xFF\xFE\xFD\xFC"), "-"},  // each becomes a U+FFFD
                        {Decimal{25, 1}, "\"2.5\""},
                        {Decimal{255, 1}, "-"}});
}

TEST(Fit, EnumIsOneOfItsWords) {
    PropertyModel model = of_type(DataType::enumeration);
    expect_rows(model, {{Text("any"), "\"any\""}});
    model.enum_list = {"day", "night", "1", "true"};
    expect_rows(model, {{Text("day"), "\"day\""},
                        {Text("Day"), "-"},
                        {Text(""), "-"},
                        {std::int64_t{1}, "\"1\""},
                        {std::int64_t{2}, "-"},
                        {true, "\"true\""},
                        {false, "-"}});
    model.type = DataType::string;
    expect_rows(model, {{Text("night"), "\"night\""}, {Text("dusk"), "-"}});
}

TEST(Fit, DateTimeIsADate) {
    expect_rows(of_type(DataType::date_time), {{Text("20151212T121212Z"), "\"20151212T121212Z\""},
                                               {Text("20240229T235960Z"), "\"20240229T235960Z\""},
                                               {Text("20230229T000000Z"), "-"},
                                               {Text("20151312T121212Z"), "-"},
                                               {Text("20151212T241212Z"), "-"},
                                               {Text("20151212T126012Z"), "-"},
                                               {Text("20151212T121212"), "-"},
                                               {Text("20151212 121212Z"), "-"},
                                               {Text("2015121aT121212Z"), "-"},
                                               {Text("2015-12-12T12:12:12Z"), "-"},
                                               {std::int64_t{1449922332}, "-"}});
}

TEST(Fit, JsonObjectIsOneAndGoesAsItIs) {
    expect_rows(of_type(DataType::json_object), {{Text(R"({"a":[1,2]})"), R"({"a":[1,2]})"},
                                                 {Text("{}"), "{}"},
                                                 {Text("[1]"), "-"},
                                                 {Text("{\"a\":1"), "-"},
                                                 {Text("{} {}"), "-"},
                                                 {Text(""), "-"},
                                                 {std::int64_t{1}, "-"}});
    PropertyModel small = of_type(DataType::json_object);
    small.max_length = 7;
    expect_rows(small, {{Text("{\"a\":1}"), "{\"a\":1}"}, {Text("{\"a\":12}"), "-"}});
}

TEST(Fit, StringListIsAListOfOne) {
    PropertyModel model = of_type(DataType::string_list);
    model.max_length = 5;
    expect_rows(model, {{Text("a\"b"), "[\"a\\\"b\"]"},
                        {Text("[\"a\""), "[\"[\\\"a\\\"\"]"},
                        {true, "[\"true\"]"},
                        {Text("abcdef"), "-"}});
}

}  // namespace
}  // namespace fieldgate
