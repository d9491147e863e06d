#include "northbound/mqtt/slots.h"

#include <gtest/gtest.h>

namespace fieldgate::northbound::mqtt {
namespace {

using namespace std::chrono_literals;

class SlotsTest : public ::testing::Test {
protected:
    int take(Rank rank = Rank::ordinary) {
        Slots::Slot slot;
        slot.rank = rank;
        slot.flight.sent = now;
        return slots.take(slot);
    }
    bool acknowledge(int number) { return slots.acknowledged(number, now).has_value(); }
    std::vector<int> overdue() const { return slots.overdue(now, patience).numbers; }
    using Numbers = std::vector<int>;

    Slots slots{4};
    Slots::Patience patience{20s, 20s};
    Instant now{1h};
};

TEST_F(SlotsTest, CountsWhatIsUnderWay) {
    const int data = take();
    take(Rank::urgent);
    EXPECT_EQ(slots.under_way(Rank::ordinary), 1U);
    EXPECT_EQ(slots.under_way(Rank::urgent), 1U);
    EXPECT_TRUE(acknowledge(data));
    EXPECT_FALSE(acknowledge(data)) << "twice";
    EXPECT_EQ(slots.under_way(), 1U);
    for (int i = 0; i < 3; ++i) take();
    EXPECT_TRUE(slots.full());
    EXPECT_EQ(slots.clear().size(), 4U);
    EXPECT_EQ(slots.under_way(), 0U);
}

TEST_F(SlotsTest, ABrokerThatAcknowledgesNothingHangs) {
    now += 1h;  // idle before
    const int first = take();
    now += 19s;
    const int second = take();
    EXPECT_EQ(slots.due_at(patience), now + 1s);
    now += 1s;
    EXPECT_TRUE(slots.overdue(now, patience).hangs);
    EXPECT_EQ(overdue(), (Numbers{first, second}));
}

TEST_F(SlotsTest, APubackRestartsThePatienceForAllThatLeftLater) {
    const int first = take();
    take();
    for (now += 19s; acknowledge(first); now += 19s) {
    }
    EXPECT_EQ(overdue(), Numbers());
    EXPECT_EQ(slots.due_at(patience), now + 1s);
}

TEST_F(SlotsTest, WhatIsPassedByAnotherIsIgnoredHoweverManyAreAcknowledgedBehindIt) {
    const int ignored = take();
    now += 5s;
    for (int i = 0; i < 4; ++i) {
        acknowledge(take());
        EXPECT_EQ(overdue(), Numbers());
        now += 5s;
    }
    const int fresh = take();
    EXPECT_EQ(overdue(), Numbers{ignored});
    EXPECT_FALSE(slots.overdue(now, patience).hangs);
    EXPECT_EQ(slots.due_at(patience), now);
    acknowledge(ignored);
    EXPECT_EQ(overdue(), Numbers());
    acknowledge(fresh);
}

TEST_F(SlotsTest, ALonelyOneThatWasPassedIsIgnoredAndOneThatWasNotHangs) {
    const int ignored = take();
    now += 5s;
    acknowledge(take());
    now += 20s;
    EXPECT_FALSE(slots.overdue(now, patience).hangs) << "the broker has answered all else";
    EXPECT_EQ(overdue(), Numbers{ignored});
    const int behind = take();
    EXPECT_TRUE(slots.overdue(now, patience).hangs) << "nor that one";
    EXPECT_EQ(overdue(), (Numbers{ignored, behind}));
}

TEST_F(SlotsTest, ASlotThatIsTakenAgainRemembersNothing) {
    const int first = take();
    acknowledge(take());
    now += 19s;
    acknowledge(first);
    EXPECT_EQ(take(), first);
    now += 2s;
    EXPECT_EQ(overdue(), Numbers());
    EXPECT_EQ(slots.due_at(patience), now + 18s);
}

}  // namespace
}  // namespace fieldgate::northbound::mqtt
