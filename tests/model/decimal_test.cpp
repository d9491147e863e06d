#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "model/value.h"

namespace fieldgate {

// What failed comparisons print.
void PrintTo(const Decimal& d, std::ostream* out) {
    *out << d.mantissa << "/10^" << static_cast<int>(d.decimals);
}

namespace {

__extension__ typedef __int128 Wide;

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t int64_min = std::numeric_limits<std::int64_t>::min();

std::string text(Decimal value) {
    std::string out;
    append_json(out, value);
    return out;
}

TEST(ParseDecimal, KeepsTheDecimalsThatWereWritten) {
    EXPECT_EQ(parse_decimal("-12.50"), (Decimal{-1250, 2}));
    EXPECT_EQ(parse_decimal("0"), (Decimal{0, 0}));
    EXPECT_EQ(parse_decimal("-0.00"), (Decimal{0, 2}));
    EXPECT_EQ(parse_decimal("007"), (Decimal{7, 0}));
    EXPECT_EQ(parse_decimal("+5"), (Decimal{5, 0}));
    EXPECT_EQ(parse_decimal("100"), (Decimal{100, 0}));
}

TEST(ParseDecimal, ReadsExponents) {
    EXPECT_EQ(parse_decimal("1e-3"), (Decimal{1, 3}));
    EXPECT_EQ(parse_decimal("1.5E3"), (Decimal{1500, 0}));
    EXPECT_EQ(parse_decimal("1.50e1"), (Decimal{150, 1}));
    EXPECT_EQ(parse_decimal("1e+18"), (Decimal{1000000000000000000, 0}));
    EXPECT_EQ(parse_decimal("0e999999999999999999999"), (Decimal{0, 0}));
    EXPECT_EQ(parse_decimal("0.000e-99999"), (Decimal{0, 18}));
}

TEST(ParseDecimal, TakesWhatFitsHoweverItIsWritten) {
    EXPECT_EQ(parse_decimal("9223372036854775807"), (Decimal{int64_max, 0}));
    EXPECT_EQ(parse_decimal("-9223372036854775808"), (Decimal{int64_min, 0}));
    EXPECT_EQ(parse_decimal("9223372036854775807.0"), (Decimal{int64_max, 0}));
    EXPECT_EQ(parse_decimal("1.0000000000000000000000000000"), (Decimal{1000000000000000000, 18}));
    EXPECT_EQ(parse_decimal("1000000000000000000000000000e-27"),
              (Decimal{1000000000000000000, 18}));
    EXPECT_EQ(parse_decimal("12.000000000000000000"), (Decimal{1200000000000000000, 17}));
    EXPECT_EQ(parse_decimal("0.000000000000000001"), (Decimal{1, 18}));
    EXPECT_EQ(parse_decimal(std::string(100'000, '0') + "1"), (Decimal{1, 0}));
}

TEST(ParseDecimal, RefusesWhatIsNoNumberOrDoesNotFit) {
    for (const char* bad : {"",
                            "-",
                            "+",
                            ".",
                            ".5",
                            "5.",
                            "-.5",
                            "1e",
                            "1e+",
                            "1e1.5",
                            "1 ",
                            " 1",
                            "1,5",
                            "0x10",
                            "--1",
                            "+-1",
                            "nan",
                            "inf",
                            "1_000",
                            "1.2.3",
                            "9223372036854775808",
                            "-9223372036854775809",
                            "1e19",
                            "1e-19",
                            "0.0000000000000000001",
                            "12345678901234567890",
                            "1e999999999999999999999",
                            "9999999999999999999",
                            "92233720368547758.071234"})
        EXPECT_FALSE(parse_decimal(bad)) << bad;
}

TEST(AppendDecimal, WritesTheDecimalsItHas) {
    EXPECT_EQ(text({2314, 1}), "231.4");
    EXPECT_EQ(text({-1250, 2}), "-12.50");
    EXPECT_EQ(text({-5, 3}), "-0.005");
    EXPECT_EQ(text({0, 0}), "0");
    EXPECT_EQ(text({0, 2}), "0.00");
    EXPECT_EQ(text({100, 2}), "1.00");
    EXPECT_EQ(text({int64_max, 0}), "9223372036854775807");
    EXPECT_EQ(text({int64_min, 0}), "-9223372036854775808");
    EXPECT_EQ(text({int64_min, 18}), "-9.223372036854775808");
    EXPECT_EQ(text({1, 18}), "0.000000000000000001");
    EXPECT_EQ(text({-1, 18}), "-0.000000000000000001");
}

TEST(CompareDecimals, IsExactAtTheEndsOfTheRange) {
    EXPECT_EQ(compare({10, 1}, {1, 0}), 0);
    EXPECT_LT(compare({int64_min, 0}, {int64_max, 18}), 0);
    EXPECT_GT(compare({int64_max, 0}, {int64_max - 1, 0}), 0);
    EXPECT_GT(compare({1000000000000000001, 18}, {1, 0}), 0);
    EXPECT_LT(compare({-1000000000000000001, 18}, {-1, 0}), 0);
}

TEST(MultiplyDecimals, ScalesARegisterWithoutNoise) {
    EXPECT_EQ(multiply({2331, 0}, {1, 1}), (Decimal{2331, 1}));  // in binary: 233.10000000000002
    EXPECT_EQ(multiply({2310, 0}, {1, 1}), (Decimal{231, 0}));
    EXPECT_EQ(multiply({-3, 0}, {25, 2}), (Decimal{-75, 2}));
    EXPECT_EQ(multiply({0, 0}, {1, 18}), (Decimal{0, 0}));
}

TEST(MultiplyDecimals, SaysWhatDoesNotFit) {
    EXPECT_FALSE(multiply({int64_max, 0}, {2, 0}));
    EXPECT_FALSE(multiply({int64_min, 0}, {-1, 0}));
    EXPECT_EQ(multiply({int64_min, 0}, {1, 0}), (Decimal{int64_min, 0}));
    EXPECT_FALSE(multiply({1, 10}, {1, 9}));
    EXPECT_EQ(multiply({2, 10}, {5, 9}), (Decimal{1, 18}));  // the product has a trailing zero
    EXPECT_EQ(multiply({int64_max, 0}, {10, 1}), (Decimal{int64_max, 0}));
}

TEST(AddDecimals, AlignsAndSaysWhatDoesNotFit) {
    EXPECT_EQ(add({2314, 1}, {-40, 0}), (Decimal{1914, 1}));
    EXPECT_EQ(add({5, 1}, {5, 1}), (Decimal{1, 0}));
    EXPECT_FALSE(add({int64_max, 0}, {1, 0}));
    EXPECT_FALSE(add({int64_max, 0}, {1, 18}));
    EXPECT_EQ(add({int64_max, 1}, {3, 1}), (Decimal{922337203685477581, 0}));  // beyond, and back
}

TEST(RoundToGrid, RoundsHalfAwayFromTheBase) {
    const Decimal tenth{1, 1};
    EXPECT_EQ(round_to_grid({2314, 2}, {0, 0}, tenth), (Decimal{231, 1}));
    EXPECT_EQ(round_to_grid({2315, 2}, {0, 0}, tenth), (Decimal{232, 1}));
    EXPECT_EQ(round_to_grid({-2315, 2}, {0, 0}, tenth), (Decimal{-232, 1}));
    EXPECT_EQ(round_to_grid({-2314, 2}, {0, 0}, tenth), (Decimal{-231, 1}));
    EXPECT_EQ(round_to_grid({7, 0}, {1, 0}, {5, 0}), (Decimal{6, 0}));
    EXPECT_EQ(round_to_grid({85, 1}, {1, 0}, {5, 0}), (Decimal{11, 0}));
    EXPECT_EQ(round_to_grid({int64_max, 0}, {0, 0}, {1, 18}), (Decimal{int64_max, 0}));
    EXPECT_FALSE(round_to_grid({int64_max, 0}, {0, 0}, {2, 0}));
    EXPECT_FALSE(round_to_grid({1, 0}, {0, 0}, {0, 0}));
    EXPECT_FALSE(round_to_grid({1, 0}, {0, 0}, {-1, 0}));
}

TEST(ShortestDecimal, IsWhatAPersonWouldHaveWritten) {
    EXPECT_EQ(shortest_decimal(233.1F), (Decimal{2331, 1}));
    EXPECT_EQ(shortest_decimal(233.1), (Decimal{2331, 1}));
    EXPECT_EQ(shortest_decimal(-1e-7), (Decimal{-1, 7}));
    EXPECT_EQ(shortest_decimal(16777216.0F), (Decimal{16777216, 0}));
    EXPECT_EQ(shortest_decimal(-0.0), (Decimal{0, 0}));
    EXPECT_FALSE(shortest_decimal(1e19));
    EXPECT_FALSE(shortest_decimal(1e-30F));
    EXPECT_FALSE(shortest_decimal(std::numeric_limits<double>::infinity()));
    EXPECT_FALSE(shortest_decimal(std::numeric_limits<float>::quiet_NaN()));
}

TEST(ToDouble, IsTheNearestDouble) {
    EXPECT_EQ(to_double({2331, 1}), 233.1);
    EXPECT_EQ(to_double({1, 18}), 1e-18);
    EXPECT_EQ(to_double({9007199254740993, 1}), 900719925474099.3);
    EXPECT_EQ(to_double({int64_min, 0}), -9223372036854775808.0);
}

// The oracle: scaled to one common denominator in 128 bits.
class RandomDecimals : public testing::Test {
protected:
    // Of every size: as often few digits as many.
    Decimal draw() {
        const auto bits = static_cast<int>(random_() % 64);
        const auto mantissa = static_cast<std::int64_t>(random_() >> bits);
        return {random_() % 2 == 0 ? mantissa : -mantissa,
                static_cast<std::uint8_t>(random_() % 19)};
    }
    static Wide wide(Decimal value, int decimals) {
        Wide w = value.mantissa;
        for (int i = value.decimals; i < decimals; ++i) w *= 10;
        return w;
    }
    static constexpr int rounds = 100'000;
    std::mt19937_64 random_{20261122};
};

TEST_F(RandomDecimals, CompareAsTheirCommonDenominatorDoes) {
    for (int i = 0; i < rounds; ++i) {
        const Decimal a = draw();
        const Decimal b = i % 8 == 0 ? normalized(a) : draw();
        const Wide left = wide(a, 18);
        const Wide right = wide(b, 18);
        ASSERT_EQ(compare(a, b), (left > right) - (left < right)) << text(a) << " " << text(b);
        ASSERT_EQ(compare(b, a), -compare(a, b));
    }
}

TEST_F(RandomDecimals, AddAndMultiplyExactlyOrNotAtAll) {
    int fitted = 0;
    for (int i = 0; i < rounds; ++i) {
        const Decimal a = draw();
        const Decimal b = draw();
        if (const auto sum = add(a, b)) {
            ++fitted;
            ASSERT_EQ(wide(*sum, 18), wide(a, 18) + wide(b, 18)) << text(a) << " + " << text(b);
            ASSERT_EQ(*sum, normalized(*sum));
        } else {
            // Then its last digit counts, and at that scale it is too long.
            Wide exact = wide(a, 18) + wide(b, 18);
            for (int d = 18; d > 0 && exact % 10 == 0; --d) exact /= 10;
            ASSERT_TRUE(exact > int64_max || exact < int64_min) << text(a) << " + " << text(b);
        }
        if (const auto product = multiply(a, b)) {
            ++fitted;
            Wide exact = Wide{a.mantissa} * b.mantissa;
            int decimals = a.decimals + b.decimals;
            for (; decimals > product->decimals && exact % 10 == 0; --decimals) exact /= 10;
            ASSERT_TRUE(exact == 0 || decimals == product->decimals) << text(a) << " * " << text(b);
            ASSERT_EQ(exact, Wide{product->mantissa});
        } else {
            const long double size = std::fabs(static_cast<long double>(a.mantissa)) *
                                     std::fabs(static_cast<long double>(b.mantissa));
            ASSERT_TRUE(size > 9.2e18L || a.decimals + b.decimals > 18);
        }
    }
    EXPECT_GT(fitted, rounds / 10);
}

TEST_F(RandomDecimals, ReadBackFromTheirOwnText) {
    for (int i = 0; i < rounds; ++i) {
        const Decimal a = draw();
        ASSERT_EQ(parse_decimal(text(a)), a) << text(a);
        // A double has at least 15 digits to be right about.
        const auto expected = static_cast<long double>(a.mantissa) /
                              std::pow(10.0L, static_cast<long double>(a.decimals));
        ASSERT_NEAR(to_double(a), static_cast<double>(expected),
                    std::fabs(static_cast<double>(expected)) * 1e-15);
    }
}

TEST_F(RandomDecimals, LieOnTheGridTheyWereRoundedTo) {
    for (int i = 0; i < rounds; ++i) {
        const Decimal a = draw();
        const Decimal base = i % 2 == 0 ? Decimal{} : draw();
        Decimal step = draw();
        if (step.mantissa <= 0) continue;
        const auto rounded = round_to_grid(a, base, step);
        if (!rounded) continue;
        const Wide off = wide(*rounded, 18) - wide(a, 18);
        const Wide grid = wide(step, 18);
        ASSERT_EQ((wide(*rounded, 18) - wide(base, 18)) % grid, Wide{0});
        ASSERT_TRUE(off * 2 <= grid && off * -2 <= grid) << text(a) << " to " << text(step);
    }
}

TEST_F(RandomDecimals, FloatsKeepTheirShortestText) {
    for (int i = 0; i < rounds; ++i) {
        const auto f = static_cast<float>(draw().mantissa % 10'000'000) / 1000.0F;
        const auto exact = shortest_decimal(f);
        ASSERT_TRUE(exact);
        ASSERT_EQ(std::stof(text(*exact)), f);
    }
}

}  // namespace
}  // namespace fieldgate
