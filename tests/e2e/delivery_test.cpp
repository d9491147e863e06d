// From the wire to the cloud, with the program itself: what is read arrives, once, through
// everything.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "tests/e2e/site.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

bool campaign() { return std::getenv("FIELDGATE_CAMPAIGN") != nullptr; }

std::string violations(const Site& site, lab::Platform& platform) {
    std::string text;
    for (const lab::Violation& violation : platform.violations()) text += violation.text + "\n";
    if (!text.empty()) text += site.log();
    return text;
}

// Waits until all that was said before now has arrived.
bool all_arrives(Site& site, std::int64_t from_ms, std::chrono::milliseconds patience) {
    const std::int64_t until_ms = Site::now_ms();
    return lab::wait_until([&] { return site.missing(from_ms, until_ms) == 0; }, patience);
}

// What a failure needs to be understood: how much is missing, and where the gateway says it is.
std::string state_of(Site& site) {
    const lab::Finished status = site.command({"status"});
    return std::to_string(site.missing(0, Site::now_ms() - 3000)) + " missing\n" + status.output +
           site.log();
}

TEST(Delivery, CarriesEveryReadingAndTellsWhoIsThere) {
    Site site;
    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return site.platform().counts().records >= 100; }, 20s))
        << site.log();
    EXPECT_TRUE(all_arrives(site, 0, 10s)) << state_of(site);
    EXPECT_EQ(site.platform().status(Site::device_id(3)), "ONLINE");
    EXPECT_EQ(site.imbalance(), 0);

    EXPECT_EQ(site.stop(), 0) << site.log();
    EXPECT_TRUE(lab::wait_until(
        [&] { return site.platform().status(Site::device_id(3)) == "OFFLINE"; }, 2s));
    EXPECT_EQ(site.wrong(), 0u);
    EXPECT_EQ(site.platform().counts().duplicates, 0u);
    EXPECT_EQ(violations(site, site.platform()), "");
}

TEST(Delivery, LosesNothingThatWasDurableWhenKilled) {
    Site::Settings settings;
    settings.lanes = 3;
    Site site(settings);
    const int kills = campaign() ? 60 : 4;
    std::minstd_rand chance(20261122);
    std::vector<std::pair<std::int64_t, std::int64_t>> gaps;  // after each kill: what may be lost
    for (int i = 0; i < kills; ++i) {
        const std::int64_t started = Site::now_ms();
        const std::uint64_t before = site.platform().counts().publishes;
        site.start();
        EXPECT_TRUE(
            lab::wait_until([&] { return site.platform().counts().publishes > before + 2; }, 10s))
            << site.log();
        RecordProperty("restart_to_publish_ms", static_cast<int>(Site::now_ms() - started));
        std::this_thread::sleep_for(std::chrono::milliseconds(chance() % 3000));
        site.kill();
        gaps.emplace_back(Site::now_ms() - 1100,
                          Site::now_ms());  // commit + 100 ms before the kill
    }
    site.start();
    std::this_thread::sleep_for(2s);
    const auto lost = [&] {
        std::size_t missing = 0;
        std::int64_t from = 0;
        for (const auto& [first, last] : gaps) {
            missing += site.missing(from, first);
            from = last;
        }
        return missing;
    };
    EXPECT_TRUE(lab::wait_until([&] { return lost() == 0; }, 60s)) << lost() << " lost\n"
                                                                   << site.log();
    EXPECT_EQ(site.imbalance(), 0);
    EXPECT_EQ(site.stop(), 0);
    EXPECT_EQ(site.wrong(), 0u);
    // In flight: 10 publishes; acknowledged in the last second: what 10 units say at 10/s.
    const std::uint64_t per_kill = 10 * 100 + 100;
    EXPECT_LE(site.platform().counts().duplicates, per_kill * static_cast<std::uint64_t>(kills));
    EXPECT_EQ(violations(site, site.platform()), "");
}

TEST(Delivery, LosesNothingWhenTheBrokerIsRestarted) {
    Site::Settings settings;
    settings.lanes = 3;
    Site site(settings);
    site.start();
    const int restarts = campaign() ? 10 : 2;
    for (int i = 0; i < restarts; ++i) {
        const std::uint64_t before = site.platform().counts().records;
        ASSERT_TRUE(
            lab::wait_until([&] { return site.platform().counts().records > before + 50; }, 90s))
            << site.log();
        site.platform().broker().kill();
        std::this_thread::sleep_for(1s);
        site.platform().broker().start();
    }
    const std::uint64_t before = site.platform().counts().records;
    ASSERT_TRUE(
        lab::wait_until([&] { return site.platform().counts().records > before + 50; }, 90s))
        << site.log();
    // Links that die at once are tried again a minute later, and what gathers meanwhile goes at
    // 100 KiB/s beside the live data.
    EXPECT_TRUE(all_arrives(site, 0, 180s)) << state_of(site);
    EXPECT_EQ(site.imbalance(), 0);
    EXPECT_EQ(site.stop(), 0);
    EXPECT_EQ(site.wrong(), 0u);
    EXPECT_EQ(violations(site, site.platform()), "");
}

// Larger than what a narrow road likes, smaller than what the platform takes.
TEST(Delivery, ALargeRecordGoesAloneAndSlowly) {
    Site::Settings settings;
    settings.units = 1;
    settings.every = "1s";
    settings.platform_more = "  limits: { bandwidth: 2KiB/s }\n";
    std::string service =
        "template: witness\nproduct_id: e2e\nprotocol: modbus\nservices:\n"
        "  Testimony:\n    number:    { at: \"holding:0\", type: u32 }\n"
        "    scrambled: { at: \"holding:2\", type: u32 }\n";
    for (int i = 0; i < 100; ++i)
        service += "    a_point_with_a_long_name_" + std::to_string(i) +
                   ": { at: \"holding:0\", type: u32 }\n";
    settings.files["templates/witness.yaml"] = service;
    Site site(settings);
    site.start();
    EXPECT_TRUE(lab::wait_until([&] { return site.platform().counts().records >= 2; }, 30s))
        << site.log();
    EXPECT_EQ(site.book("quarantined"), 0) << site.log();
}

}  // namespace
}  // namespace fieldgate::e2e
