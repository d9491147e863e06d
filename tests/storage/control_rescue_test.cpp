// A damaged control store whose rescue is interrupted, wherever that is, forgets no command.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "storage/audit_chain.h"
#include "storage/control_disk.h"
#include "storage/ledger_table.h"
#include "tests/storage/control_site.h"
#include "tests/storage/fault_vfs.h"

namespace fieldgate::storage {
namespace {

using Fault = FaultVfs::Fault;
using State = LedgerEntry::State;

class ControlRescue : public testing::Test {
protected:
    void SetUp() override { fill_control(original.path()); }
    std::unique_ptr<TempFolder> copy() {
        auto folder = std::make_unique<TempFolder>(in_memory());
        copy_store(original.path(), folder->path());
        return folder;
    }
    /// Without the pauses of the store.
    static bool opens(ControlDisk& control) {
        for (int tries = 0; tries < 10; ++tries)
            if (control.open()) return true;
        return false;
    }
    static Result<void> expect_content(Database& database) {
        int forgotten = 0;
        for (int number = 1; number <= 100; ++number) {
            const std::string id = "command/" + std::to_string(number);
            const auto entry = LedgerTable(database, 2).begin(id, "d", 0ms);
            if (!entry) return entry.error();
            if (entry->state != State::finished || entry->answer != "answer of " + id) ++forgotten;
        }
        EXPECT_EQ(forgotten, 0) << "of 100 that would be executed again";
        const auto audit = read_audit(database, 0, 1);
        if (!audit) return audit.error();
        EXPECT_EQ(audit->rows.at(0).entry.what, "damaged");
        EXPECT_EQ(audit->rows.at(0).entry.detail, "the audit before this row is in control.bad-1");
        return {};
    }
    void expect_nothing_forgotten(const std::string& folder) {
        ControlDisk control(folder, 2);
        const auto stock = control.open();
        ASSERT_TRUE(stock);
        EXPECT_EQ(stock->roster.devices.size(), 50u);
        EXPECT_TRUE(control.read(expect_content));
        control.close();
        EXPECT_EQ(fs::file_size(folder + "/control.bad-1"),
                  fs::file_size(original.path() + "/control.db"));
        EXPECT_FALSE(fs::exists(folder + "/control.new"));
        EXPECT_FALSE(fs::exists(folder + "/control.salvaged"));
    }

    FaultVfs disk;  // outlives the store
    TempFolder original{in_memory()};
};

TEST_F(ControlRescue, SurvivesADeathAtAnyWriteOrRename) {
    edit(original.path(), "PRAGMA user_version = 99");
    int deaths = 0;
    for (bool died = true; died; ++deaths) {
        SCOPED_TRACE(deaths);
        const auto folder = copy();
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            disk.fail_once(Fault::death, deaths);
            ControlDisk control(folder->path(), 1);
            ::_exit(control.open() ? 1 : 2);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFEXITED(status));
        ASSERT_NE(WEXITSTATUS(status), 2);
        died = WEXITSTATUS(status) == 0;
        expect_nothing_forgotten(folder->path());
    }
    EXPECT_GT(deaths, 30);
}

TEST_F(ControlRescue, SurvivesAnErrorAtAnyOperation) {
    edit(original.path(), "DROP TABLE audit");
    for (const Fault fault : {Fault::full, Fault::write_error, Fault::sync_error, Fault::read_error,
                              Fault::bad_sector, Fault::rename_error}) {
        int errors = 0;
        for (bool struck = true; struck; ++errors) {
            SCOPED_TRACE(std::to_string(static_cast<int>(fault)) + " at " + std::to_string(errors));
            const auto folder = copy();
            disk.fail_once(fault, errors);
            {
                ControlDisk control(folder->path(), 1);
                EXPECT_TRUE(opens(control));
                struck = disk.struck();
                disk.fail_once(Fault::none, 0);
                control.close();
            }
            expect_nothing_forgotten(folder->path());
        }
        EXPECT_GT(errors, 3) << "operations of that kind";
    }
}

// A file that cannot be read for a while is no file that holds nothing.
TEST_F(ControlRescue, WaitsForADiskThatCannotBeRead) {
    edit(original.path(), "PRAGMA user_version = 99");
    ControlDisk control(original.path(), 1);
    disk.fail(Fault::read_error);
    for (int tries = 0; tries < 10; ++tries) EXPECT_FALSE(control.open());
    disk.fail(Fault::bad_sector);
    for (int tries = 0; tries < 10; ++tries) EXPECT_FALSE(control.open());
    EXPECT_FALSE(fs::exists(original.path() + "/control.bad-1"));
    disk.fail(Fault::none);
    ASSERT_TRUE(control.open());
    EXPECT_TRUE(control.read(expect_content));
    control.close();
}

}  // namespace
}  // namespace fieldgate::storage
