#include <gtest/gtest.h>

#include "base/task_group.h"
#include "tests/storage/control_site.h"
#include "tests/storage/fault_vfs.h"

namespace fieldgate::storage {
namespace {

using Applied = Roster::Applied;

SubDevice meter(int number) {
    const std::string text = std::to_string(number);
    SubDevice device;
    device.device_id = "product_meter-" + text;
    device.node_id = "meter-" + text;
    device.product_id = "product";
    device.name = "meter " + text;
    device.extension_info = "{\"modbus_unit\":" + text + "}";
    device.parent_id = "gateway";
    return device;
}

std::vector<SubDevice> meters(int first, int last) {
    std::vector<SubDevice> all;
    for (int number = first; number <= last; ++number) all.push_back(meter(number));
    return all;
}

class RosterTest : public testing::Test {
protected:
    Roster& roster() { return site.store->roster(); }
    Result<Applied> add(std::int64_t version, std::vector<SubDevice> devices) {
        return site.run(roster().apply_add(version, std::move(devices)));
    }
    Result<Applied> remove(std::int64_t version, std::vector<std::string> ids) {
        return site.run(roster().apply_delete(version, std::move(ids)));
    }

    FaultVfs disk;
    TempFolder folder;
    ControlSite site{folder.path()};
};

TEST_F(RosterTest, KeepsFiveHundredAddedAtOnceOverARestart) {
    EXPECT_TRUE(roster().known());
    EXPECT_EQ(roster().version(), 0);
    const int before = disk.syncs();
    ASSERT_EQ(*add(12, meters(1, 500)), Applied::applied);
    EXPECT_LE(disk.syncs() - before, 4) << "one transaction";
    for (const bool restarted : {false, true}) {
        if (restarted) site.restart();
        EXPECT_EQ(roster().version(), 12);
        ASSERT_EQ(roster().all().size(), 500u);
        for (const SubDevice& device : roster().all())
            EXPECT_EQ(device, meter(std::stoi(device.node_id.substr(6))));
    }
}

TEST_F(RosterTest, IgnoresStaleVersionsAndAppliesTheSameOneAgain) {
    ASSERT_EQ(*add(12, meters(1, 3)), Applied::applied);
    EXPECT_EQ(*add(11, meters(4, 4)), Applied::stale);
    EXPECT_EQ(*remove(11, {"product_meter-1"}), Applied::stale);
    EXPECT_EQ(roster().all(), meters(1, 3));
    EXPECT_EQ(*remove(12, {"product_meter-2", "never there"}), Applied::applied);
    EXPECT_EQ(*remove(12, {"product_meter-2"}), Applied::applied);
    SubDevice unserved = meter(3);
    unserved.unserved = "no template has this product_id";
    EXPECT_EQ(*add(12, {unserved}), Applied::applied);
    const std::vector<SubDevice> expected{meter(1), unserved};
    EXPECT_EQ(roster().all(), expected);
    EXPECT_EQ(*remove(13, {}), Applied::applied);
    site.restart();
    EXPECT_EQ(roster().all(), expected);
    EXPECT_EQ(roster().version(), 13);
}

asio::awaitable<void> note(asio::awaitable<Result<Applied>> change, std::vector<Applied>& done) {
    const Result<Applied> applied = co_await std::move(change);
    if (applied) done.push_back(*applied);
}

TEST_F(RosterTest, AppliesWhatComesTogetherInTheOrderGiven) {
    std::vector<Applied> done;
    TaskGroup changes(site.loop.get_executor());
    changes.spawn("12", note(roster().apply_add(12, meters(1, 2)), done));
    changes.spawn("14", note(roster().apply_add(14, meters(3, 3)), done));
    changes.spawn("13", note(roster().apply_delete(13, {"product_meter-1"}), done));
    ASSERT_TRUE(site.until([&] { return done.size() == 3; }));
    const std::vector<Applied> expected{Applied::applied, Applied::applied, Applied::stale};
    EXPECT_EQ(done, expected);
    EXPECT_EQ(roster().all(), meters(1, 3));
    EXPECT_EQ(roster().version(), 14);
}

TEST_F(RosterTest, RefusesTooManyAndTooLong) {
    ASSERT_EQ(*add(12, meters(1, 5000)), Applied::applied);
    EXPECT_EQ(add(13, meters(5001, 5001)).error().code, Errc::out_of_range);
    SubDevice wordy = meter(1);
    wordy.extension_info = std::string(4000, ' ');
    EXPECT_EQ(add(13, {wordy}).error().code, Errc::out_of_range);
    EXPECT_EQ(*add(13, meters(4000, 5000)), Applied::applied) << "known ones";
}

TEST_F(RosterTest, AppliesAllOrNothingWhenTheDiskFails) {
    ASSERT_EQ(*add(12, meters(1, 3)), Applied::applied);
    for (const auto fault : {FaultVfs::Fault::full, FaultVfs::Fault::write_error}) {
        disk.fail(fault);
        EXPECT_FALSE(add(13, meters(4, 503)));
        EXPECT_FALSE(site.store->disk_ok());
        EXPECT_EQ(roster().all(), meters(1, 3));
        disk.fail(FaultVfs::Fault::none);
        ASSERT_TRUE(site.until([&] { return site.store->disk_ok(); }));
        EXPECT_EQ(roster().version(), 12);
        EXPECT_EQ(roster().all(), meters(1, 3));
    }
    EXPECT_EQ(*add(13, meters(4, 503)), Applied::applied);
    EXPECT_EQ(roster().all().size(), 503u);
}

TEST_F(RosterTest, IsNotKnownUntilTheFileCanBeRead) {
    ASSERT_EQ(*add(12, meters(1, 3)), Applied::applied);
    site.close();
    disk.fail(FaultVfs::Fault::read_error);
    site.open();
    EXPECT_FALSE(roster().known());
    disk.fail(FaultVfs::Fault::none);
    ASSERT_TRUE(site.until([&] { return roster().known(); }));
    EXPECT_EQ(roster().all(), meters(1, 3));
    EXPECT_EQ(roster().version(), 12);
}

TEST_F(RosterTest, LosesABadRowAndItsVersionSoThatTheListIsAskedForAgain) {
    ASSERT_EQ(*add(12, meters(1, 3)), Applied::applied);
    site.close();
    edit(folder.path(), "UPDATE roster SET extension_info = '{}' WHERE node_id = 'meter-2'");
    site.open();
    const std::vector<SubDevice> left{meter(1), meter(3)};
    EXPECT_EQ(roster().all(), left);
    EXPECT_EQ(roster().version(), 0);
    site.close();
    edit(folder.path(), "UPDATE meta SET v = 1000 WHERE k = 'roster_version'");
    site.open();
    EXPECT_EQ(roster().version(), 0) << "a version from nowhere would make every notice stale";
}

}  // namespace
}  // namespace fieldgate::storage
