// A damaged store whose rescue is interrupted loses no more than one whose is not.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <fstream>

#include "storage/outbox_disk.h"
#include "tests/storage/fake_space.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

using Fault = FaultVfs::Fault;

constexpr std::uint64_t stored = 4000;
constexpr std::uint64_t acknowledged = 10;

/// A store with 4,000 records, one of its pages scribbled over, and one of its rows acknowledged.
class SalvageTest : public testing::Test {
protected:
    void SetUp() override {
        {
            Site site(original.path());
            site.settings.commit = 1h;
            ASSERT_TRUE(site.open());
            for (std::uint64_t first = 1; first <= stored; first += 500) {
                site.append(static_cast<std::int64_t>(first),
                            static_cast<std::int64_t>(first + 499));
                site.flush();
            }
            site.outbox->remove(site.take(acknowledged).lease);
        }
        const std::string file = original.path() + "/outbox.db";
        std::fstream page(file, std::ios::in | std::ios::out | std::ios::binary);
        page.seekp(static_cast<std::streamoff>(fs::file_size(file) / 8192 * 4096));
        page << std::string(4096, '\xAA');
        page.close();
        undisturbed = rescued(copy()->path());
        ASSERT_GT(undisturbed.quarantined, 0u);
        ASSERT_GT(undisturbed.pending, stored / 2);
        ASSERT_EQ(undisturbed.acknowledged, acknowledged);
        ASSERT_EQ(undisturbed.acknowledged + undisturbed.pending + undisturbed.quarantined, stored);
    }
    std::unique_ptr<TempFolder> copy() {
        auto folder = std::make_unique<TempFolder>();
        copy_store(original.path(), folder->path());
        return folder;
    }
    /// The books after a start that nothing disturbs.
    static Books rescued(const std::string& folder) {
        Site site(folder);
        EXPECT_TRUE(site.open());
        EXPECT_TRUE(site.outbox->status().disk_ok);
        EXPECT_FALSE(fs::exists(folder + "/outbox.new"));
        EXPECT_FALSE(fs::exists(folder + "/outbox.salvaged"));
        return site.outbox->status().books;
    }
    void expect_as_undisturbed(const Books& books) {
        EXPECT_EQ(books.accepted, stored);
        EXPECT_EQ(books.acknowledged, acknowledged);
        EXPECT_EQ(books.pending, undisturbed.pending);
        EXPECT_EQ(books.quarantined, undisturbed.quarantined);
    }
    /// False: it has opened the store before.
    bool die_at_write(const std::string& folder, int writes) {
        const pid_t child = ::fork();
        if (child == 0) {
            auto* site = new Site(folder);  // never destroyed
            disk.fail_once(Fault::death, writes);
            const bool opened = site->open().has_value();
            ::_exit(opened ? 1 : 2);
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFEXITED(status));
        EXPECT_NE(WEXITSTATUS(status), 2);
        return WEXITSTATUS(status) == 0;
    }
    void expect_original_kept(const std::string& folder, const std::string& name) {
        EXPECT_EQ(fs::file_size(folder + "/" + name),
                  fs::file_size(original.path() + "/outbox.db"));
    }

    FaultVfs disk;  // outlives the site
    TempFolder original;
    Books undisturbed;
};

TEST_F(SalvageTest, LosesNoMoreToADiskThatFillsUpMeanwhile) {
    for (int writes = 0; writes < 400; writes += 1 + writes / 2) {
        SCOPED_TRACE(writes);
        const auto folder = copy();
        Site site(folder->path());
        disk.fail_once(Fault::full, writes);
        ASSERT_TRUE(site.open());
        ASSERT_TRUE(site.until([&] { return site.outbox->status().disk_ok; }));
        expect_as_undisturbed(site.outbox->status().books);
        expect_original_kept(folder->path(), "outbox.bad-1");
        disk.fail_once(Fault::none, 0);
    }
}

TEST_F(SalvageTest, LosesNoMoreToADeathAtAnyWrite) {
    bool died = true;
    for (int writes = 0; died; writes += 1 + writes / 4) {
        SCOPED_TRACE(writes);
        const auto folder = copy();
        died = die_at_write(folder->path(), writes);
        expect_as_undisturbed(rescued(folder->path()));
        expect_original_kept(folder->path(), "outbox.bad-1");
    }
}

// So that it ends at last, however often it is killed.
TEST_F(SalvageTest, GoesOnWhereAKillHasStoppedIt) {
    const auto writes_of = [&](const std::string& folder) {
        const int before = disk.writes();
        expect_as_undisturbed(rescued(folder));
        return disk.writes() - before;
    };
    const int all = writes_of(copy()->path());
    ASSERT_GT(all, 100);
    const auto folder = copy();
    const auto other = copy();
    die_at_write(folder->path(), all * 2 / 3);
    // The part of a copy of another file is of no use.
    for (const char* name : {"/outbox.new", "/outbox.new-wal"})
        fs::copy_file(folder->path() + name, other->path() + name);

    EXPECT_LT(writes_of(folder->path()), all * 2 / 3);
    EXPECT_GT(writes_of(other->path()), all * 9 / 10);
}

