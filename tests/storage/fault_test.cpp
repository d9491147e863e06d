// Disks that are full, fail, lie, or have been scribbled on.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <set>

#include "tests/storage/fault_vfs.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

using Fault = FaultVfs::Fault;

bool campaign() { return std::getenv("FIELDGATE_CAMPAIGN") != nullptr; }

class FaultTest : public testing::Test {
protected:
    void SetUp() override { site.settings.commit = 10ms; }
    void open_if_closed() {
        if (site.outbox) return;
        ASSERT_TRUE(site.open());
    }
    void expect_all_once(std::int64_t count) {
        std::set<std::int64_t> seen;
        for (const Record& one : site.take_everything())
            EXPECT_TRUE(seen.insert(number_of(one)).second);
        EXPECT_EQ(seen.size(), static_cast<std::size_t>(count));
        EXPECT_TRUE(site.balanced());
    }

    FaultVfs disk;  // outlives the site
    TempFolder folder;
    Site site{folder.path()};
};

TEST_F(FaultTest, KeepsRecordsInRamWhileTheDiskIsFullAndHealsByItself) {
    ASSERT_TRUE(site.open());
    site.append(1, 50);
    site.flush();
    disk.fail(Fault::full);
    site.append(51, 100);
    ASSERT_TRUE(site.until([&] { return !site.outbox->status().disk_ok; }));
    site.append(101, 120);
    EXPECT_EQ(site.outbox->status().buffered, 70u);
    EXPECT_EQ(site.outbox->status().books.accepted, 120u);
    EXPECT_TRUE(site.balanced());

    disk.fail(Fault::none);

    EXPECT_TRUE(site.until([&] { return site.outbox->status().disk_ok; }));
    EXPECT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));
    expect_all_once(120);
}

// All that it was to write has gone from RAM: what works is not known before it has been tried.
TEST_F(FaultTest, IsNotSaidToWorkBeforeTheDiskHasTakenSomething) {
    site.settings.durability = Durability::flash_saver;
    ASSERT_TRUE(site.open());
    disk.fail(Fault::full);
    site.append(1, 10);
    site.flush();
    ASSERT_FALSE(site.outbox->status().disk_ok);
    site.outbox->remove(site.take().lease);
    ASSERT_EQ(site.outbox->status().buffered, 0u);

    EXPECT_FALSE(site.until([&] { return site.outbox->status().disk_ok; }, 500ms));
    disk.fail(Fault::none);
    EXPECT_TRUE(site.until([&] { return site.outbox->status().disk_ok; }));
    TempFolder crashed;
    copy_store(folder.path(), crashed.path());
    Site after(crashed.path());
    ASSERT_TRUE(after.open());
    EXPECT_EQ(after.outbox->status().books.acknowledged, 10u) << "the books have told it";
}

TEST_F(FaultTest, BoundsWhatItKeepsInRamAndCountsTheRest) {
    ASSERT_TRUE(site.open());
    disk.fail(Fault::full);
    Record made = record(1);
    made.properties += std::string(1000, ' ');
    for (int number = 0; number < 20'000; ++number) site.append(made);

    const OutboxStatus status = site.outbox->status();
    EXPECT_GT(status.buffered, 6000u);
    EXPECT_LT(status.buffered, 9000u);
    EXPECT_EQ(status.books.evicted + status.books.pending, 20'000u);
    disk.fail(Fault::none);
    EXPECT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));
}

TEST_F(FaultTest, StartsOnAFullDiskLetsItsBacklogGoAndHealsByItself) {
    ASSERT_TRUE(site.open());
    site.append(1, 10);
    site.close();
    disk.fail(Fault::full);
    site.boot_id = "boot-2";  // has to be noted
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->status().books.pending, 10u);
    const Site::Taken backlog = site.take();
    EXPECT_EQ(backlog.numbers(), (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
    site.outbox->remove(backlog.lease);
    site.append(11, 20);
    EXPECT_TRUE(site.until([&] { return !site.outbox->status().disk_ok; }));
    EXPECT_EQ(site.outbox->status().buffered, 10u);

    disk.fail(Fault::none);

    EXPECT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->status().books.acknowledged, 10u);
    EXPECT_EQ(site.outbox->status().books.pending, 10u);
    expect_all_once(20 - 10);
}

