// accepted = acknowledged + pending + evicted + quarantined, whatever happens.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "storage/database.h"
#include "storage/figures.h"
#include "storage/meta.h"
#include "storage/row.h"
#include "storage/schema.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

using Fault = FaultVfs::Fault;

class BooksTest : public testing::Test {
protected:
    void SetUp() override { site.settings.commit = 10ms; }

    FaultVfs disk;  // outlives the site
    TempFolder folder;
    Site site{folder.path()};
};

TEST_F(BooksTest, KeepWhatHappensWhileACommitIsUnderWay) {
    site.settings.durability = Durability::flash_saver;
    ASSERT_TRUE(site.open());
    site.append(1, 10);
    disk.hold_syncs(true);
    bool flushed = false;
    asio::co_spawn(site.loop, site.outbox->flushed(),
                   [&](const std::exception_ptr&) { flushed = true; });
    ASSERT_TRUE(site.until([&] { return disk.holds_one(); }));
    // Comes and goes in RAM: nothing but the books will tell.
    site.append(record(11, 0, Priority::alarm));
    const Site::Taken taken = site.take();
    ASSERT_EQ(taken.numbers(), std::vector<std::int64_t>{11});
    site.outbox->remove(taken.lease);
    disk.hold_syncs(false);
    ASSERT_TRUE(site.until([&] { return flushed; }));
    site.close();

    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->status().books.acknowledged, 1u);
    EXPECT_EQ(site.outbox->status().books.accepted, 11u);
    EXPECT_TRUE(site.balanced());
}

TEST_F(BooksTest, BalanceOnADiskThatIsReadAfterACrash) {
    site.settings.commit = 1h;
    site.settings.durability = Durability::flash_saver;
    ASSERT_TRUE(site.open());
    site.append(1, 100);
    site.flush();
    site.append(101, 130);  // in RAM only
    site.outbox->remove(site.take(7).lease);
    site.append(record(131, 0, Priority::alarm));
    site.flush();
    site.append(132, 140);
    EXPECT_EQ(site.outbox->status().books.accepted, 140u);
    TempFolder crashed;
    copy_store(folder.path(), crashed.path());

    Site after(crashed.path());
    ASSERT_TRUE(after.open());
    const Books books = after.outbox->status().books;
    EXPECT_EQ(books.accepted, 131u) << "what was in RAM alone has never been";
    EXPECT_EQ(books.acknowledged, 7u);
    EXPECT_TRUE(after.balanced());
}

// After an error all that RAM has is written again, also what the disk has.
TEST_F(BooksTest, BalanceThoughRecordsGoBeforeTheyAreWrittenAgain) {
    site.settings.max_size_bytes = 4UL << 20;  // so that one commit does not take all
    ASSERT_TRUE(site.open());
    Record made = record(1);
    made.properties += std::string(1000, ' ');
    for (int number = 0; number < 900; ++number) site.append(made);
    site.flush();
    const Site::Taken taken = site.take();
    ASSERT_EQ(taken.records.size(), 900u);
    disk.fail(Fault::write_error);
    site.append(1, 1);
    ASSERT_TRUE(site.until([&] { return !site.outbox->status().disk_ok; }));
    disk.hold_syncs(true);
    disk.fail(Fault::none);
    ASSERT_TRUE(site.until([&] { return disk.holds_one(); }));
    site.outbox->remove(taken.lease);
    disk.hold_syncs(false);
    ASSERT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));
    site.close();

    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->status().books.accepted, 901u);
    EXPECT_EQ(site.outbox->status().books.pending, 1u);
    EXPECT_TRUE(site.balanced());
}

// What was to be written again is, though the commit that was to do so has failed in its turn.
TEST_F(BooksTest, BalanceThoughAnErrorFollowsAnError) {
    ASSERT_TRUE(site.open());
    site.append(1, 10);
    site.flush();
    const Site::Taken taken = site.take();
    ASSERT_EQ(taken.records.size(), 10u);
    disk.fail(Fault::write_error);
    site.append(11, 11);
    ASSERT_TRUE(site.until([&] { return !site.outbox->status().disk_ok; }));
    disk.fail(Fault::full);  // can be opened and read, and takes nothing
    ASSERT_TRUE(site.until([&] { return site.outbox->status().buffered == 11; }));
    site.until([] { return false; }, 300ms);  // its next try fails, too
    site.outbox->remove(taken.lease);
    disk.fail(Fault::none);
    ASSERT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));
    site.close();

    ASSERT_TRUE(site.open());
    const Books books = site.outbox->status().books;
    EXPECT_EQ(books.accepted, 11u);
    EXPECT_EQ(books.acknowledged, 10u);
    EXPECT_EQ(books.pending, 1u);
    EXPECT_EQ(site.take().numbers(), std::vector<std::int64_t>{11});
}