TEST_F(SalvageTest, GoesOnWhereAStopHasEndedIt) {
    const auto folder = copy();
    disk.slow_reads(60ms);  // several seconds for all of it
    Site site(folder->path());
    ASSERT_TRUE(site.begin_to_open());
    const auto begun = [&] { return fs::exists(folder->path() + "/outbox.new"); };
    ASSERT_TRUE(site.until(begun, 10s));
    site.close();
    EXPECT_TRUE(begun());
    expect_original_kept(folder->path(), "outbox.db");
    disk.slow_reads(0ms);
    expect_as_undisturbed(rescued(folder->path()));
}

// Below it no certificate is valid.
TEST_F(SalvageTest, KeepsTheLastProvenTime) {
    const TempFolder folder;
    {
        Site site(folder.path());
        ASSERT_TRUE(site.open());
        site.outbox->note_proven_time(utc(1'790'000'000'000));
        site.append(1, 200);
        site.flush();
    }
    const std::string file = folder.path() + "/outbox.db";
    std::fstream page(file, std::ios::in | std::ios::out | std::ios::binary);
    page.seekp(static_cast<std::streamoff>(fs::file_size(file) - 4096));
    page << std::string(4096, '\xAA');
    page.close();
    Site site(folder.path());
    ASSERT_TRUE(site.open());
    ASSERT_TRUE(fs::exists(folder.path() + "/outbox.bad-1"));
    EXPECT_EQ(site.outbox->proven_time(), utc(1'790'000'000'000));
}

// The newest of it, when there has been no room for all for long.
TEST_F(SalvageTest, GivesUpWhatThereIsNoRoomFor) {
    const auto folder = copy();
    FakeSpace space(fs::file_size(folder->path() + "/outbox.db") / 2);
    Settings settings;
    settings.path = folder->path();
    OutboxDisk store(settings, "boot-1", utc(0));
    const Worker::Unwanted unwanted{false};
    int attempts = 0;
    Result<Inventory> inventory = store.open(unwanted);
    for (; !inventory && attempts < 100; ++attempts) {
        EXPECT_EQ(inventory.error().code, Errc::out_of_range);
        expect_original_kept(folder->path(), "outbox.db");
        inventory = store.open(unwanted);
    }
    ASSERT_TRUE(inventory) << inventory.error().what;
    EXPECT_EQ(attempts, 30);
    const SeqSet& rows = inventory->rows[index(Table::data)];
    EXPECT_GT(rows.count(), stored / 8);
    EXPECT_LT(rows.count(), stored / 2);
    EXPECT_EQ(*rows.last(), stored) << "the newest";
    EXPECT_EQ(inventory->lost, stored - acknowledged - rows.count());
    EXPECT_EQ(inventory->counters.quarantined, inventory->lost);
    expect_original_kept(folder->path(), "outbox.bad-1");
    store.close();
    space.set(1UL << 40);
    const Books books = rescued(folder->path());
    EXPECT_EQ(books.pending + books.quarantined + acknowledged, stored);
}

// Between the renames there is no write of SQLite's to die at: the folder as it is then.
TEST_F(SalvageTest, IsFinishedByTheNextStartWhereverItStopped) {
    const auto done = copy();
    expect_as_undisturbed(rescued(done->path()));
    for (const bool database_moved : {false, true}) {
        for (const bool wal_moved : {false, true}) {
            if (wal_moved && !database_moved) continue;
            const auto folder = copy();
            fs::copy_file(done->path() + "/outbox.db", folder->path() + "/outbox.salvaged");
            std::ofstream(folder->path() + "/outbox.db-wal") << "of the damaged file";
            std::ofstream(folder->path() + "/outbox.bad-4") << "an older one";
            if (database_moved)
                fs::rename(folder->path() + "/outbox.db", folder->path() + "/outbox.bad-5");
            if (wal_moved)
                fs::rename(folder->path() + "/outbox.db-wal", folder->path() + "/outbox.bad-5-wal");

            expect_as_undisturbed(rescued(folder->path()));

            expect_original_kept(folder->path(), "outbox.bad-5");
            EXPECT_TRUE(fs::exists(folder->path() + "/outbox.bad-5-wal"));
            EXPECT_FALSE(fs::exists(folder->path() + "/outbox.bad-4"));
        }
    }
}

TEST_F(SalvageTest, KeepsTheOlderDamagedFileUntilItHasSucceeded) {
    const auto folder = copy();
    std::ofstream(folder->path() + "/outbox.bad-1") << "an older one";
    disk.fail(Fault::full);
    Site site(folder->path());
    ASSERT_TRUE(site.open());
    EXPECT_FALSE(site.outbox->status().disk_ok);
    EXPECT_TRUE(fs::exists(folder->path() + "/outbox.bad-1"));
    expect_original_kept(folder->path(), "outbox.db");

    disk.fail(Fault::none);

    ASSERT_TRUE(site.until([&] { return site.outbox->status().disk_ok; }));
    expect_as_undisturbed(site.outbox->status().books);
    expect_original_kept(folder->path(), "outbox.bad-2");
    EXPECT_FALSE(fs::exists(folder->path() + "/outbox.bad-1"));
}

}  // namespace
}  // namespace fieldgate::storage
