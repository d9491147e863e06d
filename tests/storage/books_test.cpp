// accepted = acknowledged + pending + evicted + quarantined, whatever happens.
#include <gtest/gtest.h>

#include <array>

#include "storage/database.h"
#include "storage/row.h"
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

// A store of before `accepted` was counted for itself.
TEST_F(BooksTest, AreTakenOverFromAnOlderStore) {
    ASSERT_TRUE(site.open());
    site.append(1, 20);
    site.flush();
    site.outbox->remove(site.take(5).lease);
    site.close();
    {
        Database database;
        ASSERT_TRUE(database.open(folder.path() + "/outbox.db", 10'000));
        std::array<std::int64_t, 7> values{};
        for (std::size_t key = 0; key < values.size(); ++key) {
            constexpr std::array names{"acknowledged", "evicted", "quarantined", "next_alarm",
                                       "next_data",    "pending", "stamps_crc"};
            values[key] =
                *database.number(std::string("SELECT v FROM meta WHERE k='") + names[key] + "'");
        }
        const std::string_view bytes(reinterpret_cast<const char*>(values.data()), sizeof values);
        const std::string sql = "DELETE FROM meta WHERE k='accepted'; UPDATE meta SET v=" +
                                std::to_string(name_checksum(bytes, "meta")) + " WHERE k='crc'";
        ASSERT_TRUE(database.execute(sql.c_str()));
    }

    ASSERT_TRUE(site.open());
    EXPECT_FALSE(fs::exists(folder.path() + "/outbox.bad-1"));
    EXPECT_EQ(site.outbox->status().books.accepted, 20u);
    EXPECT_TRUE(site.balanced());
}

}  // namespace
}  // namespace fieldgate::storage
