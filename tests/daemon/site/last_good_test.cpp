#include "daemon/site/last_good.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/daemon/config/site.h"
#include "tests/storage/loop.h"

namespace fieldgate {
namespace {

class LastGoodTest : public testing::Test {
protected:
    std::string main() const { return files_.path("fieldgate.yaml"); }
    void keep() { EXPECT_TRUE(last_good_.keep(main(), *files_.load().config->files)); }
    std::size_t devices() const {
        const auto loaded = last_good_.load(main());
        return loaded ? loaded->config->devices.size() : 0;
    }

    test::Site files_;
    storage::TempFolder state_;
    LastGood last_good_{state_.path()};
};

TEST_F(LastGoodTest, LoadsWhatWasKeptWhateverHasBecomeOfTheFiles) {
    EXPECT_FALSE(last_good_.load(main())) << "nothing was kept yet";
    keep();
    const Config before = *files_.load().config;
    files_.write("conf.d/10-site.yaml", "buses: [");
    files_.write("conf.d/20-more.yaml", "nonsense: 1\n");
    std::filesystem::remove_all(files_.path("templates"));
    std::filesystem::remove_all(files_.path("models"));
    ASSERT_FALSE(files_.load().ok());
    const auto loaded = last_good_.load(main());
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config->hash, before.hash);
    EXPECT_EQ(loaded->config->devices.size(), before.devices.size());
    EXPECT_EQ(loaded->config->store.path, before.store.path) << "relative to the file's own folder";
    EXPECT_EQ(loaded->config->platform.ca_file, before.platform.ca_file);
    EXPECT_EQ(loaded->config->platform.identity, before.platform.identity);
}

// What lies elsewhere was not kept: it is read where it is, and not missed in silence.
TEST_F(LastGoodTest, LooksForAPatternThatLeadsOutOfItsFolderWhereItLeads) {
    const storage::TempFolder elsewhere;
    std::filesystem::copy_file(files_.path("conf.d/10-site.yaml"), elsewhere.path() + "/20.yaml");
    std::filesystem::remove(files_.path("conf.d/10-site.yaml"));
    const auto out = std::filesystem::path(elsewhere.path()).lexically_relative(files_.path(""));
    files_.replace("fieldgate.yaml", "include: [conf.d/*.yaml]",
                   "include: [x/../conf.d/*.yaml, " + out.string() + "/*.yaml]");
    keep();
    const std::size_t before = files_.load().config->devices.size();
    EXPECT_GT(before, 0U);
    EXPECT_EQ(devices(), before);
}

TEST_F(LastGoodTest, KeepsAgainWhatWasDamagedMeanwhile) {
    keep();
    const std::size_t before = devices();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(state_.path()))
        if (entry.path().filename() == "10-site.yaml") std::ofstream(entry.path()) << "";
    EXPECT_EQ(devices(), 0U);
    keep();
    EXPECT_EQ(devices(), before);
}

TEST_F(LastGoodTest, KeepsNoSecret) {
    keep();
    std::size_t kept = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(state_.path())) {
        kept += entry.is_regular_file() ? 1U : 0U;
        EXPECT_EQ(entry.path().string().find("credentials"), std::string::npos) << entry.path();
    }
    EXPECT_GT(kept, 4U);
    std::filesystem::remove(files_.path("credentials/gateway"));
    EXPECT_FALSE(last_good_.load(main())) << "the secret is read where it is";
}

TEST_F(LastGoodTest, IsThatOfItsOwnMainFileOnly) {
    keep();
    const test::Site others;
    EXPECT_FALSE(last_good_.load(others.path("fieldgate.yaml")));
    EXPECT_TRUE(last_good_.load(main()));
}

TEST_F(LastGoodTest, ReplacesWhatWasKept) {
    keep();
    const std::size_t before = devices();
    files_.replace("conf.d/10-site.yaml", "unit: 1..3", "unit: 1..4");
    keep();
    EXPECT_EQ(devices(), before + 1);
    std::size_t folders = 0;
    for (const auto& entry : std::filesystem::directory_iterator(state_.path() + "/config"))
        folders += entry.is_directory() ? 1U : 0U;
    EXPECT_EQ(folders, 1U);
}

// At whatever point the process is killed, the next one has the old files or the new ones.
TEST_F(LastGoodTest, IsWholeWheneverItsKeeperIsKilled) {
    keep();
    const std::size_t old_devices = devices();
    files_.replace("conf.d/10-site.yaml", "unit: 1..3", "unit: 1..9");
    const auto files = files_.load().config->files;
    for (int after_us = 0; after_us < 6000; after_us += 150) {
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            (void)last_good_.keep(main(), *files);
            ::_exit(0);
        }
        std::this_thread::sleep_for(std::chrono::microseconds(after_us));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        const std::size_t now = devices();
        EXPECT_TRUE(now == old_devices || now == old_devices + 6) << after_us << " us: " << now;
    }
    keep();
    EXPECT_EQ(devices(), old_devices + 6);
}

}  // namespace
}  // namespace fieldgate
