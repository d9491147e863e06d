#include "base/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace fieldgate::json {
namespace {

std::string rewritten(std::string_view text) {
    const Result<Value> value = parse(text);
    if (!value) return value.error().what;
    std::string out;
    append_value(out, *value);
    return out;
}

TEST(Json, ReadsBackWhatItWrites) {
    const std::string text = R"({"a":[1,-2,1.5,true,null,"x\ny"],"b":{"c":18446744073709551615}})";
    EXPECT_EQ(rewritten(text), text);
}

TEST(Json, RefusesTheSameKeyTwice) {
    EXPECT_EQ(rewritten(R"({"a":1,"a":2})"), "key \"a\" stands twice (at byte 10)");
    std::string many = "{";
    for (int i = 0; i < 100; ++i) many += "\"k" + std::to_string(i) + "\":0,";
    EXPECT_EQ(rewritten(many + "\"last\":0}"), many + "\"last\":0}");
    for (const char* again : {"k0", "k31", "k32", "k33", "k99"})
        EXPECT_TRUE(rewritten(many + "\"" + again + "\":0}")
                        .starts_with("key \"" + std::string(again) + "\" stands twice"))
            << again;
}

TEST(Json, RefusesDeepNestingWithoutDescendingIntoIt) {
    const std::string deep(100000, '[');
    const Result<Value> value = parse(deep);
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code, Errc::out_of_range);
    EXPECT_EQ(value.error().what, "nested deeper than 32 levels");
}

TEST(Json, RefusesTooManyBytes) {
    Limits small;
    small.bytes = 3;
    EXPECT_EQ(parse("1234", small).error().code, Errc::out_of_range);
}

TEST(Json, RefusesWhatIsNoUtf8AndTrailingText) {
    EXPECT_FALSE(parse("\"\xC0\xAF\""));
    EXPECT_FALSE(parse("1 2"));
    EXPECT_FALSE(parse(""));
}

TEST(Json, WritesForeignBytesAsReplacementCharacters) {
    std::string out;
    append_string(out, "a\xFFz\x01\"\\");
    EXPECT_EQ(out, "\"a\xEF\xBF\xBDz\\u0001\\\"\\\\\"");
}

TEST(Json, ReadsNumbersExactly) {
    const auto parsed = parse(
        "[0,-0,7,-7,9223372036854775807,-9223372036854775808,9223372036854775808,"
        "18446744073709551615,18446744073709551616,-9223372036854775809,0.1,-12.50,5e-324,"
        "1.7976931348623157e308,0e300,0e-300,-0.0,1e-400,2.2250738585072011e-308,1E+2,"
        "123456789012345678901234567890]");
    ASSERT_TRUE(parsed) << parsed.error().what;
    std::string out;
    append_value(out, *parsed);
    EXPECT_EQ(out,
              "[0,0,7,-7,9223372036854775807,-9223372036854775808,9223372036854775808,"
              "18446744073709551615,18446744073709551616,-9223372036854775808,0.1,-12.5,5e-324,"
              "1.7976931348623157e+308,0,0,-0,0,2.225073858507201e-308,100,"
              "1.2345678901234568e+29]");
    EXPECT_TRUE((*parsed->array())[4].integer());
    EXPECT_FALSE((*parsed->array())[6].integer());
    EXPECT_FALSE((*parsed->array())[10].integer());
}

TEST(Json, RefusesNumbersThatAreNone) {
    for (const char* bad : {"1e309", "10e308", "-1e999", "01", "+1", ".5", "5.", "1e", "1e+", "-",
                            "0x1", "NaN", "Infinity", "1_0", "1 2"})
        EXPECT_FALSE(parse(bad)) << bad;
}

TEST(Json, WritesTheShortestNumbers) {
    std::string out;
    append_float(out, 233.1F);
    out += ' ';
    append_double(out, 0.1);
    out += ' ';
    append_double(out, std::numeric_limits<double>::infinity());
    EXPECT_EQ(out, "233.1 0.1 null");
}

TEST(Json, TreatsNullAsAbsentWhenAsked) {
    const Result<Value> value = parse(R"({"name":null})");
    ASSERT_TRUE(value);
    EXPECT_NE((*value).find("name"), nullptr);
    EXPECT_EQ((*value).get("name"), nullptr);
    EXPECT_EQ((*value).find("other"), nullptr);
}

}  // namespace
}  // namespace fieldgate::json
