#include "model/accept.h"

#include <gtest/gtest.h>

namespace fieldgate {
namespace {

using Text = std::string;

PropertyModel of_type(DataType type) {
    PropertyModel model;
    model.type = type;
    model.writable = true;
    return model;
}

PropertyModel number(DataType type, const char* min, const char* max, const char* step = "") {
    PropertyModel model = of_type(type);
    model.min = parse_decimal(min);
    model.max = parse_decimal(max);
    model.step = parse_decimal(step);
    return model;
}

// What `text` (JSON) is accepted as, or the error: "bad_data: why".
Text accepted(const Text& text, const FieldModel* model) {
    const auto sent = json::parse(text);
    if (!sent) return "no JSON";
    const Result<Value> value = accept(*sent, model);
    if (!value) return Text(to_string(value.error().code)) + ": " + value.error().what;
    return to_string(*value);
}

TEST(Accept, TakesWholeNumbersForIntAndNothingElse) {
    const PropertyModel model = number(DataType::integer, "0", "100");
    EXPECT_EQ(accepted("7", &model), "7");
    EXPECT_EQ(accepted("7.0", &model), "7");
    EXPECT_EQ(accepted("7e1", &model), "70");
    EXPECT_EQ(accepted("true", &model), "1");
    EXPECT_EQ(accepted("7.5", &model), "bad_data: 7.5 is no int");
    EXPECT_EQ(accepted("\"7\"", &model), "bad_data: a text where int belongs");
    EXPECT_EQ(accepted("null", &model), "bad_data: null where int belongs");
    EXPECT_EQ(accepted("[7]", &model), "bad_data: a list where int belongs");
    EXPECT_EQ(accepted("{}", &model), "bad_data: an object where int belongs");
    EXPECT_EQ(accepted("101", &model),
              "out_of_range: 101 is outside of the model's range, 0 to 100");
    EXPECT_EQ(accepted("-1", &model), "out_of_range: -1 is outside of the model's range, 0 to 100");
}

TEST(Accept, HoldsIntToItsBitsWhereTheModelHasNoRange) {
    const PropertyModel small = of_type(DataType::integer);
    const PropertyModel large = of_type(DataType::long_integer);
    EXPECT_EQ(accepted("2147483647", &small), "2147483647");
    EXPECT_EQ(
        accepted("2147483648", &small),
        "out_of_range: 2147483648 is outside of the model's range, -2147483648 to 2147483647");
    EXPECT_EQ(accepted("2147483648", &large), "2147483648");
    EXPECT_EQ(accepted("9223372036854775808", &large),
              "out_of_range: 9223372036854775808 is outside of the model's range, "
              "-9223372036854775808 to 9223372036854775807");
}

TEST(Accept, KeepsDecimalsAsTheyWereWritten) {
    const PropertyModel model = number(DataType::decimal, "-0.5", "32");
    EXPECT_EQ(accepted("23.1", &model), "23.1");
    EXPECT_EQ(accepted("0.30000000000000004", &model), "0.30000000000000004");
    EXPECT_EQ(accepted("32", &model), "32");
    EXPECT_EQ(accepted("32.000001", &model),
              "out_of_range: 32.000001 is outside of the model's range, -0.5 to 32");
    EXPECT_EQ(accepted("1e300", &model),
              "out_of_range: 1e+300 is outside of the model's range, -0.5 to 32");
    const auto sent = json::parse("23.1");
    EXPECT_EQ(*accept(*sent, &model), Value(Decimal{231, 1}));
}

TEST(Accept, RefusesWhatIsOffTheStepInsteadOfRoundingIt) {
    const PropertyModel tenths = number(DataType::decimal, "0.05", "10", "0.1");
    EXPECT_EQ(accepted("0.25", &tenths), "0.25");
    EXPECT_EQ(accepted("0.2", &tenths),
              "out_of_range: 0.2 is off the model's step of 0.1 from 0.05");
    const PropertyModel fives = number(DataType::integer, "", "", "5");
    EXPECT_EQ(accepted("15", &fives), "15");
    EXPECT_EQ(accepted("16", &fives), "out_of_range: 16 is off the model's step of 5 from 0");
    EXPECT_EQ(accepted("15.2", &fives), "bad_data: 15.2 is no int");
}

TEST(Accept, TakesBooleansAlsoAsOneAndZero) {
    const PropertyModel model = of_type(DataType::boolean);
    EXPECT_EQ(accepted("true", &model), "true");
    EXPECT_EQ(accepted("0", &model), "false");
    EXPECT_EQ(accepted("1.0", &model), "true");
    EXPECT_EQ(accepted("2", &model), "bad_data: 2 is no boolean");
    EXPECT_EQ(accepted("\"true\"", &model), "bad_data: a text where boolean belongs");
}

TEST(Accept, HoldsTextsToTheirListAndLength) {
    PropertyModel model = of_type(DataType::enumeration);
    model.enum_list = {"day", "night"};
    EXPECT_EQ(accepted("\"night\"", &model), "night");
    EXPECT_EQ(accepted("\"dusk\"", &model), "out_of_range: \"dusk\" is none of day, night");
    EXPECT_EQ(accepted("1", &model), "bad_data: a number where enum belongs");
    model = of_type(DataType::string);
    model.max_length = 3;
    EXPECT_EQ(accepted("\"äöü\"", &model), "äöü");
    EXPECT_EQ(accepted("\"abcd\"", &model), "out_of_range: longer than the model's 3 characters");
    EXPECT_EQ(accepted("true", &model), "bad_data: a bool where string belongs");
}

TEST(Accept, KnowsTheOtherForms) {
    const PropertyModel date = of_type(DataType::date_time);
    EXPECT_EQ(accepted("\"20261125T203500Z\"", &date), "20261125T203500Z");
    EXPECT_EQ(accepted("\"2026-11-25\"", &date),
              "bad_data: \"2026-11-25\" is no DateTime: yyyyMMdd'T'HHmmss'Z'");
    const PropertyModel object = of_type(DataType::json_object);
    EXPECT_EQ(accepted("{\"a\": [1, null]}", &object), "{\"a\":[1,null]}");
    EXPECT_EQ(accepted("\"{}\"", &object), "bad_data: a text where jsonObject belongs");
    const PropertyModel list = of_type(DataType::string_list);
    EXPECT_EQ(accepted("[\"one\"]", &list), "one");
    EXPECT_EQ(accepted("[\"one\", \"two\"]", &list), "bad_data: a list where string list belongs");
    EXPECT_EQ(accepted("[1]", &list), "bad_data: a list where string list belongs");
}

TEST(Accept, TakesTheJsonTypeAsItIsWithoutAModel) {
    EXPECT_EQ(*accept(*json::parse("true"), nullptr), Value(true));
    EXPECT_EQ(*accept(*json::parse("5"), nullptr), Value(std::int64_t{5}));
    EXPECT_EQ(*accept(*json::parse("18446744073709551615"), nullptr), Value(UINT64_MAX));
    EXPECT_EQ(*accept(*json::parse("0.1"), nullptr), Value(Decimal{1, 1}));
    EXPECT_EQ(*accept(*json::parse("\"on\""), nullptr), Value(Text("on")));
    EXPECT_EQ(accepted("null", nullptr), "bad_data: null where bool, number or text belongs");
    EXPECT_EQ(accepted("[]", nullptr), "bad_data: a list where bool, number or text belongs");
}

TEST(AcceptWrite, WantsALeaveOfTemplateAndModel) {
    Point point;
    EXPECT_EQ(accept_write(*json::parse("1"), point).error().code, Errc::unsupported);
    point.write.emplace();
    EXPECT_EQ(*accept_write(*json::parse("1"), point), Value(std::int64_t{1}));
    point.model = of_type(DataType::integer);
    point.model->writable = false;
    EXPECT_EQ(accept_write(*json::parse("1"), point).error().code, Errc::unsupported);
}

TEST(AcceptWrite, HoldsNumbersToTheTemplatesRangeToo) {
    Point point;
    point.model = number(DataType::decimal, "0", "100");
    point.write.emplace();
    point.write->min = Decimal{5, 0};
    point.write->max = Decimal{325, 1};
    EXPECT_TRUE(accept_write(*json::parse("5"), point));
    EXPECT_TRUE(accept_write(*json::parse("32.5"), point));
    const auto less = accept_write(*json::parse("4.99"), point);
    EXPECT_EQ(less.error().code, Errc::out_of_range);
    EXPECT_EQ(less.error().what, "4.99 is less than write.min, 5");
    const auto more = accept_write(*json::parse("32.51"), point);
    EXPECT_EQ(more.error().code, Errc::out_of_range);
    EXPECT_EQ(more.error().what, "32.51 is more than write.max, 32.5");
    point.model.reset();
    EXPECT_FALSE(accept_write(*json::parse("18446744073709551615"), point));
    EXPECT_FALSE(accept_write(*json::parse("-1e300"), point));
}

}  // namespace
}  // namespace fieldgate
