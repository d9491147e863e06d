// The trials of records and of sizes against brokers of every kind, in virtual time.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <iostream>
#include <limits>
#include <random>
#include <utility>

#include "northbound/suspicion.h"

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;

const std::string gateway = "gw";

/// The upload flow in virtual time: a backlog in order, a window of ten, one lost link after
/// another. A broker decides for each message how the link fares with it.
class World {
public:
    enum class Fate : std::uint8_t { acknowledged, closed, silence };
    struct Message {
        const Parcel* parcel = nullptr;  ///< nullptr: not data (sdk_info, status)
        std::size_t bytes = 0;           ///< payload
        std::size_t nth = 0;             ///< on its link, from 1
        Instant::duration age{0};        ///< of the link
    };
    static constexpr auto round_trip = 50ms;
    using Broker = std::function<Fate(const Message&)>;

    using Size = std::function<std::size_t(int number)>;

    World(
        int records, Broker broker, Size size = [](int) { return 2; })
        : broker_(std::move(broker)), size_(std::move(size)) {
        for (int number = 1; number <= records; ++number) waiting_.push_back(number);
    }

    /// True: all records are acknowledged or in quarantine, after `links` at most.
    bool deliver(int links_max) {
        for (; !waiting_.empty() && links < links_max; ++links) link();
        return waiting_.empty();
    }
    /// Of `records` records, those that are more than `limit` even alone.
    std::vector<int> larger_than(std::size_t limit, int records) const {
        std::vector<int> larger;
        for (int number = 1; number <= records; ++number)
            if (bytes_alone(number) > limit) larger.push_back(number);
        return larger;
    }

    /// The properties are JSON of so many bytes.
    Record record(int number) const {
        Record made;
        made.series = 0;
        made.at = Utc(std::chrono::milliseconds(number));
        made.properties = "{" + std::string(size_(number) - 2, ' ') + "}";
        return made;
    }
    /// Of a publish with this record alone.
    std::size_t bytes_alone(int number) const {
        const PayloadLimit any{limits_.payload_bytes};
        Parcel parcel(limits_, any, series_, gateway);
        parcel.add(record(number));
        return parcel.payload_bytes();
    }
    const PayloadLimit& sizes() const { return sizes_; }

    std::size_t link_bytes = std::numeric_limits<std::size_t>::max();  ///< goodput.h
    std::vector<int> quarantined;
    int links = 0;
    Instant::duration elapsed() const { return now_ - Instant(); }

private:
    static constexpr std::size_t status_bytes = 200;

    // False: the link is gone.
    bool others(int count) {
        for (int i = 0; i < count; ++i)
            if (!send(nullptr)) {
                sizes_.link_lost(std::exchange(flying_, {}), now_);
                return false;
            }
        return true;
    }

    bool send(const Parcel* parcel) {
        Message message;
        message.parcel = parcel;
        message.bytes = parcel ? parcel->payload_bytes() : status_bytes;
        message.nth = ++sent_;
        message.age = now_ - since_;
        const Instant left = now_;
        const Fate fate = broker_(message);
        now_ += fate == Fate::silence ? 20s : round_trip;
        if (fate == Fate::acknowledged)
            sizes_.acknowledged(message.bytes);
        else
            flying_.push_back({message.bytes, left});
        return fate == Fate::acknowledged;
    }

