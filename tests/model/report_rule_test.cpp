#include <gtest/gtest.h>

#include <limits>

#include "model/mapping.h"

namespace fieldgate {
namespace {

using namespace std::chrono_literals;
using Change = ReportRule::Change;

constexpr Instant start = Instant() + 1h;

ReportRule rule(Change change, const char* amount = "0") {
    ReportRule r;
    r.change = change;
    r.amount = *parse_decimal(amount);
    return r;
}

struct Row {
    ReportRule rule;
    Value last, value;
    bool send;
};

TEST(ReportRule, ComparesWithTheLastValueSent) {
    const ReportRule any = rule(Change::any);
    const ReportRule half = rule(Change::absolute, "0.5");
    const ReportRule percent = rule(Change::percent, "1");
    const std::vector<Row> rows{
        {rule(Change::every_reading), std::int64_t{1}, std::int64_t{1}, true},
        {any, std::int64_t{1}, std::int64_t{1}, false},
        {any, std::int64_t{1}, std::int64_t{2}, true},
        {any, Decimal{10, 1}, Decimal{1, 0}, false},
        {any, Decimal{10, 1}, Decimal{11, 1}, true},
        {any, 233.1F, 233.1F, false},
        {any, 233.1F, 233.10002F, true},
        {any, 0.0, -0.0, false},
        {any, std::uint64_t{18446744073709551615U}, std::uint64_t{18446744073709551614U}, true},
        {any, true, true, false},
        {any, true, false, true},
        {any, std::string("day"), std::string("day"), false},
        {any, std::string("day"), std::string("night"), true},
        {any, std::int64_t{1}, std::string("1"), true},
        {any, std::int64_t{1}, Decimal{10, 1}, false},

        {half, Decimal{2314, 1}, Decimal{2318, 1}, false},
        {half, Decimal{2314, 1}, Decimal{2319, 1},
         true},  // exactly: 231.9 - 231.4 in binary is less
        {half, Decimal{2314, 1}, Decimal{2309, 1}, true},
        {half, Decimal{2314, 1}, Decimal{23091, 2}, false},
        {half, 231.4F, 231.9F, true},
        {half, 231.4F, 231.8F, false},
        {half, 231.4, 230.9, true},
        {half, Decimal{-3, 1}, Decimal{3, 1}, true},
        {half, std::int64_t{7}, std::int64_t{8}, true},
        {half, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
         true},
        {half, std::uint64_t{18446744073709551615U}, std::uint64_t{0}, true},
        {half, 1e300, 2e300, true},
        {half, true, false, true},
        {half, false, false, false},
        {half, std::string("a"), std::string("b"), true},
        {rule(Change::absolute, "0"), std::int64_t{7}, std::int64_t{7}, false},
        {rule(Change::absolute, "0"), std::int64_t{7}, std::int64_t{8}, true},
        {rule(Change::absolute, "10"), std::int64_t{7}, std::int64_t{16}, false},
        {rule(Change::absolute, "10"), std::int64_t{7}, std::int64_t{17}, true},

        {percent, Decimal{2000, 1}, Decimal{2020, 1}, true},
        {percent, Decimal{2000, 1}, Decimal{20199, 2}, false},
        {percent, Decimal{-2000, 1}, Decimal{-1980, 1}, true},
        {percent, Decimal{-2000, 1}, Decimal{-19801, 2}, false},
        {percent, 200.0F, 202.0F, true},
        {percent, 200.0F, 201.99F, false},
        {percent, std::int64_t{0}, std::int64_t{1}, true},
        {percent, std::int64_t{0}, std::int64_t{0}, false},
        {percent, 0.0F, 1e-6F, true},
        {percent, std::uint64_t{18446744073709551615U}, std::uint64_t{18446744073709551614U},
         false},
        {percent, false, true, true},
    };
    for (const Row& row : rows)
        EXPECT_EQ(worth_sending(row.rule, row.value, start + 1s, &row.last, start), row.send)
            << static_cast<int>(row.rule.change) << ": " << to_string(row.last) << " -> "
            << to_string(row.value);
}

TEST(ReportRule, SendsTheFirstReading) {
    ReportRule strict = rule(Change::percent, "50");
    strict.min = 1h;
    EXPECT_TRUE(worth_sending(strict, std::int64_t{1}, start, nullptr, Instant()));
}

TEST(ReportRule, SendsNotMoreOftenThanMin) {
    for (const Change change : {Change::every_reading, Change::any}) {
        ReportRule r = rule(change);
        r.min = 10s;
        r.max = 5s;  // contradicts; min wins
        const Value last = std::int64_t{1};
        EXPECT_FALSE(worth_sending(r, std::int64_t{2}, start + 1s, &last, start));
        EXPECT_FALSE(worth_sending(r, std::int64_t{2}, start + 9900ms, &last, start));
        EXPECT_TRUE(worth_sending(r, std::int64_t{2}, start + 10s, &last, start));
    }
}

TEST(ReportRule, SendsAtLeastAsOftenAsMax) {
    ReportRule r = rule(Change::any);
    r.max = 10min;
    const Value last = std::int64_t{1};
    EXPECT_FALSE(worth_sending(r, std::int64_t{1}, start + 599s, &last, start));
    EXPECT_TRUE(worth_sending(r, std::int64_t{1}, start + 600s, &last, start));
    r.max = 0ms;
    EXPECT_FALSE(worth_sending(r, std::int64_t{1}, start + 1000h, &last, start));
}

TEST(ReportRule, ThinsNoReadingThatComesOutOfOrder) {
    const Value last = std::int64_t{1};
    EXPECT_TRUE(
        worth_sending(rule(Change::every_reading), std::int64_t{1}, start - 1ms, &last, start));
    EXPECT_TRUE(worth_sending(rule(Change::any), std::int64_t{2}, start - 1ms, &last, start));
}

// One reading a second, some milliseconds early or late: each is sent, as if none had trembled.
TEST(ReportRule, DoesNotHalveTheRateOfAScheduleThatTrembles) {
    ReportRule r = rule(Change::every_reading);
    r.min = 1s;
    const Value last = std::int64_t{1};
    int sent = 0;
    Instant last_at = start;
    for (int i = 1; i <= 1000; ++i) {
        const Instant now = start + std::chrono::seconds(i) + std::chrono::milliseconds(i * 7 % 20);
        if (!worth_sending(r, std::int64_t{2}, now, &last, last_at)) continue;
        last_at = now;
        ++sent;
    }
    EXPECT_EQ(sent, 1000);
}

}  // namespace
}  // namespace fieldgate