// Its name is not on disk before its rows are, and is not asked for twice.
TEST_F(FaultTest, KnowsTheRowsOfItsBootThoughTheFirstCommitsFail) {
    Record made = record(1);
    for (const std::string boot : {"boot-2", "boot-3"}) {
        site.boot_id = boot;
        ASSERT_TRUE(site.open());
        disk.fail_once(Fault::write_error, 0);
        made.proven = false;
        site.append(made);
        ASSERT_TRUE(site.until([&] { return disk.struck(); }));
        ASSERT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));
        site.close();
    }
    ASSERT_TRUE(site.open());
    site.outbox->restamp(std::chrono::milliseconds(1'800'000'000'000));
    std::vector<Record> all = site.take_everything();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_FALSE(all[0].proven) << "of the boot before";
    EXPECT_TRUE(all[1].proven);
    EXPECT_TRUE(site.balanced());
}

TEST_F(FaultTest, TakesRecordsAndAnswersWhileTheDiskHangsInTheOpening) {
    ASSERT_TRUE(site.open());
    site.append(1, 5);
    site.close();
    disk.hold_reads(true);
    ASSERT_TRUE(site.begin_to_open());
    ASSERT_TRUE(site.until([&] { return disk.holds_one(); }));
    site.append(6, 8);
    site.flush();  // strict: the buses do not wait for it either
    EXPECT_FALSE(site.outbox->status().open);
    EXPECT_TRUE(site.outbox->status().disk_ok);
    EXPECT_EQ(site.outbox->status().books.pending, 3u);
    EXPECT_EQ(site.outbox->status().buffered, 3u);

    disk.hold_reads(false);

    site.run(site.outbox->opened());
    EXPECT_TRUE(site.outbox->status().open);
    EXPECT_EQ(site.outbox->status().books.pending, 8u);
    EXPECT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));
    expect_all_once(8);
}

// So long it waits for the disk: records leave RAM for the platform before they are evicted there.
TEST_F(FaultTest, SendsFromRamWhatHasWaitedForTheOpeningForFiveSeconds) {
    ASSERT_TRUE(site.open());
    site.append(1, 5);
    site.close();
    disk.hold_reads(true);
    ASSERT_TRUE(site.begin_to_open());
    site.append(6, 8);
    const auto begin = std::chrono::steady_clock::now();
    const Site::Taken first = site.take(1);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 4s);
    EXPECT_EQ(first.numbers(), (std::vector<std::int64_t>{6}));
    const Site::Taken second = site.take(1);
    EXPECT_EQ(second.numbers(), (std::vector<std::int64_t>{7}));
    site.outbox->remove(first.lease);

    disk.hold_reads(false);

    site.run(site.outbox->opened());
    site.outbox->remove(second.lease);  // of before the numbers were made room for
    ASSERT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));
    EXPECT_EQ(site.outbox->status().books.acknowledged, 2u);
    expect_all_once(6);
}

TEST_F(FaultTest, IsSeenToHangOnlyWhereTheDiskDoes) {
    ASSERT_TRUE(site.open());
    site.append(1, 5);
    site.close();
    disk.hold_reads(true);
    ASSERT_TRUE(site.begin_to_open());
    ASSERT_TRUE(site.until([&] { return disk.holds_one(); }));
    auto hanging = site.outbox->status().turned;
    const auto moves = [&] { return site.outbox->status().turned > hanging; };
    const auto stands_still = [&] {
        hanging = site.outbox->status().turned;
        return !site.until(moves, 200ms);
    };
    EXPECT_TRUE(site.until(stands_still, 5s));
    disk.hold_reads(false);
    EXPECT_TRUE(site.until(moves));
}