    Parcel next(std::size_t from) const {
        Parcel parcel(limits_, sizes_, series_, gateway, link_bytes);
        for (; from < waiting_.size() && parcel.records() < 40; ++from)
            if (suspicion_.add(parcel, record(waiting_[from])) != Fit::taken) break;
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
            sizes_.look(now_);
            const Parcel first = next(0);
            if (first.empty()) {  // never fits
                quarantined.push_back(waiting_.front());
                waiting_.pop_front();
                continue;
            }
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
            if (!sizes_.doubtful(parcel.payload_bytes())) sizes_.doubt();
            quarantined.push_back(waiting_.front());
            settle(parcel);
            return true;
        }
        suspicion_.tried(parcel, now_);
        if (send(&parcel)) {
            settle(parcel);
            return true;
        }
        sizes_.link_lost(std::exchange(flying_, {}), now_);
        suspicion_.failed(parcel, now_);
        return false;
    }

    // Ten in flight; the link dies with the first that is not acknowledged and all behind it.
    bool window() {
        std::vector<Parcel> flying;
        std::size_t from = 0;
        for (int i = 0; i < 10 && from < waiting_.size(); ++i) {
            Parcel parcel = next(from);
            if (parcel.empty() || suspicion_.trial(parcel)) break;
            from += parcel.records();
            flying.push_back(std::move(parcel));
        }
        for (std::size_t i = 0; i < flying.size(); ++i) {
            if (send(&flying[i])) {
                settle(flying[i]);
                continue;
            }
            for (std::size_t late = i + 1; late < flying.size(); ++late)
                flying_.push_back({flying[late].payload_bytes(), now_});
            sizes_.link_lost(std::exchange(flying_, {}), now_);
            for (; i < flying.size(); ++i) suspicion_.failed(flying[i], now_);
            return false;
        }
        return true;
    }

    Broker broker_;
    Size size_;
    SeriesTable series_ = [] {
        SeriesTable table;
        table.intern("meter", "Energy");
        return table;
    }();
    Limits limits_;
    PayloadLimit sizes_{limits_.payload_bytes};
    Suspicion suspicion_{sizes_};
    std::vector<PayloadLimit::Flight> flying_;
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

TEST(SuspicionWorld, FindsHowLargeAPublishThePlatformTakes) {
    for (const std::size_t limit : {400U, 1024U, 4000U, 32'768U, 45'000U}) {
        World world(
            3000,
            [&](const World::Message& message) {
                return message.bytes > limit ? Fate::closed : Fate::acknowledged;
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

TEST(SuspicionWorld, SetsAsideWhatIsTooLargeForThePlatformAndNothingElse) {
    std::minstd_rand chance(5);
    for (int round = 0; round < 24; ++round) {
        const std::size_t limit = 400 + chance() % 3000;
        std::vector<std::size_t> size;
        for (int i = 0; i <= 2000; ++i) size.push_back(20 + chance() % (chance() % 4 ? 200 : 4000));
        if (round % 3 == 0) size.assign(size.size(), limit + 100);
        World world(
            2000,
            [&](const World::Message& message) {
                return message.bytes > limit ? Fate::closed : Fate::acknowledged;
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

TEST(SuspicionWorld, CondemnsNobodyForHavingBeenInFlightWithWhatIsTooLarge) {
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
                    return message.bytes > mix.limit ? Fate::closed : Fate::acknowledged;
                },
                [&](int number) { return number <= mix.large_ones ? mix.large : mix.small; });
            world.link_bytes = link_bytes;
            ASSERT_TRUE(world.deliver(30)) << mix.large << ' ' << mix.small << ' ' << link_bytes;
            EXPECT_EQ(world.quarantined, world.larger_than(mix.limit, mix.records))
                << mix.large << " and " << mix.small << " bytes, parcels of " << link_bytes;
        }
}

TEST(SuspicionWorld, CondemnsNobodyForItsSizeWhateverTheMixAndTheLink) {
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
                return refused ? Fate::closed : Fate::acknowledged;
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

TEST(SuspicionWorld, SetsNothingAsideForItsSizeWhereALargerOneIsTaken) {
    std::minstd_rand chance(6);
    for (int round = 0; round < 60; ++round) {
        std::vector<int> poison;
        for (int i = 0; i < 6; ++i) poison.push_back(static_cast<int>(chance() % 1000) + 1);
        std::sort(poison.begin(), poison.end());
        poison.erase(std::unique(poison.begin(), poison.end()), poison.end());
        World world(
            1000,
            [&](const World::Message& message) {
                return carries(message, poison) ? Fate::closed : Fate::acknowledged;
            },
            [&](int number) { return static_cast<std::size_t>(300 + number % 900); });
        ASSERT_TRUE(world.deliver(100));
        EXPECT_EQ(world.quarantined, poison);
    }
}

}  // namespace
}  // namespace fieldgate::northbound
