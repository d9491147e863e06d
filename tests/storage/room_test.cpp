// The store at its bounds: cap, free space, RAM.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/storage/fake_space.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

Record large(std::int64_t number, Priority priority = Priority::normal) {
    Record made = record(number, 0, priority);
    made.properties += std::string(static_cast<std::size_t>(200 + std::abs(number) % 7 * 300), ' ');
    return made;
}

class RoomTest : public testing::Test {
protected:
    void SetUp() override {
        site.settings.commit = 1h;
        site.settings.max_size_bytes = 4UL << 20;
        site.settings.keep_free_bytes = 0;
    }
    void append_and_check(std::int64_t first, std::int64_t last) {
        for (std::int64_t number = first; number <= last; ++number) site.append(large(number));
        site.flush();
        ASSERT_TRUE(site.balanced());
        ASSERT_LE(fs::file_size(folder.path() + "/outbox.db"), site.settings.max_size_bytes);
        ASSERT_LE(fs::file_size(folder.path() + "/outbox.db-wal"), 8UL << 20);
        ASSERT_TRUE(site.outbox->status().disk_ok);
    }

    TempFolder folder;
    Site site{folder.path()};
};

TEST_F(RoomTest, EvictsTheOldestNormalRecordsAndStaysBelowItsCap) {
    ASSERT_TRUE(site.open());
    for (std::int64_t number = 1; number <= 20; ++number)
        site.append(large(-number, Priority::alarm));
    for (int round = 0; round < 80; ++round) append_and_check(round * 200 + 1, round * 200 + 200);

    const Books books = site.outbox->status().books;
    EXPECT_EQ(books.accepted, 16020u);
    EXPECT_GT(books.evicted, 8000u);
    EXPECT_GT(books.pending, 2000u) << "the cap is used, too";
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->status().books.evicted, books.evicted);
    const std::vector<Record> left = site.take_everything();
    ASSERT_EQ(left.size(), books.pending);
    for (std::size_t alarm = 0; alarm < 20; ++alarm)
        EXPECT_EQ(number_of(left[alarm]), -static_cast<std::int64_t>(alarm) - 1);
    for (std::size_t at = 20; at < left.size(); ++at)
        ASSERT_EQ(number_of(left[at]), 16000 - static_cast<std::int64_t>(left.size() - 1 - at))
            << "the newest, all of them";
}

TEST_F(RoomTest, RefusesTheNewestWhenToldTo) {
    site.settings.when_full = WhenFull::drop_newest;
    ASSERT_TRUE(site.open());
    for (int round = 0; round < 60; ++round) append_and_check(round * 200 + 1, round * 200 + 200);
    site.append(large(-1, Priority::alarm));
    site.flush();

    const Books books = site.outbox->status().books;
    EXPECT_EQ(books.accepted, 12001u);
    EXPECT_GT(books.evicted, 4000u);
    const std::vector<Record> left = site.take_everything();
    ASSERT_EQ(left.size(), books.pending);
    EXPECT_EQ(number_of(left[0]), -1);
    EXPECT_EQ(number_of(left[1]), 1) << "the oldest stayed";
}

TEST_F(RoomTest, TakesRecordsAgainOnceAcknowledgementsHaveMadeRoom) {
    site.settings.when_full = WhenFull::drop_newest;
    site.settings.commit = 1h;
    ASSERT_TRUE(site.open());
    for (int round = 0; round < 40; ++round) append_and_check(round * 200 + 1, round * 200 + 200);
    const std::uint64_t evicted = site.outbox->status().books.evicted;
    ASSERT_GT(evicted, 0u);

    site.take_everything();
    // No record comes and the timer is an hour away: the acknowledgements themselves commit.
    EXPECT_TRUE(site.until([&] {
        const std::uint64_t before = site.outbox->status().books.evicted;
        site.append(large(1));
        return site.outbox->status().books.evicted == before;
    }));
}

TEST_F(RoomTest, NeverCountsALeasedRecordTwice) {
    ASSERT_TRUE(site.open());
    std::mt19937 random(4);
    std::vector<Site::Taken> leases;
    std::set<std::int64_t> acknowledged;
    std::uint64_t expected = 0;
    for (int round = 0; round < 120; ++round) {
        append_and_check(round * 100 + 1, round * 100 + 100);
        while (leases.size() < 10 && random() % 3 != 0) leases.push_back(site.take(20));
        if (!leases.empty()) {
            const std::size_t at = random() % leases.size();
            std::swap(leases[at], leases.back());
            if (random() % 3 == 0) {
                site.outbox->release(leases.back().lease);
            } else {
                for (const std::int64_t number : leases.back().numbers())
                    EXPECT_TRUE(acknowledged.insert(number).second);
                expected += leases.back().records.size();
                site.outbox->remove(leases.back().lease);
            }
            leases.pop_back();
        }
        const Books books = site.outbox->status().books;
        ASSERT_EQ(books.accepted, static_cast<std::uint64_t>(round * 100 + 100));
        ASSERT_EQ(books.acknowledged, expected);
    }
    EXPECT_GT(site.outbox->status().books.evicted, 0u);
}

TEST_F(RoomTest, LeavesTheSpaceThatIsToBeKeptFreeAndUsesItWhenThereIsMoreAgain) {
    site.settings.keep_free_bytes = 1UL << 30;
    FakeSpace space(1UL << 20);
    ASSERT_TRUE(site.open());
    for (int round = 0; round < 20; ++round) append_and_check(round * 200 + 1, round * 200 + 200);

    EXPECT_LT(fs::file_size(folder.path() + "/outbox.db"), 1UL << 20);
    const std::uint64_t evicted = site.outbox->status().books.evicted;
    EXPECT_GT(evicted, 0u);

    space.set(2UL << 30);
    append_and_check(4001, 4200);  // sees it
    const std::uint64_t last = site.outbox->status().books.evicted;
    for (int round = 21; round < 27; ++round) append_and_check(round * 200 + 1, round * 200 + 200);
    EXPECT_EQ(site.outbox->status().books.evicted, last);
    EXPECT_GT(fs::file_size(folder.path() + "/outbox.db"), 1UL << 20);
}

// Nothing is acknowledged and no alarm comes: there is nothing to write, and the disk is looked at
// all the same.
TEST_F(RoomTest, RefusesNothingAnyMoreWhenTheSpaceIsBack) {
    site.settings.when_full = WhenFull::drop_newest;
    site.settings.keep_free_bytes = 1UL << 30;
    FakeSpace space(1UL << 20);
    ASSERT_TRUE(site.open());
    for (int round = 0; round < 20; ++round) append_and_check(round * 200 + 1, round * 200 + 200);
    const auto refused = [&] {
        const std::uint64_t before = site.outbox->status().books.evicted;
        site.append(large(1));
        return site.outbox->status().books.evicted > before;
    };
    EXPECT_TRUE(refused());
    const std::uint64_t written = site.outbox->status().written_bytes;

    space.set(2UL << 30);

    EXPECT_TRUE(site.until([&] { return !refused(); }, 5s));
    EXPECT_EQ(site.outbox->status().written_bytes, written) << "to look costs no write";
    const std::uint64_t evicted = site.outbox->status().books.evicted;
    append_and_check(5001, 5400);
    EXPECT_EQ(site.outbox->status().books.evicted, evicted);
    EXPECT_EQ(site.outbox->status().buffered, 0u);
}

}  // namespace
}  // namespace fieldgate::storage
