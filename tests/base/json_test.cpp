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
