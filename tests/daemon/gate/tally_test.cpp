#include "daemon/gate/tally.h"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

storage::AuditEntry entry(const std::string& target, const std::string& result = "refused: no") {
    storage::AuditEntry made;
    made.what = "property set";
    made.target = target;
    made.result = result;
    return made;
}

class TallyTest : public testing::Test {
protected:
    // How many rows are written for `count` of a kind.
    int add(const std::string& target, int count, int code = 1) {
        int rows = 0;
        for (int i = 0; i < count; ++i) rows += tally_.add(entry(target), code, now_) ? 1 : 0;
        return rows;
    }

    Tally tally_;
    Instant now_{1h};
};

TEST_F(TallyTest, WritesTheFirstAndThenTheCountOfAMinute) {
    EXPECT_EQ(add("valve", 100), 1);
    EXPECT_TRUE(tally_.due(now_ + 59s).empty());
    const auto rows = tally_.due(now_ + 60s);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].target, "valve");
    EXPECT_EQ(rows[0].result, "99 more within 1 min, the last: refused: no");
}

TEST_F(TallyTest, ForgetsAKindThatIsQuiet) {
    EXPECT_EQ(add("valve", 1), 1);
    EXPECT_TRUE(tally_.due(now_ + 60s).empty());
    EXPECT_EQ(add("valve", 1), 1) << "its own row again, with all that it says";
}

TEST_F(TallyTest, TellsTargetsAndReasonsApart) {
    EXPECT_EQ(add("valve", 5, 1), 1);
    EXPECT_EQ(add("valve", 5, 4), 1);
    EXPECT_EQ(add("meter", 5, 1), 1);
    EXPECT_EQ(tally_.due(now_ + 60s).size(), 3u);
}

TEST_F(TallyTest, ADayOfAnyFloodIsSomeHundredRows) {
    std::uint64_t rows = 0;
    std::uint64_t counted = 0;
    for (int second = 0; second < 86'400; ++second, now_ += 1s) {
        for (int i = 0; i < 10; ++i)
            rows += tally_.add(entry("t" + std::to_string(i * second % 977)), i, now_) ? 1U : 0U;
        for (const auto& row : tally_.due(now_)) {
            ++rows;
            counted += std::stoull(row.result);
        }
    }
    for (const auto& row : tally_.due(Instant::max())) counted += std::stoull(row.result);
    EXPECT_LT(rows, 1500u);
    EXPECT_GE(counted + rows, 864'000u) << "none is lost";
}

}  // namespace
}  // namespace fieldgate
