#include "northbound/goodput.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

Limits unlimited() {
    Limits limits;
    limits.messages_per_second = Limits::unlimited;
    limits.bytes_per_second = Limits::unlimited;
    return limits;
}

Instant::duration of(double seconds) {
    return std::chrono::duration_cast<Instant::duration>(Seconds(seconds));
}

// A link in virtual time: a buffer without end, then so many bytes a second, then a round trip.
// What is to be sent is there all the time, in parcels as large as they should be.
class Link {
public:
    Link(double bytes_per_second, Instant::duration round_trip)
        : pace(bytes_per_second), round_trip_(round_trip) {}

    void connect() {
        under_way_.clear();
        goodput.connected();
        send(250);  // sdk_info
        drain();
    }

    // Sends all the time; returns the bytes that were acknowledged.
    double replay(Instant::duration time) {
        const Instant end = now + time;
        double bytes = 0;
        for (;;) {
            while (under_way_.size() < 10 && goodput.has_room(parcel(), now)) send(parcel());
            longest_wait = std::max<Seconds>(longest_wait, line());
            if (under_way_.front().back > end) break;
            bytes += static_cast<double>(under_way_.front().flight.bytes);
            acknowledge();
        }
        now = end;
        return bytes;
    }

    void send(std::size_t bytes) {
        free_at_ = std::max(free_at_, now) + of(static_cast<double>(bytes) / pace);
        under_way_.push_back({goodput.sent(bytes, now), std::max(free_at_ + round_trip_, held)});
    }
    void acknowledge() {
        now = std::max(now, under_way_.front().back);
        goodput.acknowledged(under_way_.front().flight, now);
        under_way_.pop_front();
    }
    void drain() {
        while (!under_way_.empty()) acknowledge();
    }
    std::size_t parcel() const { return std::min<std::size_t>(60 * 1024, goodput.parcel_bytes()); }
    // What an urgent publish would wait for now.
    Seconds line() const { return std::max<Seconds>(Seconds(0), free_at_ - now); }

    Goodput goodput{unlimited()};
    double pace;
    Instant now{100s};
    Instant held;  // no PUBACK comes before
    Seconds longest_wait{0};

private:
    struct UnderWay {
        Goodput::Flight flight;
        Instant back;
    };
    Instant::duration round_trip_;
    Instant free_at_;
    std::deque<UnderWay> under_way_;
};

TEST(Goodput, KeepsASlowLinkBusyAndItsLineShort) {
    for (const double pace : {250.0, 1250.0, 8000.0, 32'000.0, 125'000.0})
        for (const auto round_trip : {Instant::duration(20ms), Instant::duration(300ms),
                                      Instant::duration(1200ms), Instant::duration(4s)}) {
            SCOPED_TRACE(std::to_string(pace) + " B/s, " + std::to_string(round_trip / 1ms) +
                         " ms");
            Link link(pace, round_trip);
            link.connect();
            link.replay(60s);
            link.longest_wait = Seconds(0);
            EXPECT_GE(link.replay(300s), 0.95 * 300 * pace);
            // Half a second for each parcel; they cannot be smaller than 1 KiB.
            EXPECT_LE(link.longest_wait.count(),
                      std::max(2.5 + Seconds(round_trip).count() / 3, 2 * 1024 / pace));
            EXPECT_NEAR(link.goodput.bytes_per_second(), pace, 0.3 * pace);
        }
}

TEST(Goodput, BeginsSoThatTheFirstBurstIsShort) {
    Link link(8000, 100ms);
    link.connect();
    link.replay(60s);
    EXPECT_LE(link.longest_wait, 3s);
    Link slower(1250, 300ms);
    slower.connect();
    slower.replay(60s);
    EXPECT_LE(slower.longest_wait, 7s);
}

TEST(Goodput, HasTheRateOfAFastLinkAtOnce) {
    Link local(100e6, 200us);
    local.connect();
    local.replay(50ms);
    EXPECT_EQ(local.parcel(), 60 * 1024U);
    EXPECT_GE(local.goodput.window_bytes(), 600 * 1024U);
    Link far(2e6, 100ms);
    far.connect();
    far.replay(1s);
    EXPECT_GE(far.replay(1s), 0.9 * 2e6);
    Link satellite(500e3, 600ms);
    satellite.connect();
    satellite.replay(4s);
    EXPECT_GE(satellite.replay(10s), 0.9 * 10 * 500e3);
}

TEST(Goodput, IsNotLoweredByAnIdleLink) {
    Link link(100e3, 50ms);
    link.connect();
    link.replay(10s);
    link.drain();
    const double busy = link.goodput.bytes_per_second();
    EXPECT_NEAR(busy, 100e3, 30e3);
    for (int i = 0; i < 1000; ++i) {
        link.now += 1s;
        link.send(300);
        link.acknowledge();
    }
    EXPECT_EQ(link.goodput.bytes_per_second(), busy);
}

