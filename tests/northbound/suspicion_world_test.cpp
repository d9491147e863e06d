// The trials of records against brokers of every kind, in virtual time.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/northbound/upload_world.h"

namespace fieldgate::northbound {
namespace {

using Fate = World::Fate;

TEST(SuspicionWorld, FindsEveryPoisonousRecordAndNoOther) {
    std::minstd_rand chance(3);
    for (int round = 0; round < 60; ++round) {
        std::vector<int> poison;
        for (int i = 0; i < 1 + round % 4; ++i)
            poison.push_back(static_cast<int>(chance() % 1000) + 1);
        std::sort(poison.begin(), poison.end());
        poison.erase(std::unique(poison.begin(), poison.end()), poison.end());
        World world(1000, [&](const World::Message& message) {
            return carries(message, poison) ? Fate::closed : Fate::acknowledged;
        });
        ASSERT_TRUE(world.deliver(100));
        EXPECT_EQ(world.quarantined, poison);
        EXPECT_LE(world.links, static_cast<int>(poison.size()) * 8 + 1);
    }
}

TEST(SuspicionWorld, CondemnsNobodyForABrokerThatClosesAfterSoManyMessages) {
    for (std::size_t limit = 1; limit < 40; ++limit) {
        World world(1000, [&](const World::Message& message) {
            return message.nth >= limit ? Fate::closed : Fate::acknowledged;
        });
        world.deliver(1000);
        EXPECT_TRUE(world.quarantined.empty()) << limit;
    }
}

TEST(SuspicionWorld, CondemnsNobodyForLinksThatDieWhenTheyLike) {
    std::minstd_rand chance(4);
    for (const auto mean : {50ms, 200ms, 1000ms, 3000ms, 7000ms, 20'000ms}) {
        World world(20'000, [&](const World::Message& message) {
            // Dies in the 50 ms of this message, or in the pause before it.
            const auto step = std::max<Instant::duration>(50ms, message.age / 4);
            const double die = std::min(
                1.0, std::chrono::duration<double>(step) / std::chrono::duration<double>(mean));
            return std::generate_canonical<double, 20>(chance) < die ? Fate::closed
                                                                     : Fate::acknowledged;
        });
        world.deliver(20'000);
        EXPECT_TRUE(world.quarantined.empty()) << mean.count() << " ms";
    }
}

TEST(SuspicionWorld, CondemnsNobodyForABrokerThatHangs) {
    for (std::size_t limit = 1; limit < 12; ++limit) {
        World world(1000, [&](const World::Message& message) {
            return message.nth >= limit ? Fate::silence : Fate::acknowledged;
        });
        world.deliver(500);
        EXPECT_TRUE(world.quarantined.empty()) << limit;
    }
}

TEST(SuspicionWorld, CondemnsNobodyForATwinThatComesBackEverySoOften) {
    for (auto period = 100ms; period < 8s; period += 10ms) {
        World world(500, [&](const World::Message& message) {
            return message.age + World::round_trip > period ? Fate::closed : Fate::acknowledged;
        });
        world.deliver(60);
        EXPECT_TRUE(world.quarantined.empty()) << period.count() << " ms";
    }
}

}  // namespace
}  // namespace fieldgate::northbound
