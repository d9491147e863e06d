// Stores of very many rows, most of which have to go.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>

#include "storage/meta.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

constexpr std::int64_t slice = 20'000;  // rows that leave with one commit, at most

constexpr const char* body = "{\"n\":1}";

struct Template {
    std::uint32_t names = 0;
    std::int64_t at_ms = 0;
    bool proven = false;
};

void checksum(sqlite3_context* context, int, sqlite3_value** arguments) {
    const auto& row = *static_cast<const Template*>(sqlite3_user_data(context));
    const auto seq = static_cast<Seq>(sqlite3_value_int64(arguments[0]));
    const std::chrono::milliseconds since_boot{sqlite3_value_int64(arguments[0])};
    sqlite3_result_int64(
        context, row_checksum(row.names, "boot-1", Table::data, seq, utc(row.at_ms) + since_boot,
                              since_boot, row.proven, body));
}

/// Copies the one row of a store, so that it has rows 1 to `rows`; appending them takes minutes.
void multiply(const std::string& file, std::int64_t rows, Template row) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_create_function(database, "checksum", 1, SQLITE_UTF8, &row, checksum, nullptr,
                                      nullptr),
              SQLITE_OK);
    const std::string sql =
        "PRAGMA synchronous=OFF; BEGIN;"
        "CREATE TEMP TABLE one AS SELECT * FROM q_data; DELETE FROM q_data;"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(rows) +
        ") INSERT INTO q_data(seq, series, at_ms, boot, mono_ms, proven, crc, body)"
        " SELECT i, series, " +
        std::to_string(row.at_ms) + " + i, boot, i, " + std::to_string(int{row.proven}) +
        ", checksum(i), body FROM n, one; COMMIT;";
    char* why = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &why), SQLITE_OK) << why;
    sqlite3_close(database);
    Database store;
    ASSERT_TRUE(store.open(file, 1'000'000));
    Result<Meta> meta = Meta::load(store);
    ASSERT_TRUE(meta);
    meta->counters.accepted = meta->pending = static_cast<std::uint64_t>(rows);
    meta->next[index(Table::data)] = static_cast<Seq>(rows) + 1;
    Result<Statement> set = store.prepare(Meta::save_sql);
    ASSERT_TRUE(set);
    ASSERT_TRUE(meta->save(*set));
}

class LargeStoreTest : public testing::Test {
protected:
    void SetUp() override {
        site.settings.commit = 10ms;
        site.settings.max_size_bytes = 1UL << 30;
        site.settings.keep_free_bytes = 0;
    }
    void fill(std::int64_t rows, Template row) {
        ASSERT_TRUE(site.open());
        Record made = record(1);
        made.properties = body;
        made.at = utc(row.at_ms + 1);
        made.proven = row.proven;
        site.append(std::move(made));
        site.flush();
        site.close();
        row.names = name_checksum("meter-0", "Electrical");
        multiply(folder.path() + "/outbox.db", rows, row);
    }
    std::int64_t wal_bytes() const {
        return static_cast<std::int64_t>(fs::file_size(folder.path() + "/outbox.db-wal"));
    }
    /// Turns until `so`, and sees how `gone` rises meanwhile: by a slice at most, the books
    /// balanced.
    bool in_slices(const std::function<std::uint64_t()>& gone, const std::function<bool()>& so) {
        std::uint64_t before = gone();
        return site.until([&] {
            EXPECT_LE(gone() - before, static_cast<std::uint64_t>(slice));
            before = gone();
            EXPECT_TRUE(site.balanced());
            wal_bytes_max = std::max(wal_bytes_max, wal_bytes());
            return so() || testing::Test::HasFailure();
        });
    }

    FaultVfs disk;  // outlives the site
    TempFolder folder;
    Site site{folder.path()};
    std::int64_t wal_bytes_max = 0;
};

