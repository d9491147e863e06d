// How the size that a platform takes is found, in virtual time.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>

#include "tests/northbound/upload_world.h"

namespace fieldgate::northbound {
namespace {

TEST(PayloadLimitWorld, FindsHowLargeAPublishThePlatformTakes) {
    for (const std::size_t limit : {400U, 1024U, 4000U, 32'768U, 45'000U}) {
        World world(
            3000,
            [&](const World::Message& message) {
                return message.bytes > limit ? World::Fate::closed : World::Fate::acknowledged;
            },
            [&](int number) { return 20 + static_cast<std::size_t>(number) % (limit / 4); });
        ASSERT_TRUE(world.deliver(20)) << limit;
        EXPECT_TRUE(world.quarantined.empty()) << limit;
        EXPECT_LE(world.links, 10) << limit;
        std::cout << "figure: limit " << limit << ": " << world.links << " links, "
                  << std::chrono::duration_cast<std::chrono::seconds>(world.elapsed()).count()
                  << " s, publishes of " << world.sizes().bytes() << " bytes\n";
    }
}

TEST(PayloadLimitWorld, SetsAsideWhatIsTooLargeForThePlatformAndNothingElse) {
    std::minstd_rand chance(5);
    for (int round = 0; round < 24; ++round) {
        const std::size_t limit = 400 + chance() % 3000;
        std::vector<std::size_t> size;
        for (int i = 0; i <= 2000; ++i) size.push_back(20 + chance() % (chance() % 4 ? 200 : 4000));
        if (round % 3 == 0) size.assign(size.size(), limit + 100);
        World world(
            2000,
            [&](const World::Message& message) {
                return message.bytes > limit ? World::Fate::closed : World::Fate::acknowledged;
            },
            [&](int number) { return size[static_cast<std::size_t>(number)]; });
        ASSERT_TRUE(world.deliver(60)) << limit;
        for (int number = 1; number <= 2000; ++number) {
            const bool aside = std::find(world.quarantined.begin(), world.quarantined.end(),
                                         number) != world.quarantined.end();
            EXPECT_EQ(aside, world.bytes_alone(number) > limit) << number << " at " << limit;
        }
    }
}

TEST(PayloadLimitWorld, CondemnsNobodyForHavingBeenInFlightWithWhatIsTooLarge) {
    struct Mix {
        std::size_t limit, large, small;
        int large_ones, records;
    };
    for (const Mix& mix : {Mix{1024, 2000, 850, 2, 3}, Mix{1024, 2000, 850, 3, 4},
                           Mix{32'768, 40'000, 20'000, 3, 200}, Mix{32'768, 40'000, 20'000, 2, 3},
                           Mix{32'768, 40'000, 700, 4, 500}, Mix{1024, 40'000, 300, 1, 50}})
        for (const std::size_t link_bytes :
             {std::size_t{1024}, std::size_t{2048}, std::size_t{17'000}, std::size_t{1'000'000}}) {
            World world(
                mix.records,
                [&](const World::Message& message) {
                    return message.bytes > mix.limit ? World::Fate::closed
                                                     : World::Fate::acknowledged;
                },
                [&](int number) { return number <= mix.large_ones ? mix.large : mix.small; });
            world.link_bytes = link_bytes;
            ASSERT_TRUE(world.deliver(30)) << mix.large << ' ' << mix.small << ' ' << link_bytes;
            EXPECT_EQ(world.quarantined, world.larger_than(mix.limit, mix.records))
                << mix.large << " and " << mix.small << " bytes, parcels of " << link_bytes;
        }
}

TEST(PayloadLimitWorld, CondemnsNobodyForItsSizeWhateverTheMixAndTheLink) {
    constexpr int records = 300;
    std::minstd_rand chance(7);
    int worst = 0;
    for (int round = 0; round < 60; ++round) {
        std::vector<std::size_t> size;
        for (int i = 0; i <= records; ++i)
            size.push_back(chance() % 10 == 0 ? 1200 + chance() % 1500 : 60 + chance() % 850);
        std::vector<int> poison;
        if (round % 2 == 0)
            for (int i = 0; i < 3; ++i) poison.push_back(static_cast<int>(chance() % records) + 1);
        World world(
            records,
            [&](const World::Message& message) {
                const bool refused = message.bytes > 1024 || carries(message, poison);
                return refused ? World::Fate::closed : World::Fate::acknowledged;
            },
            [&](int number) { return size[static_cast<std::size_t>(number)]; });
        if (round % 3 != 0) world.link_bytes = 1024U << (round % 5);
        std::vector<int> refused = world.larger_than(1024, records);
        refused.insert(refused.end(), poison.begin(), poison.end());
        std::sort(refused.begin(), refused.end());
        refused.erase(std::unique(refused.begin(), refused.end()), refused.end());
        ASSERT_TRUE(world.deliver(400)) << round;
        EXPECT_EQ(world.quarantined, refused) << round;
        worst = std::max(worst, world.links);
    }
    std::cout << "figure: at most " << worst << " links\n";
}

TEST(PayloadLimitWorld, FindsTheSizeAgainWhereThePlatformTakesLessThanItOnceTook) {
    constexpr int records = 6000;
    constexpr std::size_t large = 1200;
    for (const std::size_t limit : {500U, 1024U, 2000U})
        for (const int too_large : {0, 20}) {
            std::size_t left = 200'000;  // bytes that are taken whatever their size
            World world(
                records,
                [&](const World::Message& message) {
                    if (message.bytes > limit && left < message.bytes) return World::Fate::closed;
                    left -= std::min(left, message.bytes);
                    return World::Fate::acknowledged;
                },
                [&](int number) {
                    const bool is_large = too_large > 0 && number % (records / too_large) == 0;
                    return is_large ? large : 30 + static_cast<std::size_t>(number % 100);
                });
            ASSERT_TRUE(world.deliver(30)) << limit << ' ' << world.sizes().bytes();
            std::cout << "figure: from all to " << limit << ", " << too_large
                      << " large records: " << world.links << " links\n";
            for (const int number : world.quarantined)
                EXPECT_GT(world.bytes_alone(number), limit) << number;
        }
}

TEST(PayloadLimitWorld, FindsTheSizeWhereThePlatformIgnoresWhatIsTooLarge) {
    for (const std::size_t limit : {500U, 1024U, 2000U}) {
        World world(
            3000,
            [&](const World::Message& message) {
                return message.bytes > limit ? World::Fate::silence : World::Fate::acknowledged;
            },
            [&](int number) { return 30 + static_cast<std::size_t>(number % 100); });
        ASSERT_TRUE(world.deliver(15)) << limit << ' ' << world.sizes().bytes();
        EXPECT_TRUE(world.quarantined.empty()) << limit;
        std::cout << "figure: ignores more than " << limit << ": " << world.links << " links\n";
    }
}

TEST(PayloadLimitWorld, SetsAsideWhatThePlatformIgnoresForItsSizeAndNothingElse) {
    constexpr int records = 300;
    constexpr std::size_t limit = 1024;
    for (const int large_ones : {1, 2, 30}) {
        World world(
            records,
            [&](const World::Message& message) {
                return message.bytes > limit ? World::Fate::silence : World::Fate::acknowledged;
            },
            [&](int number) {
                return number % (records / large_ones) == 0 ? std::size_t{1500} : std::size_t{90};
            });
        ASSERT_TRUE(world.deliver(60)) << large_ones;
        EXPECT_EQ(world.quarantined, world.larger_than(limit, records)) << large_ones;
        std::cout << "figure: ignores " << large_ones << " large records: " << world.links
                  << " links, " << std::chrono::duration<double>(world.elapsed()).count() << " s\n";
    }
}

// Logins, statuses and times work, and what takes in the data is away: from the start, or later.
TEST(PayloadLimitWorld, CondemnsNobodyWhereTheWayOfDataIsStuck) {
    for (const std::size_t taken : {0U, 30U}) {
        std::size_t parcels = 0;
        World world(
            400,
            [&](const World::Message& message) {
                if (message.parcel == nullptr || ++parcels <= taken)
                    return World::Fate::acknowledged;
                return World::Fate::silence;
            },
            [&](int number) { return static_cast<std::size_t>(300 + number % 900); });
        world.link_bytes = 2048;
        (void)world.deliver(60);
        EXPECT_TRUE(world.quarantined.empty()) << taken;
    }
}

TEST(PayloadLimitWorld, CondemnsNobodyWhereTheBrokerHangs) {
    std::minstd_rand chance(8);
    for (int round = 0; round < 60; ++round) {
        std::size_t hangs_from = 0;
        World world(
            400,
            [&](const World::Message& message) {
                if (message.nth == 1) hangs_from = 3 + chance() % 9;
                return message.nth >= hangs_from ? World::Fate::silence : World::Fate::acknowledged;
            },
            [&](int number) { return static_cast<std::size_t>(300 + number % 900); });
        world.link_bytes = 2048;
        (void)world.deliver(100);
        EXPECT_TRUE(world.quarantined.empty()) << round;
    }
}

TEST(PayloadLimitWorld, SetsNothingAsideForItsSizeWhereALargerOneIsTaken) {
    std::minstd_rand chance(6);
    for (int round = 0; round < 60; ++round) {
        std::vector<int> poison;
        for (int i = 0; i < 6; ++i) poison.push_back(static_cast<int>(chance() % 1000) + 1);
        std::sort(poison.begin(), poison.end());
        poison.erase(std::unique(poison.begin(), poison.end()), poison.end());
        World world(
            1000,
            [&](const World::Message& message) {
                return carries(message, poison) ? World::Fate::closed : World::Fate::acknowledged;
            },
            [&](int number) { return static_cast<std::size_t>(300 + number % 900); });
        ASSERT_TRUE(world.deliver(100));
        EXPECT_EQ(world.quarantined, poison);
    }
}

}  // namespace
}  // namespace fieldgate::northbound
