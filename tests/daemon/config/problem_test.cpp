#include "daemon/problem.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace fieldgate {
namespace {

Problem problem() {
    Problem p;
    p.file = "templates/power-meter.yaml";
    p.line = 17;
    p.column = 25;
    p.path = "services.Electrical.voltage.at";
    p.what = "\"holdng\" is no register table";
    p.hint = "did you mean \"holding\"?";
    p.line_text = "    voltage:      { at: holdng:0, type: u32, scale: 0.1 }";
    return p;
}

TEST(Problem, PointsAtTheColumn) {
    EXPECT_EQ(describe(problem()),
              "templates/power-meter.yaml:17:25: services.Electrical.voltage.at: \"holdng\" is no "
              "register table\n"
              "    voltage:      { at: holdng:0, type: u32, scale: 0.1 }\n"
              "                        ^ hint: did you mean \"holding\"?");
}

TEST(Problem, FitsOnOneLineOfALog) {
    EXPECT_EQ(describe_briefly(problem()),
              "templates/power-meter.yaml:17:25: services.Electrical.voltage.at: \"holdng\" is no "
              "register table (did you mean \"holding\"?)");
}

TEST(Problem, SaysThatAWarningIsOne) {
    Problem p = problem();
    p.severity = Problem::Severity::warning;
    EXPECT_TRUE(describe(p).starts_with(
        "templates/power-meter.yaml:17:25: warning: services.Electrical.voltage.at: \"holdng\""));
}

TEST(Problem, PointsAtTheColumnBehindTabsControlCharactersAndForeignBytes) {
    Problem p = problem();
    p.line_text =
        "\t\x1B[2J\xFF"
        "bad";
    p.column = 7;
    EXPECT_TRUE(describe(p).ends_with("\n  [2J?bad\n      ^ hint: did you mean \"holding\"?"));
}

TEST(Problem, PointsAtTheColumnBehindMultibyteCharacters) {
    Problem p = problem();
    p.line_text =
        "\xC3\xA9\xE7\x94\xB5"
        "e\xCC\x81"
        "bad";  // one, two and one column
    p.column = 5;
    EXPECT_TRUE(describe(p).ends_with("\n    ^ hint: did you mean \"holding\"?"));
}

TEST(Problem, NeedsNeitherPathNorLineNorHint) {
    Problem p = problem();
    p.path.clear();
    p.line_text.clear();
    EXPECT_EQ(describe(p),
              "templates/power-meter.yaml:17:25: \"holdng\" is no register table\n"
              "    hint: did you mean \"holding\"?");
    p.hint.clear();
    EXPECT_EQ(describe(p), "templates/power-meter.yaml:17:25: \"holdng\" is no register table");
}

TEST(Problem, ShowsAPieceOfALongLine) {
    Problem p = problem();
    p.line_text = std::string(700, 'a') + "!" + std::string(700, 'b');
    p.column = 701;
    const std::string text = describe(p);
    EXPECT_LT(text.size(), 900U);
    EXPECT_NE(text.find("aa!bb"), std::string::npos);
    EXPECT_NE(text.find('\n' + std::string(200, ' ') + "^ hint"), std::string::npos);
}

TEST(Problem, IsAMemberOfTheJsonThatCheckPrints) {
    std::string out = "{";
    append_problems_json(out, {problem(), problem()});
    out += '}';
    const auto value = json::parse(out);
    ASSERT_TRUE(value) << out;
    const auto& list = *value->find("problems")->array();
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(*list[1].find("file")->string(), "templates/power-meter.yaml");
    EXPECT_EQ(*list[1].find("line")->integer(), 17);
    EXPECT_EQ(*list[1].find("column")->integer(), 25);
    EXPECT_EQ(*list[1].find("path")->string(), "services.Electrical.voltage.at");
    EXPECT_EQ(*list[1].find("severity")->string(), "error");
    EXPECT_EQ(*list[1].find("what")->string(), "\"holdng\" is no register table");
    EXPECT_EQ(*list[1].find("hint")->string(), "did you mean \"holding\"?");
    std::string none;
    append_problems_json(none, {});
    EXPECT_EQ(none, "\"problems\":[]");
}

}  // namespace
}  // namespace fieldgate
