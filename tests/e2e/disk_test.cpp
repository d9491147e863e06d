// A disk that is full to the last byte: the store's own, small file system, and another file on it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/e2e/site.h"
#include "tests/e2e/small_disk.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

constexpr std::uint64_t disk_bytes = 24UL << 20;
constexpr auto fails = "outbox disk fails, records stay in RAM";
constexpr auto heals = "outbox disk works again";

std::chrono::seconds time_full() { return std::getenv("FIELDGATE_CAMPAIGN") != nullptr ? 60s : 6s; }

Site::Settings small_store() {
    Site::Settings settings;
    settings.lanes = 3;
    settings.store_more = ", max_size: 8MiB";
    return settings;
}

bool says(const Site& site, const std::string& text, std::chrono::milliseconds patience) {
    return lab::wait_until([&] { return site.log().find(text) != std::string::npos; }, patience);
}

// Everything said before now has arrived, but for what the books say was evicted.
void expect_all_but_the_evicted(Site& site) {
    const std::int64_t until_ms = Site::now_ms();
    const auto arrived = [&] {
        const std::int64_t evicted = site.book("evicted");
        return evicted >= 0 && site.missing(0, until_ms) <= static_cast<std::size_t>(evicted);
    };
    EXPECT_TRUE(lab::wait_until(arrived, 60s))
        << site.missing(0, until_ms) << " missing, " << site.book("evicted") << " evicted\n"
        << site.log();
    EXPECT_EQ(site.imbalance(), 0);
    EXPECT_EQ(site.wrong(), 0u);
}

std::string violations(Site& site) {
    std::string text;
    for (const lab::Violation& violation : site.platform().violations())
        text += violation.text + "\n";
    return text;
}

class FullDisk : public testing::Test {
protected:
    void SetUp() override {
        if (!disk.mounted()) GTEST_SKIP() << "no file system of our own here: needs root and mount";
    }

    // Keeps it full for a while. The gateway lives, polls and keeps its books all the time.
    void keep_full() {
        const auto end = std::chrono::steady_clock::now() + time_full();
        const std::size_t said = site.witness().said().size();
        int looks = 0;
        for (; std::chrono::steady_clock::now() < end; ++looks) {
            disk.fill();
            ASSERT_EQ(site.imbalance(), 0) << site.log();
            ASSERT_TRUE(site.gateway().running()) << site.log();
        }
        const std::size_t polled = site.witness().said().size() - said;
        // 10 units, ten times a second, on a machine that others use too.
        EXPECT_GT(polled, static_cast<std::size_t>(time_full().count()) * 50);
        std::cout << "figure: disk full for " << time_full().count() << " s (" << disk.kind()
                  << "): " << polled << " readings polled, " << looks
                  << " looks at the books, imbalance 0, " << site.book("evicted") << " evicted\n";
    }

    Site site{small_store()};
    SmallDisk disk{site.folder() / "store", disk_bytes};
};

TEST_F(FullDisk, StopsNothingWhileThePlatformIsThere) {
    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return site.platform().counts().records >= 100; }, 20s))
        << site.log();
    disk.fill();
    // The ballast goes first; what it gave is taken too.
    ASSERT_TRUE(lab::wait_until(
        [&] {
            disk.fill();
            return site.log().find(fails) != std::string::npos;
        },
        20s))
        << site.log();
    const std::uint64_t before = site.platform().counts().records;
    keep_full();
    disk.free();

    EXPECT_TRUE(says(site, heals, 30s)) << site.log();
    EXPECT_GT(site.platform().counts().records, before);
    expect_all_but_the_evicted(site);
    EXPECT_EQ(site.stop(), 0) << site.log();
    EXPECT_EQ(violations(site), "");
}

TEST_F(FullDisk, LosesNothingUncountedWhileThePlatformIsGone) {
    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return site.platform().counts().records >= 100; }, 20s))
        << site.log();
    site.platform().broker().kill();
    // A backlog on disk, and then no room for more.
    ASSERT_TRUE(lab::wait_until([&] { return site.book("pending") > 100; }, 20s)) << site.log();
    ASSERT_TRUE(lab::wait_until(
        [&] {
            disk.fill();
            return site.log().find(fails) != std::string::npos;
        },
        20s))
        << site.log();
    keep_full();
    disk.free();

    EXPECT_TRUE(says(site, heals, 30s)) << site.log();
    site.platform().broker().start();
    const std::uint64_t before = site.platform().counts().records;
    ASSERT_TRUE(lab::wait_until([&] { return site.platform().counts().records > before; }, 90s))
        << site.log();
    expect_all_but_the_evicted(site);
    EXPECT_EQ(site.stop(), 0) << site.log();
    EXPECT_EQ(violations(site), "");
}

// What a checkpoint gives back may do for the rest; then all is stored, and that is said.
TEST_F(FullDisk, IsOwnedUpToAtTheEnd) {
    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return site.platform().counts().records >= 100; }, 20s))
        << site.log();
    site.platform().broker().kill();
    bool owned = false;
    for (int life = 0; life < 8 && !owned; ++life) {
        if (life > 0) site.start();
        const std::size_t told = site.log().size();  // before this life
        const auto says_now = [&](const char* text) {
            return site.log().find(text, told) != std::string::npos;
        };
        const auto failing = [&] {
            disk.fill();
            return says_now(fails);
        };
        ASSERT_TRUE(lab::wait_until(failing, 20s)) << site.log();
        const auto begin = std::chrono::steady_clock::now();
        const std::optional<int> code = site.stop();
        EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
        ASSERT_TRUE(code == 0 || code == 1) << site.log();
        owned = code == 1;
        EXPECT_EQ(says_now("not everything could be stored"), owned) << site.log();
        EXPECT_EQ(says_now(heals), !owned) << site.log();
        EXPECT_EQ(says_now("everything stored"), !owned) << site.log();
        disk.free();
    }
    EXPECT_TRUE(owned) << site.log();
}

TEST_F(FullDisk, IsNoReasonNotToStart) {
    disk.fill();
    site.start();
    EXPECT_TRUE(says(site, fails, 10s)) << site.log();
    EXPECT_TRUE(says(site, "started", 10s)) << site.log();
    keep_full();
    disk.free();

    EXPECT_TRUE(says(site, heals, 30s)) << site.log();
    expect_all_but_the_evicted(site);
    // And from now on it stores.
    EXPECT_TRUE(lab::wait_until(
        [&] { return std::filesystem::exists(site.folder() / "store/outbox.db-wal"); }));
    EXPECT_EQ(site.stop(), 0) << site.log();
    EXPECT_EQ(violations(site), "");
}

}  // namespace
}  // namespace fieldgate::e2e
