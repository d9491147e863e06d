#include "storage/database.h"

#include <gtest/gtest.h>

#include <fstream>

#include "storage/schema.h"
#include "tests/storage/control_site.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

TEST(Database, TakesAMistakeInOurSqlForNoDamageToTheFile) {
    TempFolder folder;
    Database database;
    ASSERT_TRUE(database.open(folder.path() + "/some.db", 1000));
    ASSERT_TRUE(database.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT NOT NULL UNIQUE)"));
    ASSERT_TRUE(database.execute("INSERT INTO t VALUES(1, 'x')"));
    for (const char* mistake :
         {"SELEC 1", "SELECT * FROM no_such_table", "SELECT no_such_column FROM t",
          "INSERT INTO t VALUES(1, 'y')", "INSERT INTO t VALUES(2, 'x')",
          "INSERT INTO t VALUES(2, NULL)", "INSERT INTO t VALUES('no number', 'y')"}) {
        const Result<void> done = database.execute(mistake);
        ASSERT_FALSE(done) << mistake;
        EXPECT_EQ(done.error().code, Errc::io) << mistake;
    }
}

/// `bytes` in the first page of a file: what SQLite takes as it stands there.
void overwrite(const std::string& file, std::streamoff at, const std::string& bytes) {
    std::fstream page(file, std::ios::in | std::ios::out | std::ios::binary);
    page.seekp(at);
    page << bytes;
}

struct Header {
    const char* what;
    std::streamoff at;
    std::string bytes;
};

const std::vector<Header> damages{
    {"magic", 0, "sqlite"},
    {"page size", 16, std::string("\x20\x00", 2)},
    {"write version", 18, "\x03"},
    {"read version", 19, "\x03"},
    {"reserved bytes", 20, "\x40"},
    {"payload fraction", 21, "\x41"},
    {"schema format", 44, std::string("\x00\x00\x00\x05", 4)},
    {"largest root page", 52, std::string("\x00\x00\x00\x04", 4)},
    {"encoding", 56, std::string("\x00\x00\x00\x02", 4)},
    {"version 0", 60, std::string("\x00\x00\x00\x00", 4)},
    {"version below 0", 60, std::string("\xFF\xFF\xFF\xFF", 4)},
};

TEST(Database, IsNoReasonNotToStartWhateverItsHeaderSays) {
    TempFolder records(in_memory());
    {
        Site site(records.path());
        ASSERT_TRUE(site.open());
        site.append(1, 100);
        site.flush();
    }
    TempFolder commands(in_memory());
    fill_control(commands.path());
    for (const Header& damage : damages) {
        SCOPED_TRACE(damage.what);
        TempFolder folder(in_memory());
        copy_store(records.path(), folder.path());
        copy_store(commands.path(), folder.path());
        overwrite(folder.path() + "/outbox.db", damage.at, damage.bytes);
        overwrite(folder.path() + "/control.db", damage.at, damage.bytes);
        Site site(folder.path());
        ASSERT_TRUE(site.open());
        EXPECT_TRUE(site.until([&] { return site.outbox->status().disk_ok; }, 3s));
        ControlSite control(folder.path());
        EXPECT_TRUE(control.until([&] { return control.store->disk_ok(); }, 3s));
        EXPECT_TRUE(fs::exists(folder.path() + "/control.bad-1"));
        EXPECT_TRUE(control.execute("the next"));
    }
}

TEST(Schema, FindsTablesThatAreNotThoseItsVersionHas) {
    for (const char* damage : {"DROP TABLE stamps", "ALTER TABLE boots ADD COLUMN more INTEGER",
                               "CREATE TABLE more(a)", "CREATE INDEX more ON q_data(at_ms)",
                               "ALTER TABLE series RENAME COLUMN device TO unit"}) {
        TempFolder folder;
        Database database;
        ASSERT_TRUE(database.open(folder.path() + "/outbox.db", 1000));
        ASSERT_TRUE(migrate(database, Schema::outbox));
        ASSERT_TRUE(migrate(database, Schema::outbox));
        ASSERT_TRUE(database.execute(damage));
        const Result<void> checked = migrate(database, Schema::outbox);
        ASSERT_FALSE(checked) << damage;
        EXPECT_EQ(checked.error().code, Errc::bad_data);
    }
}

}  // namespace
}  // namespace fieldgate::storage
