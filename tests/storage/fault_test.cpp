// Disks that are full, fail, lie, or have been scribbled on; processes that are killed.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

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

TEST_F(FaultTest, StartsOnAFullDiskAndHealsByItself) {
    ASSERT_TRUE(site.open());
    site.append(1, 10);
    site.close();
    disk.fail(Fault::full);
    site.boot_id = "boot-2";  // has to be noted
    ASSERT_TRUE(site.open());
    EXPECT_FALSE(site.outbox->status().disk_ok);
    site.append(11, 20);
    EXPECT_EQ(site.outbox->status().books.pending, 10u) << "the disk is not readable yet";

    disk.fail(Fault::none);

    EXPECT_TRUE(site.until([&] { return site.outbox->status().books.pending == 20; }));
    EXPECT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));
    expect_all_once(20);
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
    const int last = campaign() ? 300 : 24;
    std::int64_t number = 0;
    for (const Fault fault : {Fault::write_error, Fault::sync_error, Fault::read_error}) {
        for (int after = 0; after < last; after += 1 + after / 8) {
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
            if (after % 3 == 0) site.close();
            open_if_closed();
            ASSERT_TRUE(site.until([&] { return site.outbox->status().disk_ok; }));
            std::set<std::int64_t> seen;
            for (const Record& one : site.take_everything()) seen.insert(number_of(one));
            ASSERT_EQ(seen.size(), 80u) << after;
            ASSERT_EQ(*seen.begin(), first);
            ASSERT_EQ(site.outbox->status().books.acknowledged, before + 80);
            ASSERT_TRUE(site.balanced());
        }
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

// ---- kill -9

/// What the child says before it dies, in fixed-size lines.
struct Word {
    char
        kind;  // D: all up to `number` are on disk; A: `number` was acknowledged; C: so far on disk
    std::int64_t number;
};

[[noreturn]] void live_until_killed(const std::string& folder, int pipe, std::int64_t number) {
    const auto say = [&](char kind, std::int64_t what) {
        const Word word{kind, what};
        if (::write(pipe, &word, sizeof word) != sizeof word) ::_exit(1);
    };
    auto* site = new Site(folder);  // never destroyed
    site->settings.commit = 5ms;
    if (!site->open()) ::_exit(2);
    site->outbox->mark_backlog();
    for (;;) {
        site->append(number + 1, number + 40);
        number += 40;
        site->flush();
        say('D', number);
        say('C', 0);
        const Site::Taken taken = site->take(30);
        site->outbox->remove(taken.lease);
        for (const std::int64_t acknowledged : taken.numbers()) say('A', acknowledged);
    }
}

TEST(Kill, LosesNothingThatWasOnDiskAndResendsNothingWhoseRemovalWas) {
    TempFolder folder;
    std::mt19937 random(6);
    std::set<std::int64_t> pending;    // on disk and never acknowledged
    std::set<std::int64_t> uncertain;  // acknowledged, removal not known to be on disk
    std::int64_t number = 0;
    std::int64_t commits = 0;
    const int kills = campaign() ? 200 : 20;
    for (int kill = 0; kill < kills; ++kill) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) live_until_killed(folder.path(), ends[1], number);
        ::close(ends[1]);
        // Its time runs from its first commit: on a slow machine a life without one proves nothing.
        Word word{};
        ASSERT_EQ(::read(ends[0], &word, sizeof word), static_cast<ssize_t>(sizeof word))
            << "the child ended by itself";
        ASSERT_EQ(word.kind, 'D');
        ::usleep(static_cast<useconds_t>(random() % 120'000));
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
        std::int64_t durable = number;
        do {
            if (word.kind == 'D') {
                for (std::int64_t next = durable + 1; next <= word.number; ++next)
                    pending.insert(next);
                durable = word.number;
            } else if (word.kind == 'A') {
                pending.erase(word.number);
                uncertain.insert(word.number);
            } else {
                uncertain.clear();
            }
        } while (::read(ends[0], &word, sizeof word) == sizeof word);
        ::close(ends[0]);
        commits += (durable - number) / 40;

        TempFolder copy;
        copy_store(folder.path(), copy.path());
        Site site(copy.path());
        ASSERT_TRUE(site.open());
        ASSERT_FALSE(fs::exists(copy.path() + "/outbox.bad-1"));
        std::set<std::int64_t> seen;
        std::int64_t before = 0;
        for (const Record& one : site.take_everything()) {
            const std::int64_t next = number_of(one);
            ASSERT_LT(before, next) << "in order";
            before = next;
            seen.insert(next);
        }
        for (const std::int64_t kept : pending) ASSERT_TRUE(seen.contains(kept)) << kept;
        for (const std::int64_t back : seen) {
            // Beyond what it said are the forty of the commit under way.
            ASSERT_TRUE(pending.contains(back) || uncertain.contains(back) || back > durable);
        }
        ASSERT_TRUE(site.balanced());
        pending = seen;
        uncertain.clear();
        number = std::max(durable, seen.empty() ? 0 : *seen.rbegin()) + 1000;
    }
    std::cout << kills << " kills, " << commits << " commits\n";
    EXPECT_GE(commits, kills);
}

}  // namespace
}  // namespace fieldgate::storage
