#include "daemon/site/site_keeper.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "tests/daemon/config/site.h"
#include "tests/daemon/site/make.h"
#include "tests/storage/loop.h"

namespace fieldgate {
namespace {

class SiteKeeperTest : public testing::Test {
protected:
    SiteKeeperTest() { EXPECT_EQ(keeper_.now()->config.store.path, files_.path("store")); }
    SiteKeeper::Report reload() { return loop_.run(keeper_.reload()); }

    asio::awaitable<std::vector<std::string>> apply(SitePtr site) {
        expect(!applying_, "one change at a time");
        applying_ = true;
        asio::steady_timer timer(loop_.loop, std::chrono::milliseconds(20));
        co_await timer.async_wait(asio::use_awaitable);
        applied_.push_back(std::move(site));
        applying_ = false;
        co_return failures_;
    }

    /// The example, with its store beside it: what is kept is not to lie about.
    struct Files : test::Site {
        Files() { replace("fieldgate.yaml", "path: /var/lib/fieldgate", "path: store"); }
    };
    Files files_;
    storage::Loop loop_;
    DeviceTable table_;
    std::vector<SitePtr> applied_;
    std::vector<std::string> failures_;
    bool applying_ = false;
    SiteKeeper keeper_{loop_.loop.get_executor(), files_.path("fieldgate.yaml"), table_,
                       *make_site(*files_.load().config, table_),
                       [this](SitePtr site, const SiteChange&) { return apply(std::move(site)); }};
};

TEST_F(SiteKeeperTest, AppliesWhatTheFilesSayAndReportsIt) {
    files_.replace("conf.d/10-site.yaml", "unit: 1..3", "unit: 1..4");
    const SiteKeeper::Report report = reload();
    EXPECT_EQ(report.exit, Exit::well);
    EXPECT_EQ(report.revision, 2U);
    EXPECT_EQ(report.changes, std::vector<std::string>{"bus line1: 1 device added, 3 untouched"});
    ASSERT_EQ(applied_.size(), 1U);
    EXPECT_EQ(keeper_.now(), applied_.back());
}

TEST_F(SiteKeeperTest, ChangesNothingOnAnError) {
    const SitePtr before = keeper_.now();
    files_.write("conf.d/10-site.yaml", "buses: [");
    const SiteKeeper::Report report = reload();
    EXPECT_EQ(report.exit, Exit::configuration);
    EXPECT_EQ(report.revision, 1U);
    EXPECT_FALSE(report.problems.empty());
    EXPECT_TRUE(applied_.empty());
    EXPECT_EQ(keeper_.now(), before);
    EXPECT_NE(report_json(report).find("conf.d/10-site.yaml:1:"), std::string::npos)
        << report_json(report);
}

TEST_F(SiteKeeperTest, DoesNotGoWhereThisVersionCannot) {
    files_.replace("fieldgate.yaml", "endpoint: mqtts://", "endpoint: https://");
    const SiteKeeper::Report report = reload();
    EXPECT_EQ(report.exit, Exit::configuration);
    EXPECT_TRUE(applied_.empty());
    EXPECT_EQ(report.failures, std::vector<std::string>{no_road});
}

TEST_F(SiteKeeperTest, SaysWhatCouldNotBeApplied) {
    failures_ = {"line1: what was on its wire has not ended yet"};
    files_.replace("conf.d/10-site.yaml", "line: 9600 8E1", "line: 19200 8E1");
    const SiteKeeper::Report report = reload();
    EXPECT_EQ(report.exit, Exit::failed);
    EXPECT_EQ(report.failures, failures_);
    EXPECT_EQ(report.revision, 2U) << "what could be applied runs";
}

TEST_F(SiteKeeperTest, KeepsWhatCouldBeAppliedWholeAsTheLastGoodOne) {
    const LastGood last_good(files_.path("store"));
    files_.replace("conf.d/10-site.yaml", "unit: 1..3", "unit: 1..4");
    EXPECT_EQ(reload().exit, Exit::well);
    ASSERT_TRUE(last_good.load(files_.path("fieldgate.yaml")));
    failures_ = {"line1: what was on its wire has not ended yet"};
    files_.replace("conf.d/10-site.yaml", "unit: 1..4", "unit: 1..5");
    EXPECT_EQ(reload().exit, Exit::failed);
    files_.write("conf.d/10-site.yaml", "buses: [");
    EXPECT_EQ(last_good.load(files_.path("fieldgate.yaml"))->config->devices.size(), 5U)
        << "four meters and the press";
}

TEST_F(SiteKeeperTest, SaysWhereTheLastGoodOneIsAnOlderOne) {
    std::filesystem::create_directories(files_.path("store"));
    files_.write("store/config", "in its way");
    files_.replace("conf.d/10-site.yaml", "unit: 1..3", "unit: 1..4");
    const SiteKeeper::Report report = reload();
    EXPECT_EQ(report.exit, Exit::well) << "it runs";
    ASSERT_FALSE(report.remarks.empty());
    EXPECT_TRUE(report.remarks.back().starts_with("not kept as the last good configuration: "))
        << report.remarks.back();
}

TEST_F(SiteKeeperTest, SaysThatARestartIsOwedUntilThereWasOne) {
    files_.replace("fieldgate.yaml", "max_size: 256MiB", "max_size: 128MiB");
    EXPECT_EQ(reload().exit, Exit::failed);
    EXPECT_EQ(reload().exit, Exit::failed) << "the store is still the old one";
    files_.replace("fieldgate.yaml", "max_size: 128MiB", "max_size: 256MiB");
    EXPECT_EQ(reload().exit, Exit::well);
}

TEST_F(SiteKeeperTest, SaysWhatIsSwitchedOnAndNotInThisVersion) {
    EXPECT_TRUE(reload().remarks.empty());
    files_.replace("fieldgate.yaml", "topics: []", "topics: [news]");
    const SiteKeeper::Report report = reload();
    EXPECT_EQ(report.exit, Exit::well);
    EXPECT_TRUE(report.changes.empty());
    const std::string said = "platform.topics: configured, but not in this version yet";
    EXPECT_EQ(report.remarks, std::vector<std::string>{said});
    EXPECT_NE(report_json(report).find("\"remarks\":[\"" + said + "\"]"), std::string::npos);
}

TEST_F(SiteKeeperTest, SaysThatCredentialsOfSystemdAreThoseOfTheStart) {
    files_.write("loaded/gateway", "a secret\n");
    std::filesystem::permissions(files_.path("loaded/gateway"), std::filesystem::perms::owner_read);
    setenv("CREDENTIALS_DIRECTORY", files_.path("loaded").c_str(), 1);  // NOLINT
    const SiteKeeper::Report report = reload();
    unsetenv("CREDENTIALS_DIRECTORY");  // NOLINT
    EXPECT_EQ(report.remarks,
              std::vector<std::string>{"credentials: systemd has loaded gateway at the start; a "
                                       "changed one takes a restart: systemctl restart fieldgate"});
    EXPECT_TRUE(reload().remarks.empty()) << "a file beside ours is read again";
}

TEST_F(SiteKeeperTest, MakesOneChangeAfterTheOther) {
    std::size_t done = 0;
    for (int i = 0; i < 5; ++i)
        asio::co_spawn(loop_.loop, keeper_.reload(),
                       [&](const std::exception_ptr& failure, const SiteKeeper::Report& report) {
                           EXPECT_FALSE(failure);
                           EXPECT_EQ(report.revision, ++done + 1);
                       });
    EXPECT_TRUE(loop_.until([&] { return done == 5; }));
    EXPECT_EQ(applied_.size(), 5U);
}

}  // namespace
}  // namespace fieldgate
