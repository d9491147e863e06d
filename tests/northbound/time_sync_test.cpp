#include "northbound/time_sync.h"

#include <gtest/gtest.h>

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;

constexpr Instant start(100s);
constexpr Utc wrong = Utc(12s);  // 1970
constexpr Utc right = std::chrono::sys_days(std::chrono::year(2025) / 4 / 14) + 1h;

TimeAnswer answer(Utc received, Utc sent) { return {wrong, received, sent}; }

// Protocol reference 5.1, with the device's part of the way on the monotonic clock.
TEST(TimeSync, TakesHalfTheRoundTrip) {
    TimeSync sync;
    EXPECT_EQ(sync.ask(start, wrong).device_sent, wrong);
    const auto now = sync.hear(answer(right, right + 20ms), start + 200ms);
    ASSERT_TRUE(now);
    EXPECT_EQ(*now, right + 20ms + 90ms);
    EXPECT_EQ(sync.round_trip(), 200ms);
}

TEST(TimeSync, IsNeverWrongByMoreThanHalfTheRoundTrip) {
    for (const auto there : {0ms, 1ms, 300ms, 1500ms})
        for (const auto served : {0ms, 1ms, 400ms})
            for (const auto back : {0ms, 1ms, 250ms}) {
                const auto round_trip = there + served + back;
                if (round_trip > TimeSync::round_trip_max) continue;
                TimeSync sync;
                sync.ask(start, wrong);
                const auto now =
                    sync.hear(answer(right + there, right + there + served), start + round_trip);
                ASSERT_TRUE(now);
                EXPECT_LE(std::chrono::abs(*now - (right + round_trip)), round_trip / 2 + 1ms);
            }
}

TEST(TimeSync, HearsOnlyTheAnswerToItsLastQuestionAndOnce) {
    TimeSync sync;
    EXPECT_FALSE(sync.hear(answer(right, right), start));
    sync.ask(start, wrong);
    sync.ask(start + 1s, wrong + 1s);
    EXPECT_FALSE(sync.hear(answer(right, right), start + 1s));  // of the first
    const TimeAnswer second{wrong + 1s, right, right};
    EXPECT_TRUE(sync.hear(second, start + 1s));
    EXPECT_FALSE(sync.hear(second, start + 1s));
}

TEST(TimeSync, MakesNothingOfALateAnswer) {
    TimeSync sync;
    sync.ask(start, wrong);
    EXPECT_FALSE(sync.hear(answer(right, right), start + 2001ms));
    EXPECT_FALSE(sync.round_trip());
}

TEST(TimeSync, MakesNothingOfTimesThatCannotBe) {
    const std::vector<TimeAnswer> lies{
        answer(right, right - 1ms),      // sent before it was received
        answer(right, right + 1h),       // an hour's work in 100 ms
        answer(Utc(-1ms), Utc(-1ms)),    // before 1970
        answer(Utc::max(), Utc::max()),  // and after all
        answer(Utc::min(), Utc::max()),
    };
    for (const TimeAnswer& lie : lies) {
        TimeSync sync;
        sync.ask(start, wrong);
        EXPECT_FALSE(sync.hear(lie, start + 100ms));
    }
}

TEST(TimeSync, AsksAfterEveryConnectHourlyAndAMinuteAfterSilence) {
    TimeSync sync;
    EXPECT_TRUE(sync.due(start));
    sync.ask(start, wrong);
    EXPECT_FALSE(sync.due(start + 59s));
    EXPECT_TRUE(sync.due(start + 60s));
    ASSERT_TRUE(sync.hear(answer(right, right), start + 1s));
    EXPECT_FALSE(sync.due(start + 1h));
    EXPECT_TRUE(sync.due(start + 1s + 1h));
    sync.ask(start + 2h, wrong);
    sync.connected();
    EXPECT_TRUE(sync.due(start + 2h + 1s));
}

}  // namespace
}  // namespace fieldgate::northbound
