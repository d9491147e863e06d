#include "daemon/config/words.h"

#include <gtest/gtest.h>

namespace fieldgate::config {
namespace {

using namespace std::chrono_literals;

TEST(Words, NumbersAreDecimalOrHexadecimalAndNothingElse) {
    EXPECT_EQ(parse_whole("0"), 0);
    EXPECT_EQ(parse_whole("12"), 12);
    EXPECT_EQ(parse_whole("-3"), -3);
    EXPECT_EQ(parse_whole("0x1F"), 31);
    EXPECT_EQ(parse_unsigned("18446744073709551615"), ~0ULL);
    EXPECT_EQ(parse_unsigned("0xFFFFFFFFFFFFFFFF"), ~0ULL);
    for (const char* text : {"", "010", "0o10", "1e3", "1.0", "+1", "1_000", "-0x1", "0x", "0X1F",
                             " 1", "1 ", "--1", ".nan", "18446744073709551616", "0x-1"}) {
        EXPECT_FALSE(parse_whole(text)) << text;
    }
}

TEST(Words, DurationsCarryTheirUnit) {
    EXPECT_EQ(parse_duration("200us"), 200us);
    EXPECT_EQ(parse_duration("5ms"), 5ms);
    EXPECT_EQ(parse_duration("10s"), 10s);
    EXPECT_EQ(parse_duration("10m"), 10min);
    EXPECT_EQ(parse_duration("2h"), 2h);
    EXPECT_EQ(parse_duration("1d"), 24h);
    for (const char* text : {"10", "s", "1.5s", "1 s", "1S", "-1s", "01s", "1w", "1min", "0x1s",
                             "9999999999999999999s", "999999999999999d"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
    EXPECT_EQ(format_duration(90s), "90s");
    EXPECT_EQ(format_duration(24h), "1d");
    EXPECT_EQ(format_duration(0s), "0s");
}

TEST(Words, SizesAndRatesCarryTheirUnit) {
    EXPECT_EQ(parse_size("0B"), 0U);
    EXPECT_EQ(parse_size("256MiB"), 256U << 20);
    EXPECT_EQ(parse_size("2GiB"), 2ULL << 30);
    EXPECT_EQ(parse_rate("45/s"), 45);
    EXPECT_EQ(parse_rate("30/min"), 0.5);
    EXPECT_EQ(parse_byte_rate("100KiB/s"), 102400);
    EXPECT_EQ(parse_byte_rate("1MiB/s"), 1048576);
    for (const char* text : {"1", "1K", "1KB", "1kib", "1TiB", "1/s", "99999999999GiB"})
        EXPECT_FALSE(parse_size(text)) << text;
    for (const char* text : {"1", "1/h", "0.5/s", "1 /s", "/s"})
        EXPECT_FALSE(parse_rate(text)) << text;
    for (const char* text : {"1", "1B/s", "1KB/s", "1/s"})
        EXPECT_FALSE(parse_byte_rate(text)) << text;
    EXPECT_EQ(format_size(65536), "64KiB");
}

TEST(Words, DecimalsAreWrittenPlainly) {
    for (const char* text : {"0", "0.1", "-12.50", "63"}) EXPECT_TRUE(looks_decimal(text)) << text;
    for (const char* text : {"", ".5", "1.", "1e3", "010", ".inf", "-", "1,5", "+1"})
        EXPECT_FALSE(looks_decimal(text)) << text;
}

TEST(Words, NamesThatAreNearAreGuessed) {
    const std::vector<std::string> known{"keep_alive", "linger", "limits", "product_id"};
    EXPECT_EQ(nearest("keepalive", known), "keep_alive");
    EXPECT_EQ(nearest("LIMITS", known), "limits");
    EXPECT_EQ(nearest("product", known), "product_id");
    EXPECT_EQ(nearest("zebra", known), "");
    EXPECT_EQ(did_you_mean("zebra", known), "one of: keep_alive, linger, limits, product_id");
}

}  // namespace
}  // namespace fieldgate::config