// However it ended: the whole file is read once, for its rows.
TEST_F(LargeStoreTest, IsReadOnceAlsoWhereItMayBeDamaged) {
    constexpr std::int64_t rows = 500'000;
    fill(rows, {0, 1'700'000'000'000, true});
    const auto bytes = static_cast<std::int64_t>(fs::file_size(folder.path() + "/outbox.db"));
    ASSERT_GT(bytes, 16L << 20) << "below it is checked page by page";
    const auto read_by = [&](const std::function<void()>& act) {
        const std::int64_t before = disk.bytes_read();
        act();
        return static_cast<double>(disk.bytes_read() - before) / static_cast<double>(bytes);
    };
    const auto reopened = [&] {
        site.append(record(1));
        ASSERT_TRUE(site.until([&] { return disk.struck(); }));
        ASSERT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));
        ASSERT_TRUE(site.outbox->status().disk_ok);
    };
    EXPECT_NEAR(read_by([&] { ASSERT_TRUE(site.open()); }), 1.0, 0.2) << "closed in order";
    disk.fail_once(FaultVfs::Fault::sync_error, 0);
    EXPECT_NEAR(read_by(reopened), 1.0, 0.2) << "a disk that failed to write";
    disk.fail_once(FaultVfs::Fault::bad_sector, 0);
    const auto read_bad = [&] {
        site.outbox->mark_backlog();
        static_cast<void>(site.take());
        ASSERT_TRUE(site.until([&] { return disk.struck(); }));
        reopened();
    };
    EXPECT_NEAR(read_by(read_bad), 1.0, 0.2) << "what looked like damage";
    EXPECT_EQ(site.outbox->status().books.pending, static_cast<std::uint64_t>(rows) + 2);
    EXPECT_FALSE(fs::exists(folder.path() + "/outbox.bad-1"));

    TempFolder other;
    copy_store(folder.path(), other.path());
    Site crashed(other.path());
    crashed.settings = site.settings;
    crashed.settings.path = other.path();
    EXPECT_NEAR(read_by([&] { ASSERT_TRUE(crashed.open()); }), 1.0, 0.2) << "not closed";
}

TEST_F(LargeStoreTest, IsLeftSoonByAStopThatComesWhileItIsRead) {
    fill(500'000, {0, 1'700'000'000'000, true});
    disk.slow_reads(2ms);  // fifteen seconds for all of it
    ASSERT_TRUE(site.begin_to_open());
    site.append(record(1));
    ASSERT_FALSE(site.until([&] { return site.outbox->status().open; }, 200ms));
    const auto begin = std::chrono::steady_clock::now();
    site.run(site.outbox->close());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 2500ms);
    EXPECT_EQ(site.outbox->status().buffered, 1U) << "and is known not to be stored";
    site.outbox.reset();
    disk.slow_reads(0ms);
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->status().books.pending, 500'000U);
}

// Of a million rows six of seven go, in as many commits as that takes.
TEST_F(LargeStoreTest, GetsBelowALoweredCapInSlices) {
    constexpr std::int64_t rows = 1'000'000;
    fill(rows, {0, 1'700'000'000'000, true});
    const auto bytes = fs::file_size(folder.path() + "/outbox.db");
    site.settings.max_size_bytes = bytes / 8;
    ASSERT_TRUE(site.open());
    const auto evicted = [&] { return site.outbox->status().books.evicted; };
    site.append(rows + 1, rows + 1);
    ASSERT_TRUE(in_slices(evicted, [&] { return site.outbox->status().buffered == 0; }));
    EXPECT_LE(evicted(), 3 * slice) << "what comes meanwhile does not wait for all of them";

    const auto far_enough = [&] { return evicted() > rows * 6 / 7; };
    ASSERT_TRUE(in_slices(evicted, far_enough));
    site.until([] { return false; }, 100ms);
    site.append(rows + 2, rows + 2);
    site.flush();

    EXPECT_LT(evicted(), rows * 9 / 10) << "and the cap is used";
    EXPECT_LT(wal_bytes_max, 8L << 20);
    const Site::Taken live = site.take(100);
    EXPECT_EQ(live.numbers(), (std::vector<std::int64_t>{rows + 1, rows + 2}));
    const Site::Taken taken = site.take(100);
    ASSERT_EQ(taken.records.size(), 100u);
    const auto next = static_cast<std::int64_t>(evicted()) + 1;
    EXPECT_EQ(taken.records[0].since_boot, std::chrono::milliseconds(next))
        << "the oldest are gone";
}

