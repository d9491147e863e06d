// Power cuts: what was on disk is there afterwards, whatever became of the writes under way.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <set>

#include "tests/storage/power_vfs.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

/// While one lives, every database runs with synchronous=NORMAL, whatever it asks for: what the
/// store would be without FULL. Production has no such switch.
class WithoutFull {
public:
    WithoutFull() {
        ignored = 0;
        sqlite3_auto_extension(entry());
    }
    ~WithoutFull() { sqlite3_cancel_auto_extension(entry()); }
    WithoutFull(const WithoutFull&) = delete;
    WithoutFull& operator=(const WithoutFull&) = delete;

    static inline int ignored = 0;  ///< how often FULL was asked for in vain

private:
    using Entry = void (*)();
    static Entry entry() { return reinterpret_cast<Entry>(on_open); }

    // EXCLUSIVE first, as the store does: without it a file in WAL mode cannot be read here.
    static int on_open(sqlite3* connection, char**, const void*) {
        sqlite3_exec(connection, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=NORMAL",
                     nullptr, nullptr, nullptr);
        sqlite3_set_authorizer(connection, authorize, nullptr);
        return SQLITE_OK;
    }
    static int authorize(void*, int action, const char* pragma, const char* value, const char*,
                         const char*) {
        if (action != SQLITE_PRAGMA || std::string_view(pragma) != "synchronous" ||
            value == nullptr)
            return SQLITE_OK;
        ++ignored;
        return SQLITE_IGNORE;
    }
};

/// A gateway's store through one power cut after another; each goes on with what the last one left.
class Life {
public:
    explicit Life(std::uint32_t seed) : random_(seed), disk_(seed) {}

    /// Works until the power goes.
    void live() {
        disk_.power_on(random_() % 300);
        Site site(folder_.path());
        site.settings.commit = 1h;  // commits come from flush() alone
        ASSERT_TRUE(site.open());
        while (!disk_.is_off()) {
            for (int count = 0; count < 40; ++count) {
                ++number_;
                Record made = record(number_, static_cast<SeriesId>(number_ % 3));
                made.properties += std::string(random_() % 600, ' ');
                site.append(made);
            }
            site.flush();
            if (disk_.is_off()) break;  // nobody was promised anything of this one
            for (; durable_ < number_; ++durable_) pending_.insert(durable_ + 1);
            uncertain_.clear();
            // The oldest, so that what was committed last is there to be lost.
            site.outbox->mark_backlog();
            const Site::Taken taken = site.take(random_() % 80 + (pending_.size() > 300 ? 40 : 1));
            site.outbox->remove(taken.lease);
            for (const std::int64_t acknowledged : taken.numbers()) {
                pending_.erase(acknowledged);
                uncertain_.insert(acknowledged);
            }
        }
    }

    /// The next start. How many records are lost that were on disk and never acknowledged.
    std::size_t lost_after_restart() {
        disk_.power_on(UINT64_MAX);
        Site site(folder_.path());
        EXPECT_TRUE(site.open());
        EXPECT_TRUE(site.outbox->status().disk_ok);
        EXPECT_FALSE(fs::exists(folder_.path() + "/outbox.bad-1")) << "taken for damaged";
        EXPECT_EQ(site.outbox->status().books.quarantined, 0u);
        EXPECT_TRUE(site.balanced());
        std::set<std::int64_t> seen;
        const std::uint64_t pending = site.outbox->status().books.pending;
        while (seen.size() < pending) {
            for (const std::int64_t number : site.take().numbers()) {
                EXPECT_TRUE(seen.insert(number).second);
                EXPECT_TRUE(pending_.contains(number) || uncertain_.contains(number) ||
                            number > durable_);
            }
        }
        std::size_t lost = 0;
        for (const std::int64_t number : pending_) lost += seen.contains(number) ? 0U : 1U;
        pending_ = std::move(seen);
        uncertain_.clear();
        durable_ = number_;
        return lost;
    }

private:
    std::mt19937 random_;
    PowerVfs disk_;
    TempFolder folder_;
    std::int64_t number_ = 0;
    std::int64_t durable_ = 0;
    std::set<std::int64_t> pending_;    // on disk and never acknowledged
    std::set<std::int64_t> uncertain_;  // acknowledged, removal not known to be on disk
};

/// How many of the cuts lost something.
int cuts_with_losses(int cuts, std::uint32_t seed) {
    Life life(seed);
    int with_losses = 0;
    for (int cut = 0; cut < cuts; ++cut) {
        life.live();
        if (life.lost_after_restart() > 0) ++with_losses;
        if (testing::Test::HasFailure()) break;
    }
    return with_losses;
}

TEST(PowerCut, LosesNothingThatWasOnDisk) {
    const int cuts = std::getenv("FIELDGATE_CAMPAIGN") != nullptr ? 10'000 : 300;
    const int lossy = cuts_with_losses(cuts, 8);
    EXPECT_EQ(lossy, 0);
    std::cout << "figure: " << lossy << " of " << cuts << " power cuts lose what was on disk\n";
}

// The negative control: a harness that sees no loss here sees none anywhere.
TEST(PowerCut, WouldLoseRecordsWithoutFull) {
    const WithoutFull without;
    const int cuts = 200;
    const int lossy = cuts_with_losses(cuts, 9);
    EXPECT_GT(WithoutFull::ignored, 0);
    EXPECT_GT(lossy, cuts / 2);
    std::cout << "figure: negative control, synchronous=NORMAL: " << lossy << " of " << cuts
              << " power cuts lose records\n";
}

}  // namespace
}  // namespace fieldgate::storage
