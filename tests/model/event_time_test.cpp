#include "model/event_time.h"

#include <gtest/gtest.h>

namespace fieldgate {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

std::string text(std::int64_t since_1970_ms) {
    std::string out;
    append_event_time(out, Utc(milliseconds(since_1970_ms)));
    return out;
}

// Expected by date(1): date -u -d @SECONDS +%FT%TZ
TEST(EventTime, IsTheOneFormThatKeepsMilliseconds) {
    EXPECT_EQ(text(1795379700123), "2026-11-22T20:35:00.123Z");
    EXPECT_EQ(text(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(text(1709210096789), "2024-02-29T12:34:56.789Z");  // leap day
    EXPECT_EQ(text(951782400000), "2000-02-29T00:00:00.000Z");   // leap century
    EXPECT_EQ(text(2147483647999), "2038-01-19T03:14:07.999Z");  // the last second of 32 bits
    EXPECT_EQ(text(2147483648000), "2038-01-19T03:14:08.000Z");
    EXPECT_EQ(text(4107542400000), "2100-03-01T00:00:00.000Z");  // no leap century
    EXPECT_EQ(text(1798761599999), "2026-12-31T23:59:59.999Z");
    EXPECT_EQ(text(253402300799999), "9999-12-31T23:59:59.999Z");
}

TEST(EventTime, StaysWellFormedBeyondItsRange) {
    EXPECT_EQ(text(-1), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(text(INT64_MIN), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(text(253402300800000), "9999-12-31T23:59:59.999Z");
    EXPECT_EQ(text(INT64_MAX), "9999-12-31T23:59:59.999Z");
}

TEST(EventTime, AppendsToWhatIsThere) {
    std::string out = "\"event_time\":\"";
    append_event_time(out, Utc(0ms));
    EXPECT_EQ(out, "\"event_time\":\"1970-01-01T00:00:00.000Z");
}

TEST(EventTimeSeconds, IsTheFormOfEventsAndShadow) {
    EXPECT_EQ(event_time_seconds(Utc(1795379700999ms)), "20261122T203500Z");
    EXPECT_EQ(event_time_seconds(Utc(1709210096789ms)), "20240229T123456Z");
    EXPECT_EQ(event_time_seconds(Utc(-5ms)), "19700101T000000Z");
    EXPECT_EQ(event_time_seconds(Utc::max()), "99991231T235959Z");
}

constexpr Utc built = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
constexpr Utc noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 12h;
constexpr Instant boot{};

TEST(EventClock, BelievesNoGuessBeforeTheLastProof) {
    EventClock clock(built);
    clock.observe(boot + 5s, noon, false);
    EXPECT_TRUE(clock.plausible(boot + 5s));

    clock.remember(noon + 1h);  // of an earlier run: this clock has stood still meanwhile

    EXPECT_TRUE(clock.held(boot + 5s, false));
    EXPECT_EQ(clock.stamp(boot + 5s).at, Utc(5s)) << "not a time that could be believed later";
    clock.observe(boot + 6s, noon + 2h, false);
    EXPECT_FALSE(clock.held(boot + 6s, false));
    EXPECT_EQ(clock.stamp(boot + 7s).at, noon + 2h + 1s);
}

TEST(EventClock, JudgesByTheLatestTimeUntilThereIsAProof) {
    EventClock clock(built);
    for (const Utc system : {Utc(), built - 24h, built, noon, noon + 24h * 30'000}) {
        clock.observe(boot, system, false);
        EXPECT_EQ(clock.judged(boot, system).at, std::max(system, built));
        EXPECT_FALSE(clock.judged(boot, system).proven);
    }
    clock.remember(noon);
    EXPECT_EQ(clock.judged(boot + 1s, Utc()).at, noon);
    EXPECT_EQ(clock.judged(boot + 1s, noon + 1s).at, noon + 1s);

    clock.prove(boot + 1s, noon - 1h);  // better than all of them
    EXPECT_EQ(clock.judged(boot + 2s, noon + 24h).at, noon - 1h + 1s);
    EXPECT_TRUE(clock.judged(boot + 2s, noon + 24h).proven);
    EXPECT_FALSE(clock.judged(boot + 2s, noon + 24h).vouched) << "by the kernel";
    clock.observe(boot + 3s, noon + 3s, true);
    EXPECT_EQ(clock.judged(boot + 4s, noon + 4s).vouched, noon + 4s);
    clock.observe(boot + 5s, noon + 5s, false);
    EXPECT_FALSE(clock.judged(boot + 5s, noon + 5s).vouched);
}

TEST(EventClock, LetsAProofOverruleAnEarlierOne) {
    EventClock clock(built);
    clock.remember(noon + 24h * 365);  // somebody's time server was a year ahead
    EXPECT_TRUE(clock.observe(boot + 5s, noon, true));
    EXPECT_FALSE(clock.held(boot + 5s, false));
    EXPECT_EQ(clock.stamp(boot + 5s).at, noon);
}

TEST(EventClock, KnowsNothingBeforeItHasLooked) {
    const EventClock clock(built);
    EXPECT_FALSE(clock.plausible(boot + 5s));
    EXPECT_TRUE(clock.held(boot + 5s, false));
    EXPECT_FALSE(clock.proven());
}

TEST(EventClock, StampsWithTheMonotonicClockAndOneOffset) {
    EventClock clock(built);
    EXPECT_TRUE(clock.observe(boot + 60s, noon, true));

    const EventClock::Stamp stamp = clock.stamp(boot + 61s + 250ms);

    EXPECT_EQ(stamp.at, noon + 1250ms);
    EXPECT_EQ(stamp.since_boot, 61250ms);
    EXPECT_TRUE(stamp.proven);
    EXPECT_EQ(Utc(clock.offset() + stamp.since_boot), stamp.at);
}

TEST(EventClock, AnUnconfirmedStepChangesNothing) {
    for (const milliseconds step : {milliseconds(-1h), milliseconds(24h * 365), milliseconds(3s)}) {
        EventClock clock(built);
        ASSERT_FALSE(clock.observe(boot + 60s, noon, false));
        EXPECT_FALSE(clock.observe(boot + 61s, noon + 1s + step, false));
        EXPECT_EQ(clock.stamp(boot + 62s).at, noon + 2s);
        EXPECT_FALSE(clock.stamp(boot + 62s).proven);
    }
}

TEST(EventClock, AStepOfAProvenClockChangesNothing) {
    for (const milliseconds step : {milliseconds(-1h), milliseconds(24h * 365)}) {
        EventClock clock(built);
        ASSERT_TRUE(clock.observe(boot + 60s, noon, true));
        for (int i = 1; i < 600; ++i) {
            const auto later = std::chrono::seconds(i);
            ASSERT_FALSE(clock.observe(boot + 60s + later, noon + later + step, false));
        }
        EXPECT_EQ(clock.stamp(boot + 700s).at, noon + 640s);
    }
}

TEST(EventClock, FollowsAStepThatStaysSynchronisedForAMinute) {
    for (const milliseconds step : {milliseconds(-1h), milliseconds(3s), milliseconds(24h)}) {
        EventClock clock(built);
        ASSERT_TRUE(clock.observe(boot, noon, true));
        for (int i = 1; i <= 60; ++i) {
            const auto later = std::chrono::seconds(i);
            ASSERT_FALSE(clock.observe(boot + later, noon + later + step, true));
            ASSERT_EQ(clock.stamp(boot + later).at, noon + later) << i;
        }
        EXPECT_FALSE(clock.observe(boot + 61s, noon + 61s + step, true));
        EXPECT_EQ(clock.stamp(boot + 62s).at, noon + 62s + step);
        EXPECT_FALSE(clock.observe(boot + 63s, noon + 63s + step + 5ms, true));  // and slews again
        EXPECT_EQ(clock.stamp(boot + 63s).at, noon + 63s + step + 5ms);
    }
}

TEST(EventClock, FollowsNoStepThatIsTakenBackOrInterrupted) {
    EventClock clock(built);
    ASSERT_TRUE(clock.observe(boot, noon, true));
    for (int i = 1; i < 600; ++i) {
        const auto later = std::chrono::seconds(i);
        const auto step = i % 50 == 0 ? 0s : 1h;
        ASSERT_FALSE(clock.observe(boot + later, noon + later + step, true));
        ASSERT_EQ(clock.stamp(boot + later).at, noon + later);
    }
}

TEST(EventClock, TakesANewTimeWhenSynchronisationComesBack) {
    EventClock clock(built);
    ASSERT_TRUE(clock.observe(boot, noon, true));
    EXPECT_FALSE(clock.observe(boot + 24h, noon + 24h, false));      // NTP unreachable for a day
    EXPECT_FALSE(clock.observe(boot + 25h, noon + 25h - 3s, true));  // and back
    EXPECT_EQ(clock.stamp(boot + 26h).at, noon + 26h - 3s);
}

TEST(EventClock, TheFirstProofPutsAWrongBootTimeRight) {
    EventClock clock(built);
    EXPECT_FALSE(clock.observe(boot + 10s, Utc(10s), false));  // no battery: 1970
    const auto before = clock.stamp(boot + 20s);
    EXPECT_FALSE(before.proven);
    EXPECT_TRUE(clock.held(boot + 20s, false));

    EXPECT_TRUE(clock.observe(boot + 600s, noon, true));

    EXPECT_EQ(Utc(clock.offset() + before.since_boot), noon - 580s);
    EXPECT_FALSE(clock.held(boot + 601s, true));
    EXPECT_FALSE(clock.observe(boot + 601s, noon + 1s, true));  // once only
}

TEST(EventClock, TheFirstProofCountsEvenIfTheGuessWasRight) {
    EventClock clock(built);
    EXPECT_FALSE(clock.observe(boot + 10s, noon, false));
    EXPECT_TRUE(clock.observe(boot + 11s, noon + 1s, true));
    EXPECT_EQ(clock.stamp(boot + 10s).at, noon);
}

TEST(EventClock, AnImpossibleGuessGivesWayToAPossibleOne) {
    EventClock clock(built);
    EXPECT_FALSE(clock.observe(boot + 10s, Utc(10s), false));
    EXPECT_FALSE(clock.observe(boot + 20s, noon, false));  // the operator set it by hand
    EXPECT_EQ(clock.stamp(boot + 21s).at, noon + 1s);
    EXPECT_TRUE(clock.plausible(boot + 21s));
    EXPECT_FALSE(clock.held(boot + 21s, false));
    EXPECT_TRUE(clock.held(boot + 21s, true));
    EXPECT_FALSE(clock.observe(boot + 30s, Utc(30s), false));  // and not back again
    EXPECT_EQ(clock.stamp(boot + 31s).at, noon + 11s);
}

TEST(EventClock, NoProofIsBeforeTheFloor) {
    EventClock clock(built);
    EXPECT_FALSE(clock.observe(boot + 10s, Utc(10s), true));
    EXPECT_FALSE(clock.prove(boot + 11s, Utc(11s)));
    EXPECT_FALSE(clock.proven());
    EXPECT_TRUE(clock.held(boot + 12s, false));
}

TEST(EventClock, FollowsASlewWhileSynchronised) {
    EventClock clock(built);
    ASSERT_TRUE(clock.observe(boot, noon, true));
    Utc system = noon;
    for (int i = 1; i <= 10'000; ++i) {
        system += 1000ms - (i % 2 == 0 ? 1ms : 0ms);  // 500 ppm
        ASSERT_FALSE(clock.observe(boot + std::chrono::seconds(i), system, true));
        const milliseconds off = clock.stamp(boot + std::chrono::seconds(i)).at - system;
        ASSERT_LE(off, 1ms);
        ASSERT_GE(off, -1ms);
    }
    EXPECT_EQ(system, noon + 9995s);
}

TEST(EventClock, DoesNotTrembleWithTheCutToMilliseconds) {
    EventClock clock(built);
    ASSERT_TRUE(clock.observe(boot, noon, true));
    const milliseconds offset = clock.offset();
    for (int i = 1; i < 100; ++i) {
        const auto now = boot + std::chrono::seconds(i) + (i % 2 == 0 ? 999us : 0us);
        ASSERT_FALSE(
            clock.observe(now, noon + std::chrono::seconds(i) + milliseconds(i % 2), true));
        ASSERT_EQ(clock.offset(), offset);
    }
}

TEST(EventClock, BelievesThePlatform) {
    EventClock clock(built);
    ASSERT_FALSE(clock.observe(boot, noon + 1h, false));
    EXPECT_TRUE(clock.prove(boot + 10s, noon + 10s));
    EXPECT_EQ(clock.stamp(boot + 11s).at, noon + 11s);
    EXPECT_FALSE(clock.observe(boot + 12s, noon + 1h + 12s, false));
    EXPECT_EQ(clock.stamp(boot + 13s).at, noon + 13s);
    EXPECT_FALSE(clock.prove(boot + 24h, noon + 24h + 900ms));  // the crystal's drift of a day
    EXPECT_EQ(clock.stamp(boot + 25h).at, noon + 25h + 900ms);
}

TEST(EventClock, PrefersASynchronisedClockToARoundTrip) {
    EventClock clock(built);
    ASSERT_TRUE(clock.observe(boot, noon, true));
    EXPECT_FALSE(clock.prove(boot + 10s, noon + 10s + 300ms));
    EXPECT_EQ(clock.stamp(boot + 11s).at, noon + 11s);
    EXPECT_FALSE(clock.prove(boot + 20s, noon + 1h));  // but not to another hour
    EXPECT_EQ(clock.stamp(boot + 21s).at, noon + 1h + 1s);
    for (int i = 22; i < 600; ++i)
        EXPECT_FALSE(
            clock.observe(boot + std::chrono::seconds(i), noon + std::chrono::seconds(i), true));
    EXPECT_EQ(clock.stamp(boot + 600s).at, noon + 1h + 580s);
}

TEST(EventClock, SurvivesTheEndsOfTime) {
    EventClock clock(built);
    clock.observe(boot + 1s, Utc::min(), false);
    EXPECT_TRUE(clock.held(boot + 2s, false));
    clock.observe(boot + 2s, Utc::max(), false);
    std::string out;
    append_event_time(out, clock.stamp(boot + 24h).at);
    EXPECT_EQ(out, "9999-12-31T23:59:59.999Z");
    EXPECT_FALSE(clock.prove(boot + 3s, Utc::max()));
    EXPECT_TRUE(clock.prove(boot + 3s, noon));
}

}  // namespace
}  // namespace fieldgate
