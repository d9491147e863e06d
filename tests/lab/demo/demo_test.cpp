#include <gtest/gtest.h>

#include "tests/lab/demo/table.h"
#include "tests/lab/demo/verdict.h"

namespace fieldgate::lab {
namespace {

using std::chrono::milliseconds;

TEST(SameValue, ComparesNumbersAsNumbersAndTheRestAsText) {
    EXPECT_TRUE(same_value("230.0", "230"));
    EXPECT_TRUE(same_value("233.1", "233.10000610351562"));
    EXPECT_TRUE(same_value("\"day\"", "\"day\""));
    EXPECT_FALSE(same_value("230.1", "230"));
    EXPECT_FALSE(same_value("9007199254740993", "9007199254740992"));
    EXPECT_TRUE(same_value("true", "1"));
    EXPECT_FALSE(same_value("true", "0"));
    EXPECT_FALSE(same_value("\"1\"", "1"));
}

class TruthTest : public testing::Test {
protected:
    TruthTest() {
        truth.add("d", "u", 1000, "1");
        truth.add("d", "u", 2000, "2");
        truth.add("d", "u", 3000, "3");
    }
    bool held(std::int64_t at, const std::string& value) const {
        return truth.held("d", "u", at, milliseconds(100), value);
    }
    Truth truth;
};

TEST_F(TruthTest, HoldsAValueUntilTheNext) {
    EXPECT_TRUE(held(1000, "1"));
    EXPECT_TRUE(held(1999, "1"));
    EXPECT_FALSE(held(2101, "1"));
    EXPECT_TRUE(held(99999, "3"));
}

TEST_F(TruthTest, AllowsOneTickOnEitherSide) {
    EXPECT_TRUE(held(1901, "2"));
    EXPECT_FALSE(held(1899, "2"));
    EXPECT_TRUE(held(2099, "1"));
}

TEST_F(TruthTest, KnowsNothingBeforeItsTime) {
    EXPECT_FALSE(held(800, "1"));
    EXPECT_FALSE(truth.held("d", "v", 1000, milliseconds(100), "1"));
}

TEST_F(TruthTest, TheVerdictNamesWhatIsMissingAndWhatIsWrong) {
    const milliseconds tick(100);
    const Record right{0, "d", "E", 1500, {{"u", "1"}}};
    const Record wrong{0, "d", "E", 1500, {{"u", "2"}}};
    const Record invented{0, "d", "E", 1500, {{"u", "1"}, {"v", "1"}}};

    EXPECT_TRUE(verdict(truth, tick, {right}, {}).empty());
    EXPECT_EQ(verdict(truth, tick, {}, {}), std::vector<std::string>{"missing: d u"});
    EXPECT_EQ(verdict(truth, tick, {wrong}, {}),
              std::vector<std::string>{"wrong: d u = 2 at 1500; the plant had 1 since 1000"});
    EXPECT_EQ(verdict(truth, tick, {invented}, {}),
              std::vector<std::string>{"wrong: d v = 1 at 1500; the plant had nothing"});
    EXPECT_EQ(verdict(truth, tick, {right}, {{0, "bad"}}),
              std::vector<std::string>{"violation: bad"});
    EXPECT_FALSE(verdict(Truth(), tick, {right}, {}).empty());
}

TEST_F(TruthTest, TheVerdictIsNotEndless) {
    const std::vector<Record> wrong(1000, Record{0, "d", "E", 1500, {{"u", "2"}}});

    const std::vector<std::string> faults = verdict(truth, milliseconds(100), wrong, {});

    EXPECT_EQ(faults.size(), 21U);
    EXPECT_EQ(faults.back(), "wrong: and 980 more");
}

TEST(Table, ShowsTheNewestValueAndItsAge) {
    Table table({{"p_1", "METER-1"}, {"p_2", "METER-2"}});
    table.add({0, "p_1", "E", 9000, {{"u", "230.5"}, {"tariff", "\"day\""}}});
    table.add({0, "p_1", "E", 8000, {{"u", "229"}}});
    table.add({0, "gw", "Gateway", 9000, {{"configHash", "\"0123456789abcdef\""}}});
    Table::Scene scene;
    scene.now = 10500;
    scene.statuses = {{"p_1", "ONLINE"}, {"p_2", "INACTIVE"}};

    const std::vector<std::string> lines = table.lines(scene);

    ASSERT_EQ(lines.size(), 7U);
    EXPECT_NE(lines[3].find("ONLINE"), std::string::npos);
    EXPECT_NE(lines[4].find("day"), std::string::npos);
    EXPECT_EQ(lines[4].find('"'), std::string::npos);
    EXPECT_NE(lines[5].find("230.5   1.5 s"), std::string::npos) << lines[5];
    EXPECT_EQ(lines[6], "gateway:  configHash 012345678..");
}

}  // namespace
}  // namespace fieldgate::lab
