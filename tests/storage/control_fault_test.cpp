// The control store on disks that are full, fail, or have been scribbled on.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/storage/control_site.h"
#include "tests/storage/fault_vfs.h"

namespace fieldgate::storage {
namespace {

using Fault = FaultVfs::Fault;
using State = Ledger::Entry::State;

class ControlFault : public testing::Test {
protected:
    bool heals() {
        return site.until([&] { return site.store->disk_ok(); });
    }

    FaultVfs disk;  // outlives the site
    TempFolder folder;
    ControlSite site{folder.path()};
};

TEST_F(ControlFault, RefusesWhatItCannotNoteAndTakesItOnceTheDiskWorks) {
    for (const Fault fault : {Fault::full, Fault::write_error, Fault::sync_error}) {
        const std::string id = "command/" + std::to_string(static_cast<int>(fault));
        disk.fail(fault);
        for (int copy = 0; copy < 3; ++copy) EXPECT_FALSE(site.begin(id));
        EXPECT_FALSE(site.store->disk_ok());
        EXPECT_EQ(site.store->ledger().under_way(), 0u);
        disk.fail(Fault::none);
        ASSERT_TRUE(heals());
        EXPECT_TRUE(site.execute(id)) << "nobody has acted on it";
        EXPECT_EQ(site.begin(id)->state, State::finished);
    }
}

TEST_F(ControlFault, RemembersAnOutcomeThatCouldNotBeWrittenAndWritesItLater) {
    for (const Fault fault : {Fault::full, Fault::write_error, Fault::sync_error}) {
        const std::string id = "command/" + std::to_string(static_cast<int>(fault));
        ASSERT_EQ(site.begin(id)->state, State::fresh);
        disk.fail(fault);
        EXPECT_FALSE(site.finish(id, "done"));
        EXPECT_EQ(site.begin(id)->state, State::finished);
        EXPECT_EQ(site.begin(id)->answer, "done");
        disk.fail(Fault::none);
        ASSERT_TRUE(site.until([&] { return site.store->ledger().under_way() == 0; }));
        site.restart();
        EXPECT_EQ(site.begin(id)->state, State::finished);
        EXPECT_EQ(site.begin(id)->answer, "done");
    }
}

TEST_F(ControlFault, StartsOnADiskThatFailsAndHealsByItself) {
    ASSERT_TRUE(site.execute("command/1"));
    site.close();
    disk.fail(Fault::read_error);
    site.open();
    EXPECT_FALSE(site.store->disk_ok());
    EXPECT_FALSE(site.begin("command/1"));
    site.append("command");
    disk.fail(Fault::none);
    ASSERT_TRUE(heals());
    EXPECT_EQ(site.begin("command/1")->state, State::finished);
    EXPECT_TRUE(site.written(1));
}

TEST_F(ControlFault, IsBusyAtOnceUntilItIsOpen) {
    ASSERT_TRUE(site.execute("command/1"));
    site.close();
    edit(folder.path(), "PRAGMA user_version = 99");

    site.store = std::make_unique<ControlStore>(site.loop.get_executor(), folder.path(), 5ms);
    EXPECT_EQ(site.begin("command/1").error().code, Errc::busy) << "not opened yet";
    disk.hold_syncs(true);
    bool opened = false;
    site.store->open();
    asio::co_spawn(site.loop, site.store->opened(),
                   [&](const std::exception_ptr&) { opened = true; });
    ASSERT_TRUE(site.until([&] { return disk.holds_one(); }));
    EXPECT_EQ(site.begin("command/1").error().code, Errc::busy) << "in the middle of a rescue";
    EXPECT_EQ(site.store->ledger().under_way(), 0u);
    EXPECT_FALSE(opened);
    disk.hold_syncs(false);
    ASSERT_TRUE(site.until([&] { return opened; }));
    EXPECT_EQ(site.begin("command/1")->state, State::finished);

    site.close();
    disk.fail(Fault::read_error);
    site.open();
    EXPECT_EQ(site.begin("command/1").error().code, Errc::busy) << "cannot be opened";
    disk.fail(Fault::none);
    ASSERT_TRUE(heals());
    EXPECT_EQ(site.begin("command/1")->state, State::finished);
}

TEST_F(ControlFault, ExecutesNothingTwiceThroughASingleErrorAtAnyOperation) {
    const int last = std::getenv("FIELDGATE_CAMPAIGN") != nullptr ? 200 : 20;
    int number = 0;
    for (const Fault fault :
         {Fault::write_error, Fault::sync_error, Fault::read_error, Fault::bad_sector}) {
        for (int after = 0; after < last; after += 1 + after / 8) {
            std::vector<std::string> executed;
            disk.fail_once(fault, after);
            for (int round = 0; round < 4; ++round) {
                const std::string id = "command/" + std::to_string(++number);
                site.append("command", id);
                const auto entry = site.begin(id);
                if (!entry) continue;
                ASSERT_EQ(entry->state, State::fresh);
                static_cast<void>(site.finish(id, "done"));
                executed.push_back(id);
            }
            ASSERT_TRUE(site.until([&] { return site.store->ledger().under_way() == 0; }));
            if (after % 2 == 0) site.restart();
            disk.fail_once(Fault::none, 0);
            ASSERT_TRUE(heals());
            for (const std::string& id : executed) {
                const auto entry = site.begin(id);
                ASSERT_TRUE(entry);
                ASSERT_EQ(entry->state, State::finished) << id << " after " << after;
            }
            ASSERT_FALSE(site.verify().broken());
        }
    }
    EXPECT_FALSE(fs::exists(folder.path() + "/control.bad-1"));
}

TEST(ControlDamaged, OfTheWholeFileIsSetAsideAndTheAuditSaysSo) {
    TempFolder original;
    fill_control(original.path());
    const auto bytes = fs::file_size(original.path() + "/control.db");
    for (const std::uintmax_t left : {std::uintmax_t{100}, bytes / 2}) {
        TempFolder folder;
        copy_store(original.path(), folder.path());
        std::ofstream(folder.path() + "/control.db-shm") << "of another life";
        fs::resize_file(folder.path() + "/control.db", left);
        ControlSite site(folder.path());
        ASSERT_TRUE(site.until([&] { return site.store->disk_ok(); }));
        EXPECT_TRUE(fs::exists(folder.path() + "/control.bad-1"));
        ASSERT_EQ(site.rows().size(), 1u);
        EXPECT_EQ(site.rows()[0].entry.detail, "the audit before this row is in control.bad-1");
        EXPECT_FALSE(site.verify().broken());
        EXPECT_EQ(site.store->roster().version(), 0);
        EXPECT_NE(site.begin("command/1")->state, State::fresh) << "it has been executed";
        const bool all_lost = left == 100;
        EXPECT_EQ(site.begin("the next")->state, all_lost ? State::doubtful : State::fresh);
        EXPECT_TRUE(site.finish("the next", "done"));
        site.restart();
        EXPECT_EQ(site.begin("the next")->state, State::finished);
    }
}

TEST(ControlDamaged, OfTheAuditsHeadOrTablesStopsNoCommand) {
    for (const char* damage :
         {"DELETE FROM audit_head", "UPDATE audit_head SET last = 50, hash = before",
          "DROP TABLE audit", "UPDATE audit_head SET last = 9223372036854775807, dropped = -1",
          "DROP TABLE audit_head"}) {
        TempFolder folder;
        {
            ControlSite site(folder.path());
            for (int row = 0; row < 100; ++row) site.append("command");
            ASSERT_TRUE(site.execute("command/1"));
        }
        edit(folder.path(), damage);
        ControlSite site(folder.path());
        site.append("command");
        ASSERT_TRUE(site.execute("command/2")) << damage;
        EXPECT_EQ(site.begin("command/1")->state, State::finished) << damage;
        const bool set_aside = fs::exists(folder.path() + "/control.bad-1");
        EXPECT_NE(set_aside, site.verify().broken().has_value()) << damage;
    }
}

TEST(ControlDamaged, AStoreOfANewerProgramIsSetAside) {
    TempFolder folder;
    fill_control(folder.path());
    edit(folder.path(), "PRAGMA user_version = 99");
    ControlSite site(folder.path());
    EXPECT_TRUE(fs::exists(folder.path() + "/control.bad-1"));
    EXPECT_EQ(site.begin("command/1")->state, State::finished) << "rescued";
    EXPECT_EQ(site.store->roster().all().size(), 50u);
    EXPECT_EQ(site.store->roster().version(), 0);
}

}  // namespace
}  // namespace fieldgate::storage
