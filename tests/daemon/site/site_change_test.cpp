#include "daemon/site/site_change.h"

#include <gtest/gtest.h>

#include "tests/daemon/config/site.h"
#include "tests/daemon/site/make.h"

namespace fieldgate {
namespace {

constexpr const char* site_file = "conf.d/10-site.yaml";

class SiteChangeTest : public testing::Test {
protected:
    /// What the files say now, after what they said before.
    SiteChange change() {
        LoadedConfig loaded = files_.load();
        EXPECT_TRUE(loaded.ok()) << test::all(loaded.problems);
        before_ = after_;
        after_ = *make_site(std::move(*loaded.config), table_, before_.get());
        return compare(*before_, *after_);
    }
    std::vector<std::string> told(const SiteChange& change) const {
        return describe(change, *after_);
    }
    DeviceRef ref(const std::string& node) const {
        const Directory& directory = after_->directory;
        return directory.ref(*directory.device("64f0a1b2c3d4e5f607182931_" + node));
    }
    using Lines = std::vector<std::string>;

    test::Site files_;
    DeviceTable table_;
    SitePtr before_;
    SitePtr after_ = *make_site(*files_.load().config, table_);
};

TEST_F(SiteChangeTest, IsNothingWhereTheContentIsTheSame) {
    EXPECT_TRUE(change().empty());
    EXPECT_EQ(after_->revision, 2U);
    files_.replace(site_file, "buses:\n", "# a remark\nbuses:\n");
    EXPECT_TRUE(change().empty());
    EXPECT_EQ(ref("METER-1").edition, 1U);
}

TEST_F(SiteChangeTest, IsNothingWhereTwoTemplatesHaveTheSameContent) {
    std::string copy = files_.text("templates/power-meter.yaml");
    copy.replace(copy.find("template: power-meter"), 21, "template: z-copy");
    files_.write("templates/z-copy.yaml", copy);
    after_ = *make_site(*files_.load().config, table_);  // as a start reads them
    EXPECT_TRUE(change().empty());
    EXPECT_TRUE(change().empty());
}

TEST_F(SiteChangeTest, NamesDevicesThatComeAndGoAndLeavesTheOthersAlone) {
    const DeviceRef first = ref("METER-1");
    files_.replace(site_file, "unit: 1..3", "unit: 1..5");
    const SiteChange more = change();
    EXPECT_EQ(told(more), (Lines{"bus line1: 2 devices added, 3 untouched"}));
    EXPECT_EQ(more.fresh, (std::vector<DeviceIndex>{ref("METER-4").index, ref("METER-5").index}));
    EXPECT_TRUE(more.gone.empty());
    EXPECT_TRUE(more.remapped.empty());
    EXPECT_EQ(ref("METER-1"), first);
    ASSERT_EQ(more.redeviced.size(), 1U);
    EXPECT_EQ(more.redeviced[0].devices.size(), 5U);

    const DeviceRef fifth = ref("METER-5");
    files_.replace(site_file, "unit: 1..5", "unit: 1..4");
    const SiteChange less = change();
    EXPECT_EQ(told(less), (Lines{"bus line1: 1 device removed, 4 untouched"}));
    EXPECT_EQ(less.gone, std::vector<DeviceIndex>{fifth.index});

    files_.replace(site_file, "unit: 1..4", "unit: 1..5");
    EXPECT_EQ(change().fresh, std::vector<DeviceIndex>{fifth.index}) << "the same index";
    EXPECT_GT(ref("METER-5").edition, fifth.edition);
}

TEST_F(SiteChangeTest, GivesAnotherEditionToTheDevicesOfATemplateThatHasChanged) {
    const DeviceRef before = ref("METER-1");
    files_.replace("templates/power-meter.yaml", "current:      { at: holding:2,",
                   "current:      { at: holding:3,");
    const SiteChange moved = change();
    EXPECT_EQ(moved.remapped.size(), after_->config.devices.size());
    EXPECT_EQ(told(moved), (Lines{"bus line1: 3 devices changed", "bus plc7: 1 device changed"}));
    EXPECT_EQ(ref("METER-1"), DeviceRef(before.index, after_->revision));
    EXPECT_NE(moved.redeviced[0].devices[0].map, before_->devices_of(0)[0].map);

    // The points alone: what was learned of the registers stays true.
    files_.replace("templates/power-meter.yaml", "report: { change: 0.5,",
                   "report: { change: 0.7,");
    const SiteChange reported = change();
    EXPECT_EQ(reported.remapped.size(), after_->config.devices.size());
    EXPECT_EQ(reported.redeviced[0].devices[0].map, before_->devices_of(0)[0].map);
    EXPECT_NE(reported.redeviced[0].devices[0].points, before_->devices_of(0)[0].points);
}

TEST_F(SiteChangeTest, TellsPeriodsFromPoints) {
    files_.replace(site_file, "every: 500ms", "every: 700ms");
    const SiteChange slower = change();
    EXPECT_EQ(told(slower), (Lines{"bus plc7: 1 device changed"}));
    EXPECT_TRUE(slower.remapped.empty());
}

TEST_F(SiteChangeTest, KnowsBusesByTheirNames) {
    files_.replace(site_file, "  plc7:\n", "  plc8:\n");
    files_.replace(site_file, "bus: plc7", "bus: plc8");
    files_.replace(site_file, "line: 9600 8E1", "line: 19200 8E1");
    const SiteChange renamed = change();
    EXPECT_EQ(told(renamed), (Lines{"bus line1: opened anew with other settings",
                                    "bus plc7: removed", "bus plc8: new"}));
    EXPECT_TRUE(renamed.gone.empty()) << "the press has moved";
    EXPECT_TRUE(renamed.fresh.empty());
}

TEST_F(SiteChangeTest, SaysWhatTakesARestart) {
    files_.replace("fieldgate.yaml", "max_size: 256MiB", "max_size: 128MiB");
    const SiteChange other = change();
    EXPECT_EQ(other.needs_restart, (Lines{"store"}));
    EXPECT_FALSE(other.empty());
    EXPECT_EQ(told(other), (Lines{"store: changed, and takes a restart: systemctl restart "
                                  "fieldgate"}));
}

TEST_F(SiteChangeTest, KnowsAnotherPlatformAlsoByTheContentOfItsFiles) {
    files_.replace("fieldgate.yaml", "linger: 1s", "linger: 2s");
    const SiteChange slower = change();
    EXPECT_TRUE(slower.platform);
    EXPECT_TRUE(slower.remapped.empty());
    const std::string ca = after_->config.platform.ca_file;
    const std::string name = ca.substr(ca.find("certs/"));
    files_.write(name, files_.text(name) + "\n");
    EXPECT_TRUE(change().platform) << "a renewed certificate of the same name";
    EXPECT_TRUE(change().empty());
}

TEST_F(SiteChangeTest, GivesAnotherEditionToADeviceThatIsAnotherOneOnTheWire) {
    const DeviceRef before = ref("PRESS-1");
    files_.replace("conf.d/10-site.yaml", "  - name: press\n    unit: 1",
                   "  - name: press\n    unit: 2");
    EXPECT_EQ(change().remapped, std::vector<DeviceIndex>{before.index});
    files_.replace("conf.d/10-site.yaml", "tcp: 10.0.0.7:502", "tcp: 10.0.0.8:502");
    const SiteChange elsewhere = change();
    EXPECT_EQ(elsewhere.remapped, std::vector<DeviceIndex>{before.index});
    EXPECT_EQ(told(elsewhere), (Lines{"bus plc7: opened anew with other settings"}));
}

TEST_F(SiteChangeTest, SaysWhatHoldsFromTheNextRequestOn) {
    files_.replace("templates/power-meter.yaml", "values: { ON: true, OFF: false }",
                   "values: { ON: false, OFF: true }");
    const SiteChange commands = change();
    EXPECT_EQ(told(commands), (Lines{"commands: other ones from the next request on"}));
    files_.replace("fieldgate.yaml", "write: false", "write: true");
    EXPECT_EQ(told(change()), (Lines{"remote: holds from the next request on"}));
}

}  // namespace
}  // namespace fieldgate
