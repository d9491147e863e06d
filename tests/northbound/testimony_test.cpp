#include "northbound/testimony.h"

#include <gtest/gtest.h>

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using Verdict = Testimony::Verdict;

constexpr std::chrono::sys_seconds today = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27);
constexpr Utc in_2040 = std::chrono::sys_days(std::chrono::year(2040) / 1 / 1);
constexpr TlsValidity chain{today - days(30), today + days(60)};
constexpr Instant boot{};

JudgedTime guessed(Utc at) { return {at, false}; }
JudgedTime proven(Utc at) { return {at, true}; }
JudgedTime vouched(Utc at) { return {at, true, at}; }

Testimony of_a_chain() {
    Testimony testimony;
    testimony.see(chain);
    return testimony;
}

TEST(Testimony, CountsOnlyWithinTheChainWhoeverProvedTheClock) {
    for (const JudgedTime& now : {guessed(today), proven(today)}) {
        Testimony testimony = of_a_chain();
        for (const Utc told :
             {Utc(chain.from), Utc(today), Utc(today + days(40)), Utc(chain.until) - 1ms})
            EXPECT_EQ(testimony.hear(told, now, boot), Verdict::believed);
        EXPECT_EQ(testimony.hear(Utc(chain.from) - 1ms, now, boot), Verdict::denied);
        for (const Utc told : {Utc(chain.until), in_2040})
            EXPECT_EQ(testimony.hear(told, now, boot),
                      now.proven ? Verdict::denied : Verdict::expired);
    }
}

TEST(Testimony, IsLessThanTheKernels) {
    for (Testimony testimony : {of_a_chain(), Testimony()}) {  // and without TLS
        for (const auto off : {25h, -25h, 24h * 20, -24h * 20})
            EXPECT_EQ(testimony.hear(Utc(today) + off, vouched(today), boot),
                      Verdict::contradicted);
        EXPECT_EQ(testimony.hear(in_2040, vouched(today), boot), Verdict::contradicted);
        for (const auto off : {24h, -24h, 0h})
            EXPECT_EQ(testimony.hear(Utc(today) + off, vouched(today), boot), Verdict::believed);
    }
}

// A clock that was put on by a believed word is not the kernel's.
TEST(Testimony, WalksNoFurtherFromTheKernelByManySteps) {
    Testimony testimony = of_a_chain();
    JudgedTime now = vouched(today);
    now.at += 23h;
    EXPECT_EQ(testimony.hear(now.at + 23h, now, boot), Verdict::contradicted);
}

TEST(Testimony, OfAnExpiredCertificateKeepsUsOutForAnHourOnly) {
    Testimony testimony = of_a_chain();
    ASSERT_EQ(testimony.hear(in_2040, guessed(today), boot), Verdict::expired);
    EXPECT_EQ(testimony.judged(guessed(today), boot + 59min).at, in_2040);
    EXPECT_EQ(testimony.judged(proven(today), boot + 59min).at, today) << "knows better";
    EXPECT_EQ(testimony.judged(guessed(today), boot + 1h).at, today);
}

TEST(Testimony, OfAProvenClockKeepsNobodyOut) {
    Testimony testimony = of_a_chain();
    EXPECT_EQ(testimony.hear(in_2040, proven(today), boot), Verdict::denied);
    EXPECT_EQ(testimony.judged(guessed(today), boot).at, today);
}

TEST(Testimony, LooksAtEveryChainThatTheKernelCannotJudge) {
    EXPECT_TRUE(Testimony().must_look(vouched(today)));
    const Testimony testimony = of_a_chain();
    EXPECT_FALSE(testimony.must_look(vouched(today)));
    EXPECT_TRUE(testimony.must_look(vouched(chain.until))) << "another must be there by now";
    EXPECT_TRUE(testimony.must_look(vouched(chain.from - 1s)));
    EXPECT_TRUE(testimony.must_look(proven(today)));
    EXPECT_TRUE(testimony.must_look(guessed(today)));
}

}  // namespace
}  // namespace fieldgate::northbound