/// Makes a closed store one of version 1, of before or after `accepted` was counted for itself.
void make_version_1(const std::string& folder, bool accepted) {
    Database database;
    ASSERT_TRUE(database.open(folder + "/outbox.db", 10'000));
    std::vector<std::string> names{"acknowledged", "evicted", "quarantined", "next_alarm",
                                   "next_data",    "pending", "stamps_crc"};
    if (accepted) names.emplace_back("accepted");
    std::vector<std::int64_t> values;
    for (const std::string& name : names)
        values.push_back(*database.number("SELECT v FROM meta WHERE k='" + name + "'"));
    const std::string_view bytes(reinterpret_cast<const char*>(values.data()),
                                 values.size() * sizeof(std::int64_t));
    names.insert(names.end(), {"crc", "proven_ms", "proven_crc"});
    values.push_back(name_checksum(bytes, "meta"));
    values.push_back(1'700'000'000'000);
    values.push_back(name_checksum("1700000000000", "proven_ms"));
    std::string sql =
        "DROP TABLE meta; PRAGMA user_version=1;"
        "CREATE TABLE meta(k TEXT PRIMARY KEY, v INTEGER NOT NULL) WITHOUT ROWID;";
    for (std::size_t i = 0; i < names.size(); ++i)
        sql += "INSERT INTO meta VALUES('" + names[i] + "', " + std::to_string(values[i]) + ");";
    ASSERT_TRUE(database.execute(sql.c_str()));
}

void scribble_over_the_middle(const std::string& file) {
    std::fstream page(file, std::ios::in | std::ios::out | std::ios::binary);
    page.seekp(static_cast<std::streamoff>(fs::file_size(file) / 8192 * 4096));
    page << std::string(4096, '\xAA');
}

// Whatever the format of the figures, they are the same books; a store that has to be salvaged has
// its books, too.
TEST(BooksOf, AnOlderOrNewerStoreAreTakenOver) {
    for (const bool damaged : {false, true}) {
        for (const char* version : {"1 without accepted", "1", "2", "newer"}) {
            SCOPED_TRACE(std::string(version) + (damaged ? ", damaged" : ""));
            TempFolder folder(in_memory());
            Site site(folder.path());
            ASSERT_TRUE(site.open());
            for (int first = 1; first < 2000; first += 200) {
                site.append(first, first + 199);
                site.flush();
            }
            site.outbox->remove(site.take(5).lease);
            site.close();
            if (*version == '1') make_version_1(folder.path(), version == std::string("1"));
            if (*version == 'n') {
                Database database;
                ASSERT_TRUE(database.open(folder.path() + "/outbox.db", 10'000));
                ASSERT_TRUE(save_figure(database, "of a later program", 7));
                ASSERT_TRUE(database.execute("PRAGMA user_version=99"));
            }
            if (damaged) scribble_over_the_middle(folder.path() + "/outbox.db");

            ASSERT_TRUE(site.open());
            ASSERT_TRUE(site.until([&] { return site.outbox->status().disk_ok; }));
            const bool salvaged = damaged || *version == 'n';
            EXPECT_EQ(fs::exists(folder.path() + "/outbox.bad-1"), salvaged);
            const Books books = site.outbox->status().books;
            EXPECT_EQ(books.accepted, 2000u);
            EXPECT_EQ(books.acknowledged, 5u);
            EXPECT_EQ(books.quarantined > 0, damaged);
            EXPECT_TRUE(site.balanced());
            site.close();
            if (*version != '1' || damaged) continue;
            Database database;
            ASSERT_TRUE(database.open(folder.path() + "/outbox.db", 10'000));
            EXPECT_EQ(*load_proven_time(database), utc(1'700'000'000'000));
        }
    }
}

// A power cut or a full disk on the way leaves the old or the new version.
TEST(BooksOf, AnOlderStoreSurviveWhateverStopsTheirMigration) {
    FaultVfs disk;
    TempFolder original(in_memory());
    {
        Site site(original.path());
        ASSERT_TRUE(site.open());
        site.append(1, 20);
        site.flush();
    }
    make_version_1(original.path(), true);
    int deaths = 0;
    for (bool died = true; died; ++deaths) {
        TempFolder folder(in_memory());
        copy_store(original.path(), folder.path());
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            disk.fail_once(FaultVfs::Fault::death, deaths);
            Database database;
            const bool open = database.open(folder.path() + "/outbox.db", 10'000).has_value();
            ::_exit(open && migrate(database, Schema::outbox) ? 1 : 2);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_NE(WEXITSTATUS(status), 2);
        died = WEXITSTATUS(status) == 0;
        Site site(folder.path());
        ASSERT_TRUE(site.open());
        EXPECT_FALSE(fs::exists(folder.path() + "/outbox.bad-1"));
        EXPECT_EQ(site.outbox->status().books.accepted, 20u) << deaths;
    }
    EXPECT_GT(deaths, 2);
}

}  // namespace
}  // namespace fieldgate::storage
