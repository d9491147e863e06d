#include "northbound/payload_limit.h"

#include <gtest/gtest.h>

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;

class PayloadLimitTest : public ::testing::Test {
protected:
    /// The link dies with these in flight, 100 ms after they left.
    void die_with(const std::vector<std::size_t>& sizes, Instant::duration after = 100ms) {
        std::vector<PayloadLimit::Flight> in_flight;
        for (const std::size_t bytes : sizes) in_flight.push_back({bytes, now});
        limit.link_lost(in_flight, now += after);
    }
    /// They were not answered for 20 s, and we end the link.
    void ignore(const std::vector<std::size_t>& sizes) {
        std::vector<PayloadLimit::Flight> in_flight;
        for (const std::size_t bytes : sizes) in_flight.push_back({bytes, now});
        limit.unanswered(in_flight, now += 20s);
    }
    void die_alone_with_a_record(std::size_t bytes, bool another) {
        die_with({bytes});
        limit.record_died(bytes, another);
    }
    /// Three records of 5000 bytes and less have died alone.
    void prove() {
        die_with({700, 9000});
        die_with({9000});
        die_alone_with_a_record(4500, true);
        die_alone_with_a_record(4500, false);
        die_alone_with_a_record(5000, true);
    }

    PayloadLimit limit{60'000};
    Instant now{};
};

TEST_F(PayloadLimitTest, OneLostLinkSaysNothing) {
    die_with({50'000, 50'000});
    EXPECT_EQ(limit.bytes(), 60'000U);
    EXPECT_FALSE(limit.doubtful(50'000));
}

TEST_F(PayloadLimitTest, TwoInARowMakeWhatWasNeverTakenDoubtful) {
    limit.acknowledged(1000);
    die_with({500, 50'000});
    die_with({40'000, 45'000});
    EXPECT_FALSE(limit.doubtful(1000));
    EXPECT_TRUE(limit.doubtful(1001));
    EXPECT_EQ(limit.bytes(), 6324U) << "halfway, in proportion, from 1000 to 40,000";
}

TEST_F(PayloadLimitTest, ALinkThatDiesOfSomethingElseInBetweenExplainsThem) {
    die_with({50'000});
    die_with({200});
    die_with({50'000});
    EXPECT_FALSE(limit.doubtful(50'000));
    die_with({50'000});
    ASSERT_TRUE(limit.doubtful(50'000));
    die_with({200});
    EXPECT_FALSE(limit.doubtful(50'000)) << "nothing has died alone yet";
}

TEST_F(PayloadLimitTest, ABrokerThatHangsIsNoWitness) {
    for (int i = 0; i < 5; ++i) die_with({50'000}, 20s);
    EXPECT_FALSE(limit.doubtful(50'000));
}

TEST_F(PayloadLimitTest, WhatWasTakenOnceIsNeverInDoubt) {
    limit.acknowledged(50'000);
    for (int i = 0; i < 5; ++i) die_with({50'000, 20'000});
    EXPECT_FALSE(limit.suspected());
    EXPECT_EQ(limit.bytes(), 60'000U);
}

TEST_F(PayloadLimitTest, WhatWasTakenOnceIsInDoubtWhereSmallerOnesPassAndItDies) {
    limit.acknowledged(50'000);
    die_with({});
    limit.acknowledged(900);
    die_with({20'000, 1100});
    EXPECT_FALSE(limit.doubtful(20'000));
    limit.acknowledged(1000);
    die_with({18'000, 40'000});
    EXPECT_FALSE(limit.doubtful(1000));
    EXPECT_TRUE(limit.doubtful(1001));
    EXPECT_EQ(limit.bytes(), 4472U) << "halfway, in proportion, from 1000 to 20,000";
    EXPECT_FALSE(limit.suspected()) << "two links may be a twin's work";
    die_with({4472});
    EXPECT_TRUE(limit.suspected());
}

TEST_F(PayloadLimitTest, WhatIsTakenInBetweenIsNotInDoubt) {
    limit.acknowledged(50'000);
    for (int i = 0; i < 5; ++i) {
        die_with({20'000});
        limit.acknowledged(20'000);
    }
    EXPECT_FALSE(limit.doubtful(20'000));
    die_with({});
    for (int i = 0; i < 5; ++i) {
        limit.acknowledged(900);
        die_with({20'000});
        limit.acknowledged(900);
        die_with({800});
    }
    EXPECT_FALSE(limit.doubtful(20'000)) << "links die without it";
}

TEST_F(PayloadLimitTest, BelievesAllThatWasOnceTakenAgainAsSoonAsADeathIsRefuted) {
    limit.acknowledged(50'000);
    die_with({});
    for (int i = 0; i < 2; ++i) {
        limit.acknowledged(900);
        die_with({20'000});
    }
    ASSERT_TRUE(limit.doubtful(20'000));
    limit.acknowledged(20'000);
    EXPECT_FALSE(limit.doubtful(50'000));
    die_with({});
    die_with({50'000});
    die_with({50'000});
    EXPECT_FALSE(limit.doubtful(50'000)) << "nothing was taken at all on these links";
}

TEST_F(PayloadLimitTest, ThreeRecordsHaveToDieOfASizeThatWasOnceTaken) {
    limit.acknowledged(9000);
    die_with({});
    for (int i = 0; i < 2; ++i) {
        limit.acknowledged(900);
        die_with({8000});
    }
    die_alone_with_a_record(5000, true);
    die_alone_with_a_record(5000, false);
    die_alone_with_a_record(5500, true);
    EXPECT_FALSE(limit.never(9000));
    die_alone_with_a_record(5200, true);
    EXPECT_TRUE(limit.never(5500));
    EXPECT_TRUE(limit.taken_once(9000));
    EXPECT_FALSE(limit.taken_once(9001));
}

TEST_F(PayloadLimitTest, WhatIsIgnoredWhileSmallerOnesAreAnsweredIsInDoubt) {
    for (int i = 0; i < 2; ++i) {
        limit.acknowledged(1000);
        EXPECT_FALSE(limit.doubtful(50'000));
        ignore({50'000, 40'000});
    }
    EXPECT_EQ(limit.bytes(), 6324U);
    limit.acknowledged(1000);
    ignore({6324});
    EXPECT_EQ(limit.bytes(), 2514U);
    limit.acknowledged(6324);
    EXPECT_FALSE(limit.doubtful(50'000)) << "it was slow";
}

TEST_F(PayloadLimitTest, ABrokerThatAnswersNothingAnyMoreIsNoWitness) {
    for (int i = 0; i < 5; ++i) ignore({50'000});
    EXPECT_FALSE(limit.doubtful(50'000));
    for (int i = 0; i < 5; ++i) {
        limit.acknowledged(1000);
        ignore({50'000, 900});
    }
    EXPECT_FALSE(limit.doubtful(50'000)) << "it ignores small ones, too";
}

TEST_F(PayloadLimitTest, SearchesUntilAQuarterIsLeftAndTellsOnce) {
    constexpr std::size_t truth = 10'000;
    die_with({50'000});
    die_with({50'000});
    int lost = 0;
    for (int tries = 0; limit.doubtful(limit.bytes()); ++tries) {
        ASSERT_LT(tries, 20);
        EXPECT_FALSE(limit.lesson());
        const std::size_t tried = limit.bytes();
        if (tried <= truth) {
            limit.acknowledged(tried);
        } else {
            die_with({tried});
            ++lost;
        }
    }
    EXPECT_LE(limit.bytes(), truth);
    EXPECT_GE(limit.bytes() * 5 / 4, truth);
    EXPECT_LE(lost, 3);
    const auto lesson = limit.lesson();
    ASSERT_TRUE(lesson);
    EXPECT_LE(lesson->taken, truth);
    EXPECT_GT(lesson->closed, truth);
    EXPECT_FALSE(lesson->records);
    EXPECT_FALSE(limit.lesson());
}

TEST_F(PayloadLimitTest, OneRecordThatDiesAgainAndAgainProvesNothingOfOthers) {
    die_with({9000});
    die_with({9000});
    for (int i = 0; i < 4; ++i) die_alone_with_a_record(5000, i == 0);
    EXPECT_FALSE(limit.never(5000));
    EXPECT_TRUE(limit.doubtful(5000));
}

TEST_F(PayloadLimitTest, ThreeDeathsOfMoreThanOneRecordProveTheSize) {
    prove();
    EXPECT_TRUE(limit.never(5000));
    EXPECT_FALSE(limit.never(4999));
}

TEST_F(PayloadLimitTest, WhatDiedInACrowdIsInnocentOnceAnotherHasDiedAlone) {
    prove();
    limit.acknowledged(700);
    EXPECT_TRUE(limit.never(5000)) << "700 is no size that has died";
}

TEST_F(PayloadLimitTest, ASmallerRecordHasToDieByItself) {
    die_with({9000});
    die_with({9000});
    for (int i = 0; i < 3; ++i) die_alone_with_a_record(300, i == 0);
    die_alone_with_a_record(9000, true);
    EXPECT_TRUE(limit.never(9000));
    EXPECT_FALSE(limit.never(8999)) << "300 may have died of what it says";
    die_alone_with_a_record(5000, true);
    EXPECT_TRUE(limit.never(5000));
}

TEST_F(PayloadLimitTest, WhatDiedIsTakenBeforeTheSecondLinkDies) {
    die_with({900, 40'000});
    limit.acknowledged(950);
    die_with({40'000});
    EXPECT_FALSE(limit.doubtful(40'000)) << "not two links in a row";
    die_with({40'000});
    EXPECT_TRUE(limit.doubtful(40'000));
}

TEST_F(PayloadLimitTest, ALinkThatDiesWithNothingInFlightExplainsTheOthers) {
    die_with({50'000});
    die_with({});
    die_with({50'000});
    EXPECT_FALSE(limit.doubtful(50'000));
}

TEST_F(PayloadLimitTest, SuspectsTheLastLinkOnly) {
    prove();
    EXPECT_TRUE(limit.suspected());
    die_with({200});
    EXPECT_FALSE(limit.suspected()) << "of something else, whatever is known of sizes";
    die_with({5000});
    EXPECT_TRUE(limit.suspected());
    die_with({5000}, 20s);
    EXPECT_FALSE(limit.suspected());
    die_with({5000});
    die_with({});
    EXPECT_FALSE(limit.suspected());
}

TEST_F(PayloadLimitTest, ALargerOneThatIsTakenRefutesAll) {
    prove();
    limit.acknowledged(5000);
    EXPECT_FALSE(limit.never(9000));
    EXPECT_FALSE(limit.doubtful(9000));
    EXPECT_EQ(limit.bytes(), 60'000U);
}

TEST_F(PayloadLimitTest, TriesAgainAfterTenMinutesAndThenLessAndLessOften) {
    prove();
    for (const auto pause : {10min, 20min, 40min}) {
        limit.look(now + pause - 1s);
        EXPECT_TRUE(limit.never(5000)) << pause.count();
        limit.look(now + pause);
        EXPECT_FALSE(limit.never(5000)) << pause.count();
        EXPECT_TRUE(limit.doubtful(5000)) << "it goes alone";
        EXPECT_EQ(limit.bytes(), 60'000U);
        now += pause;
        die_alone_with_a_record(5000, true);
        EXPECT_TRUE(limit.never(5000)) << "one death is enough this time";
    }
}

TEST_F(PayloadLimitTest, TriesAgainAtOnceWhatMayHaveDiedOfSomethingElse) {
    prove();
    limit.doubt();
    EXPECT_FALSE(limit.never(5000));
    EXPECT_EQ(limit.bytes(), 60'000U);
    limit.acknowledged(40'000);
    EXPECT_FALSE(limit.suspected());
}

}  // namespace
}  // namespace fieldgate::northbound
