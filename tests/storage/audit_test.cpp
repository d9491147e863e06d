#include <gtest/gtest.h>
#include <sys/wait.h>

#include "base/digest.h"
#include "storage/audit_file.h"
#include "tests/storage/control_site.h"
#include "tests/storage/fault_vfs.h"

namespace fieldgate::storage {
namespace {

class AuditTest : public testing::Test {
protected:
    void append(int count) {
        for (int row = 0; row < count; ++row) site.append("command", std::to_string(row));
        ASSERT_TRUE(site.until([&] { return !rows_wait(); }));
    }
    bool rows_wait() {
        const std::vector<AuditRow> rows = site.rows();
        return rows.empty() || rows.back().seq < static_cast<std::uint64_t>(site.appended);
    }
    /// The first broken row after `sql` was done to the file; 0: the chain is whole.
    std::uint64_t broken_after(const std::string& sql) {
        TempFolder other;
        copy_store(folder.path(), other.path());
        edit(other.path(), sql);
        ControlSite copy(other.path());
        return copy.verify().broken().value_or(0);
    }

    FaultVfs disk;
    TempFolder folder;
    ControlSite site{folder.path()};
};

TEST_F(AuditTest, KeepsRowsAsTheyWereGivenInOneChainOverRestarts) {
    append(3);
    site.restart();
    append(2);
    const std::vector<AuditRow> rows = site.rows();
    ASSERT_EQ(rows.size(), 5u);
    EXPECT_EQ(rows[3].seq, 4u);
    EXPECT_EQ(rows[3].who, "cloud");
    EXPECT_EQ(rows[3].entry.what, "command");
    EXPECT_EQ(rows[3].entry.target, "meter-1");
    EXPECT_EQ(rows[3].entry.result, "done");
    EXPECT_EQ(rows[3].entry.at.time_since_epoch().count(), 1'700'000'000'004);
    EXPECT_TRUE(rows[3].entry.proven);
    const ChainCheck check = site.verify();
    EXPECT_FALSE(check.broken());
    EXPECT_EQ(check.rows(), 5u);
    EXPECT_EQ(check.dropped(), 0u);
}

TEST_F(AuditTest, MakesEachHashFromTheOneBeforeAndAllFields) {
    append(2);
    const std::vector<AuditRow> rows = site.rows();
    const auto field = [](const std::string& text) {
        return std::to_string(text.size()) + ":" + text;
    };
    std::string text = field(rows[0].hash) + field("2") + field("1700000000002") + field("1");
    for (const char* each : {"cloud", "command", "meter-1", "1", "done"}) text += field(each);
    EXPECT_EQ(rows[1].hash, sha256_hex(text));
}

TEST_F(AuditTest, CutsWhatIsTooLongAtACharacter) {
    std::string detail(1020, 'x');
    detail += "\u00e9\u00e9\u00e9";  // two bytes each; the cut would fall into the first
    site.append("command", detail);
    site.append("command", std::string(1024, 'y'));
    ASSERT_TRUE(site.written(2));
    EXPECT_EQ(site.rows()[0].entry.detail, std::string(1020, 'x') + "...");
    EXPECT_EQ(site.rows()[1].entry.detail, std::string(1024, 'y'));
    EXPECT_FALSE(site.verify().broken());
}

TEST_F(AuditTest, IsOnDiskWithTheCommitOfTheLedger) {
    site.close();
    site.store = std::make_unique<ControlStore>(site.loop.get_executor(), folder.path(), 1h);
    site.store->open();
    site.run(site.store->opened());
    site.append("command");
    ASSERT_EQ(site.begin("command/1")->state, ControlSite::State::fresh);
    TempFolder other;
    copy_store(folder.path(), other.path());
    ControlSite copy(other.path());
    EXPECT_EQ(copy.rows().size(), 1u);
}

TEST_F(AuditTest, DropsTheOldestBeyondTenThousandAndCanStillBeVerified) {
    for (int round = 0; round < 13; ++round) append(800);
    site.restart();
    const std::vector<AuditRow> rows = site.rows();
    EXPECT_EQ(rows.size(), 10'000u);
    EXPECT_EQ(rows.front().seq, 401u);
    const ChainCheck check = site.verify();
    EXPECT_FALSE(check.broken());
    EXPECT_EQ(check.rows(), 10'000u);
    EXPECT_EQ(check.dropped(), 400u);
    EXPECT_EQ(broken_after("DELETE FROM audit WHERE seq = 401"), 401u);
    EXPECT_EQ(broken_after("UPDATE audit_head SET before = hash"), 401u);
    EXPECT_EQ(broken_after("UPDATE audit_head SET dropped = 401"), 401u);
    EXPECT_EQ(broken_after("DELETE FROM audit WHERE seq = 9000"), 9000u);
}

TEST_F(AuditTest, FindsRowsThatWereTakenOutPutInOrMoved) {
    append(9);
    site.close();
    EXPECT_EQ(broken_after("SELECT 1"), 0u);
    EXPECT_EQ(broken_after("DELETE FROM audit WHERE seq = 1"), 1u);
    EXPECT_EQ(broken_after("DELETE FROM audit WHERE seq = 5"), 5u);
    EXPECT_EQ(broken_after("DELETE FROM audit WHERE seq = 9"), 9u);
    EXPECT_EQ(broken_after("DELETE FROM audit"), 1u);
    EXPECT_EQ(broken_after("UPDATE audit SET seq = 100 WHERE seq = 4;"
                           "UPDATE audit SET seq = 4 WHERE seq = 5;"
                           "UPDATE audit SET seq = 5 WHERE seq = 100"),
              4u);
    EXPECT_EQ(broken_after("DELETE FROM audit WHERE seq = 4;"
                           "UPDATE audit SET seq = seq - 1 WHERE seq > 4;"
                           "UPDATE audit_head SET last = 8"),
              4u);
    const std::string columns = "at_ms, proven, who, what, target, detail, result, hash";
    for (const char* seq : {"0", "10"})
        EXPECT_EQ(broken_after("INSERT INTO audit(seq, " + columns + ") SELECT " + seq + ", " +
                               columns + " FROM audit WHERE seq = 9"),
                  std::stoull(seq));
    EXPECT_EQ(broken_after("UPDATE audit_head SET hash = before"), 9u);
    EXPECT_EQ(broken_after("UPDATE audit_head SET last = 8"), 9u);
}

TEST_F(AuditTest, FindsAChangeOfAnyByteOfARow) {
    append(9);
    const AuditRow row = site.rows()[4];
    site.close();
    for (const char* column : {"at_ms = at_ms + 1", "proven = 0"})
        EXPECT_EQ(broken_after(std::string("UPDATE audit SET ") + column + " WHERE seq = 5"), 5u);
    const std::vector<std::pair<std::string, std::string>> texts{{"who", row.who},
                                                                 {"what", row.entry.what},
                                                                 {"target", row.entry.target},
                                                                 {"detail", row.entry.detail},
                                                                 {"result", row.entry.result},
                                                                 {"hash", row.hash}};
    for (const auto& [column, text] : texts) {
        for (std::size_t at = 0; at < text.size(); ++at) {
            std::string changed = text;
            changed[at] = changed[at] == 'a' ? 'b' : 'a';
            const std::string sql = "UPDATE audit SET " + column + " = '" + changed + "'";
            ASSERT_EQ(broken_after(sql + " WHERE seq = 5"), 5u) << sql;
        }
    }
    EXPECT_EQ(broken_after("UPDATE audit SET what = what || target, target = '' WHERE seq = 5"), 5u)
        << "the fields' borders count";
}

TEST_F(AuditTest, CountsWhatItDropsWhileTheDiskFails) {
    append(1);
    disk.fail(FaultVfs::Fault::full);
    for (int row = 0; row < 1200; ++row) site.append("command");
    ASSERT_TRUE(site.until([&] { return !site.store->disk_ok(); }));
    EXPECT_EQ(site.store->audit().dropped(), 200u);
    disk.fail(FaultVfs::Fault::none);
    ASSERT_TRUE(site.written(1001));
    site.append("command");
    ASSERT_TRUE(site.written(1003));
    const AuditRow gap = site.rows()[1001];
    EXPECT_EQ(gap.who, "local");
    EXPECT_EQ(gap.entry.what, "dropped");
    EXPECT_EQ(gap.entry.detail, "200 rows");
    EXPECT_FALSE(site.verify().broken());
}

// Reads the whole audit over and over, as `fieldgate audit` does; ends at the row "stop".
int read_until_stop(const std::string& folder) {
    for (int rounds = 0; rounds < 100'000; ++rounds) {
        AuditFile file;
        if (!file.open(folder)) return 2;
        ChainCheck check;
        bool stop = false;
        for (bool more = true; more;) {
            const Result<AuditPage> page = file.read(check.next(), 100);
            if (!page) return 3;
            if (!page->rows.empty()) stop = page->rows.back().entry.what == "stop";
            more = check.take(*page);
        }
        if (check.broken()) return 4;
        if (stop) return rounds > 2 ? 0 : 5;
    }
    return 6;
}

TEST(AuditOfAnotherProcess, IsWholeWhileTheStoreIsWrittenAndPinsNothing) {
    TempFolder folder;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    // Before the store is open: SQLite's locks do not survive a fork.
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    char go = 'g';
    if (child == 0) {
        ::close(ends[1]);
        ::_exit(::read(ends[0], &go, 1) == 1 ? read_until_stop(folder.path()) : 1);
    }
    ControlSite site(folder.path());
    site.append("command");
    ASSERT_TRUE(site.written(1));
    ASSERT_EQ(::write(ends[1], &go, 1), 1);
    ::close(ends[0]);
    ::close(ends[1]);
    for (int number = 0; number < 1000; ++number) {
        site.append("command", std::string(1000, 'x'));
        ASSERT_TRUE(site.execute("command/" + std::to_string(number)));
    }
    site.append("stop");
    int status = 0;
    bool ended = false;
    ASSERT_TRUE(site.until([&] {
        ended = ended || ::waitpid(child, &status, WNOHANG) == child;
        return ended;
    }));
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    EXPECT_LE(fs::file_size(folder.path() + "/control.db-wal"), 8u << 20);  // journal_size_limit
}

TEST(AuditOfAnotherProcess, IsReadableAfterAKillAndAfterAnOrderlyEnd) {
    TempFolder folder;
    AuditFile missing;
    EXPECT_EQ(missing.open(folder.path()).error().code, Errc::closed);
    TempFolder killed;
    {
        ControlSite site(folder.path());
        site.append("command");
        ASSERT_TRUE(site.written(1));
        copy_store(folder.path(), killed.path());
    }
    for (const std::string& path : {folder.path(), killed.path()}) {
        AuditFile file;
        ASSERT_TRUE(file.open(path));
        const Result<AuditPage> page = file.read(0, 10);
        ASSERT_TRUE(page) << page.error().what;
        EXPECT_EQ(page->rows.size(), 1u);
    }
}

}  // namespace
}  // namespace fieldgate::storage
