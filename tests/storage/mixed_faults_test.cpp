// Errors that follow each other, of different kinds, with acknowledgements and restarts between.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <cstdlib>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "tests/storage/fault_vfs.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

using Fault = FaultVfs::Fault;
using Numbers = std::set<std::int64_t>;

/// A store, and what its user knows of its records.
class Store {
public:
    explicit Store(unsigned seed) : random_(seed) {
        site_.settings.commit = std::chrono::milliseconds(5 + seed % 20);
        if (seed % 4 == 3) site_.settings.durability = Durability::flash_saver;
        opened_ = site_.open().has_value();
    }
    ~Store() { stop_taking(); }
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// One thing that its user may do, whatever the disk is like.
    void act() {
        switch (random_() % 5) {
            case 0:
            case 1:
                append();
                break;
            case 2:
                take();
                break;
            case 3:
                settle();
                break;
            default:
                break;
        }
        EXPECT_TRUE(site_.balanced());
    }
    void turn() { site_.loop.poll(); }

    bool healed() const {
        const OutboxStatus status = site_.outbox->status();
        const bool writes_late = site_.settings.durability == Durability::flash_saver;
        return status.disk_ok && (writes_late || status.buffered == 0);
    }
    /// An orderly stop, and a start.
    void restart() {
        stop_taking();
        leases_.clear();
        site_.close();
        opened_ = site_.open().has_value();
        ASSERT_TRUE(opened_);
        ASSERT_TRUE(site_.balanced());
    }
    /// On a disk that works: every record has gone where its user knows it went.
    void expect_nothing_lost_nor_sent_again() {
        const Books books = site_.outbox->status().books;
        EXPECT_EQ(books.accepted, appended_.size());
        EXPECT_EQ(books.acknowledged, acknowledged_.size());
        EXPECT_EQ(books.quarantined, quarantined_.size());
        Numbers pending = appended_;
        for (const std::int64_t number : acknowledged_) pending.erase(number);
        for (const std::int64_t number : quarantined_) pending.erase(number);
        std::vector<std::int64_t> seen;
        for (const Record& one : site_.take_everything()) seen.push_back(number_of(one));
        std::ranges::sort(seen);
        EXPECT_TRUE(std::ranges::equal(seen, pending))
            << seen.size() << " came, " << pending.size() << " were pending";
    }
    bool opened() const { return opened_; }

private:
    void append() {
        const int count = 1 + static_cast<int>(random_() % 20);
        for (int at = 0; at < count; ++at) {
            const bool alarm = random_() % 4 == 0;
            Record made = record(++number_, static_cast<SeriesId>(random_() % 3),
                                 alarm ? Priority::alarm : Priority::normal);
            made.properties += std::string(random_() % 300, ' ');
            appended_.insert(number_);
            site_.append(std::move(made));
        }
    }
    void take() {
        if (taking_) return;
        taking_ = true;
        const std::size_t most = 1 + random_() % 15;
        const auto fit = [this, most](const Record& offered) {
            if (offered_.size() == most) return Fit::full;
            offered_.push_back(number_of(offered));
            return Fit::taken;
        };
        asio::co_spawn(site_.loop, site_.outbox->take(fit, 0ms),
                       asio::bind_cancellation_slot(
                           stop_.slot(), [this](const std::exception_ptr&, const Lease& lease) {
                               taking_ = false;
                               if (lease.records > 0) leases_.emplace_back(lease, offered_);
                               offered_.clear();
                           }));
    }
    void settle() {
        if (leases_.empty()) return;
        std::swap(leases_[random_() % leases_.size()], leases_.back());
        const auto [lease, numbers] = leases_.back();
        leases_.pop_back();
        const unsigned how = random_() % 8;
        if (how == 0) return site_.outbox->release(lease);
        if (how == 1)
            site_.outbox->quarantine(lease, "refused");
        else
            site_.outbox->remove(lease);
        for (const std::int64_t number : numbers)
            EXPECT_TRUE((how == 1 ? quarantined_ : acknowledged_).insert(number).second);
    }
    void stop_taking() {
        stop_.emit(asio::cancellation_type::terminal);
        EXPECT_TRUE(site_.until([&] { return !taking_; }));
    }

    std::mt19937 random_;
    TempFolder folder_;
    Site site_{folder_.path()};
    bool opened_ = false;
    asio::cancellation_signal stop_;
    bool taking_ = false;
    std::vector<std::int64_t> offered_;
    std::vector<std::pair<Lease, std::vector<std::int64_t>>> leases_;
    std::int64_t number_ = 0;
    Numbers appended_;
    Numbers acknowledged_;
    Numbers quarantined_;
};

class MixedFaults : public testing::Test {
protected:
    /// All of them turn, and their users act, for so long.
    void live(std::chrono::milliseconds time) {
        const auto end = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < end) {
            for (auto& store : stores)
                for (int acts = 0; acts < 2; ++acts) store->act();
            const auto next = std::chrono::steady_clock::now() + 4ms;
            while (std::chrono::steady_clock::now() < next) turn();
        }
    }
    void turn() {
        for (auto& store : stores) store->turn();
        std::this_thread::yield();
    }
    bool heal() {
        disk.fail(Fault::none);
        const auto end = std::chrono::steady_clock::now() + 30s;
        const auto healed = [](const auto& store) { return store->healed(); };
        while (!std::ranges::all_of(stores, healed) && std::chrono::steady_clock::now() < end)
            turn();
        return std::ranges::all_of(stores, healed);
    }

    FaultVfs disk;  // outlives the stores
    // Many at once: a disk that has failed is tried again after 100 ms and more.
    std::vector<std::unique_ptr<Store>> stores;
};

TEST_F(MixedFaults, LoseNothingAndSendNothingAgainThatWasAcknowledged) {
    for (unsigned seed = 0; seed < 12; ++seed) stores.push_back(std::make_unique<Store>(seed));
    for (const auto& store : stores) ASSERT_TRUE(store->opened());
    constexpr std::array faults{Fault::write_error, Fault::full, Fault::sync_error,
                                Fault::read_error};
    std::mt19937 random(9);
    const int rounds = std::getenv("FIELDGATE_CAMPAIGN") != nullptr ? 200 : 4;
    for (int round = 0; round < rounds; ++round) {
        live(60ms);
        disk.fail(faults[random() % faults.size()]);
        live(40ms);
        // It is tried again 100 ms after the first error, and finds another.
        for (int errors = 0; errors < 1 + round % 2; ++errors) {
            disk.fail(faults[random() % faults.size()]);
            live(150ms);
        }
        ASSERT_TRUE(heal());
        if (round % 2 == 0) continue;
        for (const auto& store : stores) {
            store->restart();
            if (HasFatalFailure()) return;
        }
    }
    for (const auto& store : stores) store->expect_nothing_lost_nor_sent_again();
}

}  // namespace
}  // namespace fieldgate::storage
