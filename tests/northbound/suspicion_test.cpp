#include "northbound/suspicion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <random>

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
        Parcel parcel(limits, series, gateway);
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
    Suspicion suspicion;
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

/// The upload flow in virtual time: a backlog in order, a window of ten, one lost link after
/// another. A broker decides for each message how the link fares with it.
class World {
public:
    enum class Fate : std::uint8_t { acknowledged, closed, silence };
    struct Message {
        const Parcel* parcel = nullptr;  ///< nullptr: not data (sdk_info, status)
        std::size_t nth = 0;             ///< on its link, from 1
        Instant::duration age{0};        ///< of the link
    };
    static constexpr auto round_trip = 50ms;
    using Broker = std::function<Fate(const Message&)>;

    World(int records, Broker broker) : broker_(std::move(broker)) {
        for (int number = 1; number <= records; ++number) waiting_.push_back(number);
    }

    /// True: all records are acknowledged or in quarantine, after `links` at most.
    bool deliver(int links_max) {
        for (; !waiting_.empty() && links < links_max; ++links) link();
        return waiting_.empty();
    }

    std::vector<int> quarantined;
    int links = 0;

private:
    // False: the link is gone.
    bool others(int count) {
        for (int i = 0; i < count; ++i)
            if (!send(nullptr)) return false;
        return true;
    }

    bool send(const Parcel* parcel) {
        Message message;
        message.parcel = parcel;
        message.nth = ++sent_;
        message.age = now_ - since_;
        const Fate fate = broker_(message);
        now_ += fate == Fate::silence ? 20s : round_trip;
        return fate == Fate::acknowledged;
    }

    Parcel next(std::size_t from) const {
        Parcel parcel(limits_, series_, gateway);
        for (; from < waiting_.size() && parcel.records() < 40; ++from) {
            Record made;
            made.series = 0;
            made.at = Utc(std::chrono::milliseconds(waiting_[from]));
            made.properties = "{}";
            if (suspicion_.add(parcel, made) != Fit::taken) break;
        }
        return parcel;
    }

    void settle(const Parcel& parcel) {
        suspicion_.settled(parcel);
        waiting_.erase(waiting_.begin(),
                       waiting_.begin() + static_cast<std::ptrdiff_t>(parcel.records()));
    }

    void link() {
        now_ += 1s;
        since_ = now_;
        sent_ = 0;
        if (!others(2)) return;  // sdk_info, status
        suspicion_.connected(now_);
        while (!waiting_.empty()) {
            const Parcel first = next(0);
            const auto trial = suspicion_.trial(first);
            if (trial ? try_alone(first, *trial) : window()) continue;
            // Until the loss is known, more is sent into the void.
            suspicion_.failed(next(std::min<std::size_t>(first.records(), waiting_.size() - 1)),
                              now_);
            return;
        }
    }

    bool try_alone(const Parcel& parcel, const Suspicion::Trial& trial) {
        now_ = std::max(now_, trial.not_before);
        if (!others(trial.others)) return false;
        if (trial.guilty) {
            EXPECT_EQ(parcel.records(), 1U);
            quarantined.push_back(waiting_.front());
            settle(parcel);
            return true;
        }
        suspicion_.tried(parcel, now_);
        if (send(&parcel)) {
            settle(parcel);
            return true;
        }
        suspicion_.failed(parcel, now_);
        return false;
    }

    // Ten in flight; the link dies with the first that is not acknowledged and all behind it.
    bool window() {
        std::vector<Parcel> flying;
        std::size_t from = 0;
        for (int i = 0; i < 10 && from < waiting_.size(); ++i) {
            Parcel parcel = next(from);
            if (suspicion_.trial(parcel)) break;
            from += parcel.records();
            flying.push_back(std::move(parcel));
        }
        for (std::size_t i = 0; i < flying.size(); ++i) {
            if (send(&flying[i])) {
                settle(flying[i]);
                continue;
            }
            for (; i < flying.size(); ++i) suspicion_.failed(flying[i], now_);
            return false;
        }
        return true;
    }

    Broker broker_;
    SeriesTable series_ = [] {
        SeriesTable table;
        table.intern("meter", "Energy");
        return table;
    }();
    Limits limits_;
    Suspicion suspicion_;
    std::deque<int> waiting_;
    Instant now_{};
    Instant since_{};
    std::size_t sent_ = 0;
};

using Fate = World::Fate;

bool carries(const World::Message& message, const std::vector<int>& numbers) {
    if (message.parcel == nullptr) return false;
    for (const Parcel::Entry& entry : message.parcel->devices().front().entries)
        for (const int number : numbers)
            if (entry.at == Utc(std::chrono::milliseconds(number))) return true;
    return false;
}

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