TEST_F(LargeStoreTest, QuarantinesInSlicesWhatABootWithoutAClockHasLeft) {
    constexpr std::int64_t rows = 110'000;
    fill(rows, {0, 0, false});
    site.boot_id = "boot-2";
    ASSERT_TRUE(site.open());
    const auto quarantined = [&] { return site.outbox->status().books.quarantined; };
    EXPECT_EQ(quarantined() + site.outbox->status().books.pending,
              static_cast<std::uint64_t>(rows));
    site.append(rows + 1, rows + 1);
    ASSERT_TRUE(in_slices(quarantined, [&] { return quarantined() > 2 * slice; }));
    EXPECT_EQ(site.outbox->status().buffered, 0u);

    // As a power cut finds it half-way.
    disk.hold_syncs(true);
    ASSERT_TRUE(site.until([&] { return disk.holds_one(); }));
    TempFolder crashed;
    copy_store(folder.path(), crashed.path());
    disk.hold_syncs(false);
    Site after(crashed.path());
    after.boot_id = "boot-3";
    ASSERT_TRUE(after.open());
    EXPECT_FALSE(fs::exists(crashed.path() + "/outbox.bad-1"));
    EXPECT_TRUE(after.balanced());
    EXPECT_EQ(after.outbox->status().books.accepted, static_cast<std::uint64_t>(rows) + 1);

    const auto all = [&] { return quarantined() == static_cast<std::uint64_t>(rows); };
    EXPECT_TRUE(in_slices(quarantined, all));
    EXPECT_LT(wal_bytes_max, 8L << 20);
    EXPECT_EQ(site.take().numbers(), std::vector<std::int64_t>{rows + 1});
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_TRUE(all());
    EXPECT_EQ(site.outbox->status().books.pending, 1u);
}

TEST_F(LargeStoreTest, GoesOnAfterAnErrorWithWhatIsLeftToQuarantine) {
    constexpr std::int64_t rows = 110'000;
    fill(rows, {0, 0, false});
    site.boot_id = "boot-2";
    ASSERT_TRUE(site.open());
    const auto quarantined = [&] { return site.outbox->status().books.quarantined; };
    for (const FaultVfs::Fault fault : {FaultVfs::Fault::full, FaultVfs::Fault::write_error}) {
        disk.fail(fault);
        ASSERT_TRUE(site.until([&] { return !site.outbox->status().disk_ok; }));
        const std::uint64_t before = quarantined();
        site.until([] { return false; }, 300ms);
        EXPECT_LE(quarantined() - before, static_cast<std::uint64_t>(slice))
            << "no more than waits";
        disk.fail(FaultVfs::Fault::none);
        ASSERT_TRUE(in_slices(quarantined, [&] { return site.outbox->status().disk_ok; }));
    }
    const auto all = [&] { return quarantined() == static_cast<std::uint64_t>(rows); };
    EXPECT_TRUE(in_slices(quarantined, all));
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_TRUE(all());
    EXPECT_EQ(site.outbox->status().books.pending, 0u);
    EXPECT_TRUE(site.balanced());
}

// On a disk that is full all can be read, sent and acknowledged, and nothing can leave.
TEST_F(LargeStoreTest, RemovesInSlicesWhatWasAcknowledgedWhileNothingCouldBeWritten) {
    constexpr std::int64_t rows = 210'000;
    fill(rows, {0, 1'700'000'000'000, true});
    ASSERT_TRUE(site.open());
    disk.fail(FaultVfs::Fault::full);
    site.append(rows + 1, rows + 1);
    ASSERT_TRUE(site.until([&] { return !site.outbox->status().disk_ok; }));
    while (site.outbox->status().books.pending > 1) site.outbox->remove(site.take(10'000).lease);
    const int syncs = disk.syncs();
    TempFolder crashed;
    disk.hold_syncs(true);
    disk.fail(FaultVfs::Fault::none);
    EXPECT_TRUE(site.until([&] { return disk.holds_one(); }));
    copy_store(folder.path(), crashed.path());
    disk.hold_syncs(false);
    {
        Site after(crashed.path());
        ASSERT_TRUE(after.open());
        EXPECT_FALSE(fs::exists(crashed.path() + "/outbox.bad-1"));
        EXPECT_TRUE(after.balanced());
        EXPECT_GE(after.outbox->status().books.pending, rows - 2 * slice);
    }
    site.close();
    EXPECT_GE(disk.syncs() - syncs, rows / slice);

    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->status().books.accepted, rows + 1);
    EXPECT_EQ(site.outbox->status().books.acknowledged, rows);
    EXPECT_EQ(site.outbox->status().books.pending, 1u);
}

}  // namespace
}  // namespace fieldgate::storage
