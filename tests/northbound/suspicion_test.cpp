#include "northbound/suspicion.h"

#include <gtest/gtest.h>

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;

const std::string gateway = "gw";

class SuspicionTest : public testing::Test {
protected:
    Record record(int number) const {
        Record made;
        made.series = meter;
        made.at = Utc(std::chrono::milliseconds(number));
        made.properties = "{}";
        return made;
    }
    /// Records first..last, as far as they may go together.
    Parcel parcel(int first, int last) const {
        Parcel parcel(limits, sizes, series, gateway);
        for (int number = first; number <= last; ++number)
            if (suspicion.add(parcel, record(number)) != Fit::taken) break;
        return parcel;
    }
    void connect() { suspicion.connected(now += 1s); }
    /// The link dies with the parcel and others in flight; then the next one is open.
    void die_with(int first, int last) {
        suspicion.failed(parcel(first, last), now += 100ms);
        connect();
    }
    void die_alone(int first, int last, Instant::duration after = 100ms) {
        const Parcel carried = parcel(first, last);
        now += Suspicion::hold;
        suspicion.tried(carried, now);
        suspicion.failed(carried, now += after);
        EXPECT_EQ(suspicion.trial(carried)->not_before, Instant::max()) << "no link any more";
        connect();
    }
    /// Up to the point where record 5 is the only suspect left, and has one strike.
    void corner() {
        die_with(1, 20);
        die_with(1, 20);
        die_alone(1, 20);
        for (int number = 1; number < 5; number += 2) suspicion.settled(parcel(number, number + 1));
        die_alone(5, 20);
        die_alone(5, 20);
        ASSERT_EQ(parcel(5, 20).records(), 1U);
    }

    SeriesTable series;
    SeriesId meter = series.intern("meter", "Energy");
    Limits limits;
    PayloadLimit sizes{limits.payload_bytes};
    Suspicion suspicion{sizes};
    Instant now;
};

TEST_F(SuspicionTest, OneLostLinkMakesNoSuspects) {
    die_with(1, 20);
    EXPECT_FALSE(suspicion.trial(parcel(1, 20)));
}

TEST_F(SuspicionTest, WhatTwoLinksDiedWithIsTriedByItselfOnALinkThatHolds) {
    die_with(1, 20);
    die_with(11, 30);

    EXPECT_FALSE(suspicion.trial(parcel(1, 30)));
    EXPECT_EQ(parcel(1, 30).records(), 10U) << "suspects do not travel with others";
    const Parcel both_times = parcel(11, 30);
    EXPECT_EQ(both_times.records(), 10U);
    const auto trial = suspicion.trial(both_times);
    ASSERT_TRUE(trial);
    EXPECT_EQ(trial->not_before, now + Suspicion::hold);
    EXPECT_EQ(trial->others, 0);
    EXPECT_FALSE(trial->guilty);
}

TEST_F(SuspicionTest, CutsAParcelThatKillsToAnEighth) {
    die_with(1, 80);
    die_with(1, 80);
    die_alone(1, 80);
    EXPECT_EQ(parcel(1, 80).records(), 10U);
    suspicion.settled(parcel(1, 80));
    EXPECT_FALSE(suspicion.trial(parcel(1, 10))) << "acknowledged, innocent";
    EXPECT_TRUE(suspicion.trial(parcel(11, 80)));
    die_alone(11, 80);
    EXPECT_EQ(parcel(11, 80).records(), 1U);
    EXPECT_FALSE(suspicion.trial(parcel(21, 80))) << "not in flight when the link died";
}

TEST_F(SuspicionTest, CondemnsTheOneThatKillsThreeLinksAlone) {
    corner();
    EXPECT_EQ(suspicion.trial(parcel(5, 5))->others, 1);
    EXPECT_FALSE(suspicion.trial(parcel(5, 5))->guilty);
    die_alone(5, 5);
    EXPECT_EQ(suspicion.trial(parcel(5, 5))->others, 2);
    die_alone(5, 5);
    const auto trial = suspicion.trial(parcel(5, 5));
    EXPECT_EQ(trial->others, 3);
    EXPECT_TRUE(trial->guilty);

    suspicion.settled(parcel(5, 5));
    EXPECT_FALSE(suspicion.trial(parcel(5, 5)));
    EXPECT_EQ(parcel(1, 20).records(), 20U);
}

TEST_F(SuspicionTest, AcquitsWhatIsAcknowledgedInTheEnd) {
    corner();
    die_alone(5, 5);
    suspicion.tried(parcel(5, 5), now);
    suspicion.settled(parcel(5, 5));
    die_with(5, 5);
    EXPECT_FALSE(suspicion.trial(parcel(5, 5)));
}

TEST_F(SuspicionTest, AcquitsAllWhenALinkDiesWithoutThem) {
    corner();
    die_alone(5, 5);
    die_alone(5, 5);
    ASSERT_TRUE(suspicion.trial(parcel(5, 5))->guilty);
    connect();  // lost in between, with nothing in flight
    EXPECT_FALSE(suspicion.trial(parcel(5, 5)));
}

TEST_F(SuspicionTest, AcquitsWhenTheLinkDiesLate) {
    corner();
    die_alone(5, 5, 20s);  // no PUBACK, which we ended ourselves
    EXPECT_FALSE(suspicion.trial(parcel(5, 5)));
}

}  // namespace
}  // namespace fieldgate::northbound