TEST_F(FaultTest, TellsThatTheBacklogOfAStoreHasGoneThatOpensAfterTheConnect) {
    ASSERT_TRUE(site.open());
    site.append(1, 5);
    site.close();
    disk.fail(Fault::read_error);
    ASSERT_TRUE(site.open());
    site.outbox->mark_backlog();
    EXPECT_EQ(site.outbox->status().backlog, 0u);
    site.append(6, 8);
    disk.fail(Fault::none);
    ASSERT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));

    EXPECT_EQ(site.outbox->status().backlog, 5u);
    const Site::Taken live = site.take();
    EXPECT_EQ(live.numbers(), (std::vector<std::int64_t>{6, 7, 8}));
    EXPECT_FALSE(live.lease.backlog);
    site.outbox->remove(live.lease);
    const Site::Taken backlog = site.take();
    EXPECT_EQ(backlog.numbers(), (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
    EXPECT_TRUE(backlog.lease.backlog);
    bool told = false;
    bool ended = false;
    const auto hear = [&](const std::exception_ptr&, bool gone) {
        told = gone;
        ended = true;
    };
    asio::co_spawn(site.loop, site.outbox->backlog_gone(), hear);
    EXPECT_FALSE(site.until([&] { return ended; }, 50ms));
    site.outbox->remove(backlog.lease);
    EXPECT_TRUE(site.until([&] { return ended; }, 15s));
    EXPECT_TRUE(told);
}

TEST_F(FaultTest, LosesNothingToASingleErrorAtAnyOperation) {
    const int stride = campaign() ? 100 : 4;
    std::int64_t number = 0;
    for (const Fault fault : {Fault::write_error, Fault::sync_error, Fault::read_error}) {
        int strikes = 0;
        for (int after = 0;; after += 1 + after / stride) {
            open_if_closed();
            const std::uint64_t before = site.outbox->status().books.acknowledged;
            disk.fail_once(fault, after);
            const std::int64_t first = number + 1;
            for (int round = 0; round < 4; ++round) {
                site.append(number + 1, number + 20);
                number += 20;
                site.flush();
            }
            ASSERT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));
            // It is read at the start, and for what is no longer in RAM.
            if (fault == Fault::read_error || after % 3 == 0) site.close();
            open_if_closed();
            ASSERT_TRUE(site.until([&] { return site.outbox->status().disk_ok; }));
            std::set<std::int64_t> seen;
            for (const Record& one : site.take_everything()) seen.insert(number_of(one));
            ASSERT_EQ(seen.size(), 80u) << after;
            ASSERT_EQ(*seen.begin(), first);
            ASSERT_EQ(site.outbox->status().books.acknowledged, before + 80);
            ASSERT_TRUE(site.balanced());
            if (!disk.struck()) break;  // there was no such operation any more
            ++strikes;
        }
        EXPECT_GE(strikes, 5) << "of kind " << static_cast<int>(fault);
    }
}

TEST_F(FaultTest, SendsARecordFromRamThoughNoOtherComesAfterIt) {
    for (const Fault fault : {Fault::write_error, Fault::read_error}) {
        ASSERT_TRUE(site.open());
        disk.fail(fault);
        site.append(1, 1);
        bool taken = false;
        asio::cancellation_signal stop;
        const auto fit = [&](const Record&) {
            taken = true;
            return Fit::taken;
        };
        bool ended = false;
        asio::co_spawn(
            site.loop, site.outbox->take(fit, 0ms),
            asio::bind_cancellation_slot(
                stop.slot(), [&](const std::exception_ptr&, const Lease&) { ended = true; }));
        EXPECT_TRUE(site.until([&] { return taken; }, 9s));
        stop.emit(asio::cancellation_type::terminal);
        ASSERT_TRUE(site.until([&] { return ended; }));
        disk.fail(Fault::none);
        site.close();
    }
}

