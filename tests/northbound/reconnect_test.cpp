#include "northbound/reconnect.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <random>

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr double no_jitter = 0.5;
const Error unreachable(Errc::io, "connection refused");

Error refused(int code) {
    Error error(Errc::refused, "refused");
    error.detail = code;
    return error;
}

TEST(Reconnect, DoublesItsPauseUpToTheLongest) {
    Reconnect reconnect{ReconnectPolicy()};
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s})
        EXPECT_EQ(reconnect.failed(unreachable, no_jitter).wait, pause);
}

TEST(Reconnect, VariesItsPauses) {
    Reconnect least{ReconnectPolicy()};
    Reconnect most{ReconnectPolicy()};
    EXPECT_EQ(least.start(0), 0ms);
    EXPECT_NEAR(static_cast<double>(most.start(0.9999).count()), 1000, 1);
    EXPECT_EQ(least.failed(unreachable, 0).wait, 0ms);
    EXPECT_NEAR(static_cast<double>(most.failed(unreachable, 0.9999).wait.count()), 2000, 1);
    EXPECT_EQ(least.failed(unreachable, 0).wait, 1600ms);
    EXPECT_NEAR(static_cast<double>(most.failed(unreachable, 0.9999).wait.count()), 2400, 1);
}

TEST(Reconnect, GoesStraightToTheLongestPauseWhenHasteIsUseless) {
    for (const int code : {1, 2, 4, 5}) {
        Reconnect reconnect{ReconnectPolicy()};
        EXPECT_EQ(reconnect.failed(refused(code), no_jitter).wait, 60s);
    }
    Reconnect busy{ReconnectPolicy()};
    EXPECT_EQ(busy.failed(refused(3), no_jitter).wait, 1s);
}

TEST(Reconnect, StartsAgainAfterALinkThatWorked) {
    Reconnect reconnect{ReconnectPolicy()};
    for (int i = 0; i < 10; ++i) reconnect.failed(unreachable, no_jitter);
    reconnect.connected(Instant(100s));
    EXPECT_EQ(reconnect.lost(Instant(106s), no_jitter).wait, 1s);
}

TEST(Reconnect, ClimbsWhenLinksAreLostWithinSeconds) {
    Reconnect reconnect{ReconnectPolicy()};
    reconnect.connected(Instant(100s));
    EXPECT_EQ(reconnect.lost(Instant(101s), no_jitter).wait, 1s);
    reconnect.connected(Instant(102s));
    EXPECT_EQ(reconnect.lost(Instant(104s), no_jitter).wait, 2s);
}

TEST(Reconnect, SuspectsATwinAfterThreeShortLinksAndSaysSoOnce) {
    Reconnect reconnect{ReconnectPolicy()};
    Instant now(100s);
    int warnings = 0;
    for (int i = 0; i < 10; ++i) {
        reconnect.connected(now);
        const auto next = reconnect.lost(now + 1s, 0.0);
        warnings += next.twin ? 1 : 0;
        if (i >= 2) {
            EXPECT_GE(next.wait, 30s);
        }
        now += 1s + next.wait;
    }
    EXPECT_EQ(warnings, 1);
}

TEST(Reconnect, TakesABrokerThatRestartsForNoTwin) {
    Reconnect reconnect{ReconnectPolicy()};
    Instant now(100s);
    for (int i = 0; i < 10; ++i) {
        reconnect.connected(now);
        EXPECT_FALSE(reconnect.lost(now + 2s, no_jitter).twin);
        reconnect.failed(unreachable, no_jitter);
        now += 3s;
    }
}

TEST(Reconnect, ForgetsTheTwinWhenALinkHasHeldLong) {
    Reconnect reconnect{ReconnectPolicy()};
    for (int i = 0; i < 3; ++i) {
        reconnect.connected(Instant(100s));
        reconnect.lost(Instant(101s), no_jitter);
    }
    reconnect.connected(Instant(200s));
    EXPECT_GE(reconnect.lost(Instant(300s), no_jitter).wait, 60s);
    reconnect.connected(Instant(400s));
    EXPECT_EQ(reconnect.lost(Instant(400s) + 10min, no_jitter).wait, 1s);
}

// Two gateways with one device id, each throwing the other out when it connects.
TEST(Reconnect, TwoTwinsDoNotFight) {
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> chance(0, 1);
    std::array<Reconnect, 2> twins{Reconnect{ReconnectPolicy()}, Reconnect{ReconnectPolicy()}};
    std::array<Instant, 2> next{Instant(100s), Instant(100s) + 700ms};
    int connected = -1;
    int connects = 0;
    const Instant settled(400s);
    const Instant end(4000s);
    for (;;) {
        const int who = connected == 0 ? 1 : connected == 1 ? 0 : next[0] <= next[1] ? 0 : 1;
        const auto me = static_cast<std::size_t>(who);
        const Instant now = next[me];
        if (now >= end) break;
        twins[me].connected(now);
        if (now >= settled) ++connects;
        if (connected >= 0) {
            const std::size_t other = 1 - me;
            next[other] = now + twins[other].lost(now, chance(random)).wait;
        }
        connected = who;
    }
    EXPECT_LE(connects, 2 * 3600 / 30);
}

// How many of 200 gateways are at the platform's door in one tenth of a second, at most, while it
// is away.
int crowd(const std::function<milliseconds(Reconnect&, double)>& first, milliseconds from,
          milliseconds until) {
    std::mt19937_64 random(3);
    std::uniform_real_distribution<double> chance(0, 1);
    std::map<std::int64_t, int> per_slot;
    for (int gateway = 0; gateway < 200; ++gateway) {
        Reconnect reconnect{ReconnectPolicy()};
        milliseconds at = first(reconnect, chance(random));
        for (; at < until; at += reconnect.failed(unreachable, chance(random)).wait)
            if (at >= from) ++per_slot[at / 100ms];
    }
    int peak = 0;
    for (const auto& [slot, attempts] : per_slot) peak = std::max(peak, attempts);
    return peak;
}

// T37: two hundred gateways whose platform has gone away together, and comes back at any time.
TEST(Reconnect, SpreadsAStormFromTheFirstSecondOn) {
    const auto lost = [](Reconnect& reconnect, double chance) {
        reconnect.connected(Instant(0s));
        return reconnect.lost(Instant(1h), chance).wait;
    };
    const auto power = [](Reconnect& reconnect, double chance) { return reconnect.start(chance); };
    std::printf(
        "figure: of 200 gateways at one tenth of a second at most: after a lost link %d, "
        "after a power cut %d\n",
        crowd(lost, 0ms, 1h), crowd(power, 0ms, 1h));
    EXPECT_LE(crowd(lost, 0ms, 1h), 200 / 8);
    EXPECT_LE(crowd(power, 0ms, 1h), 200 / 4);
    EXPECT_LE(crowd(lost, 10min, 1h), 200 / 20);
}

}  // namespace
}  // namespace fieldgate::northbound