TEST(Goodput, FollowsALinkThatBecomesSlow) {
    Link link(100e3, 50ms);
    link.connect();
    link.replay(30s);
    link.pace = 8000;
    link.replay(40s);
    link.longest_wait = Seconds(0);
    EXPECT_GE(link.replay(60s), 0.95 * 60 * 8000);
    EXPECT_LE(link.longest_wait, 3s);
    link.pace = 100e3;
    link.replay(5s);
    EXPECT_GE(link.replay(10s), 0.9 * 10 * 100e3);
}

// All PUBACKs of two seconds at once: the bytes were carried in two seconds.
TEST(Goodput, IsNotRaisedByPubacksThatComeBunched) {
    Link link(8000, 50ms);
    link.connect();
    for (int i = 0; i < 20; ++i) {
        link.replay(10s);
        link.held = link.now + 2s;
    }
    EXPECT_LE(link.goodput.bytes_per_second(), 1.3 * 8000);
    EXPECT_LE(link.longest_wait, 3s);
}

TEST(Goodput, SendsNothingMoreWhileNothingComesBack) {
    Link link(8000, 100ms);
    link.connect();
    link.replay(20s);
    EXPECT_TRUE(link.goodput.in_flight_bytes() > 0);
    EXPECT_FALSE(link.goodput.has_room(1, link.now + 2s));
    link.acknowledge();
    EXPECT_TRUE(link.goodput.has_room(1, link.now));
}

TEST(Goodput, RemembersASlowLinkAndNotAFastOne) {
    Link link(1250, 100ms);
    link.connect();
    EXPECT_EQ(link.goodput.window_bytes(), 6 * 1024U);
    link.replay(60s);
    link.goodput.lost(link.now);
    link.connect();
    EXPECT_LE(link.goodput.window_bytes(), 2048U);
    link.goodput.lost(link.now);
    link.connect();  // one that did nothing says nothing
    EXPECT_LE(link.goodput.window_bytes(), 2048U);

    link.pace = 1e6;
    link.replay(20s);
    link.goodput.lost(link.now);
    link.connect();
    EXPECT_LE(link.goodput.window_bytes(), 6 * 1024U + 4096);  // of what sdk_info has shown
    EXPECT_GE(link.goodput.window_bytes(), 2048U);
}

TEST(Goodput, BeginsWithLessWhenNothingOfTheLastLinkGotThrough) {
    Goodput goodput(unlimited());
    Instant now(100s);
    goodput.connected();
    while (goodput.has_room(2000, now)) goodput.sent(2000, now);
    EXPECT_EQ(goodput.in_flight_bytes(), 8000U);
    goodput.lost(now + 20s);
    goodput.connected();
    EXPECT_EQ(goodput.window_bytes(), 1024U);
    // One that is closed at once says nothing of the kind.
    Goodput other(unlimited());
    other.connected();
    other.sent(2000, now);
    other.lost(now + 1s);
    other.connected();
    EXPECT_EQ(other.window_bytes(), 6 * 1024U);
}

TEST(Goodput, LetsOneThatIsLargerThanTheWindowGoAlone) {
    Goodput goodput(unlimited());
    goodput.connected();
    EXPECT_TRUE(goodput.has_room(60'000, Instant(1s)));
    goodput.sent(60'000, Instant(1s));
    EXPECT_FALSE(goodput.has_room(1, Instant(1s)));
}

TEST(Goodput, HoldsNoMoreThanTheConfiguredBandwidth) {
    Limits limits;
    limits.bytes_per_second = 2000;
    Goodput goodput(limits);
    goodput.connected();
    const Goodput::Flight flight = goodput.sent(1000, Instant(1s));
    goodput.acknowledged(flight, Instant(1s) + 1ms);
    EXPECT_EQ(goodput.window_bytes(), 10'000U);
}

TEST(Goodput, HasMorePatienceWithASlowLink) {
    Link fast(1e6, 50ms);
    fast.connect();
    fast.replay(10s);
    EXPECT_EQ(fast.goodput.patience(20s), 20s);
    // One record of 60,000 bytes, which nothing can cut.
    Link slow(1250, 300ms);
    slow.connect();
    slow.replay(60s);
    slow.goodput.lost(slow.now);
    slow.connect();
    slow.send(60'000);
    EXPECT_GT(slow.goodput.patience(20s), 49s);
    EXPECT_LE(slow.goodput.patience(20s), 120s);
    slow.acknowledge();
    EXPECT_EQ(slow.goodput.patience(20s), 120s);  // four times what that has taken, and no more
    for (int i = 0; i < 20; ++i) {
        slow.send(100);
        slow.acknowledge();
    }
    EXPECT_EQ(slow.goodput.patience(20s), 20s);
}

}  // namespace
}  // namespace fieldgate::northbound