/// A store with 2,000 records, closed.
void fill(const std::string& folder) {
    Site site(folder);
    site.settings.commit = 1h;
    ASSERT_TRUE(site.open());
    for (int round = 0; round < 4; ++round) {
        for (std::int64_t number = 1; number <= 500; ++number) {
            Record made = record(round * 500 + number, static_cast<SeriesId>(number % 3));
            made.properties += std::string(100, ' ');
            site.append(made);
        }
        site.flush();
    }
}

TEST(Damage, NeverStopsTheStartAndIsCounted) {
    TempFolder original;
    fill(original.path());
    std::mt19937 random(5);
    const auto bytes = fs::file_size(original.path() + "/outbox.db");
    int intact = 0;
    int counted = 0;
    const int rounds = campaign() ? 1000 : 60;
    for (int round = 0; round < rounds; ++round) {
        TempFolder folder;
        copy_store(original.path(), folder.path());
        {
            std::fstream file(folder.path() + "/outbox.db",
                              std::ios::in | std::ios::out | std::ios::binary);
            for (int flips = 0; flips < 1 + round % 3; ++flips) {
                const auto at = static_cast<std::streamoff>(random() % bytes);
                file.seekg(at);
                const int byte = file.get();
                file.seekp(at);
                file.put(static_cast<char>(byte ^ (1 << random() % 8)));
            }
        }
        Site site(folder.path());
        ASSERT_TRUE(site.open());
        ASSERT_TRUE(site.outbox->status().disk_ok);
        std::set<std::int64_t> seen;
        for (const Record& one : site.take_everything()) {
            const std::int64_t number = number_of(one);
            ASSERT_TRUE(number >= 1 && number <= 2000);
            ASSERT_EQ(one.at, record(number).at) << "a wrong value under a right name";
            ASSERT_EQ(site.series[one.series].device_id,
                      "meter-" + std::to_string(
                                     (number - 1) % 500 % 3 == 2 ? 0 : (number - 1) % 500 % 3 + 1));
            seen.insert(number);
        }
        const Books books = site.outbox->status().books;
        ASSERT_TRUE(site.balanced());
        if (seen.size() == 2000) ++intact;
        if (seen.size() + books.quarantined == 2000) ++counted;
        site.append(1, 10);  // and it goes on
        site.flush();
        ASSERT_EQ(site.outbox->status().buffered, 0u);
    }
    RecordProperty("intact", intact);
    std::cout << "of " << rounds << " damaged stores " << intact << " lost nothing, " << counted
              << " counted every loss\n";
    EXPECT_GT(counted, rounds * 8 / 10);
}

TEST(Damage, OfTheWholeFileIsSetAside) {
    TempFolder original;
    fill(original.path());
    const auto bytes = fs::file_size(original.path() + "/outbox.db");
    for (const std::uintmax_t left : {std::uintmax_t{0}, std::uintmax_t{100}, bytes / 2}) {
        TempFolder folder;
        copy_store(original.path(), folder.path());
        fs::resize_file(folder.path() + "/outbox.db", left);
        Site site(folder.path());
        ASSERT_TRUE(site.open());
        EXPECT_TRUE(site.outbox->status().disk_ok);
        if (left == bytes / 2) {
            EXPECT_GT(site.outbox->status().books.pending, 500u);
            EXPECT_EQ(site.outbox->status().books.accepted, 2000u);
            EXPECT_TRUE(fs::exists(folder.path() + "/outbox.bad-1"));
        }
        site.append(1, 10);
        site.flush();
        EXPECT_EQ(site.outbox->status().buffered, 0u);
    }
    for (const bool with_foreign_wal : {false, true}) {
        TempFolder folder;
        std::ofstream(folder.path() + "/outbox.db")
            << "this is no database, however long it is " << std::string(5000, 'x');
        if (with_foreign_wal)
            fs::copy_file(original.path() + "/outbox.db", folder.path() + "/outbox.db-wal");
        Site site(folder.path());
        ASSERT_TRUE(site.open());
        EXPECT_TRUE(site.outbox->status().disk_ok);
        EXPECT_TRUE(fs::exists(folder.path() + "/outbox.bad-1"));
    }
}

}  // namespace
}  // namespace fieldgate::storage
