// A clock that has been lost, and TLS: the platform that could tell the time is reached, and nobody
// else's old certificate is taken.
#include <gtest/gtest.h>

#include "tests/e2e/site.h"
#include "tests/e2e/wrong_clock.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

constexpr std::int64_t day_s = 86400;
constexpr std::int64_t first_of_2020_s = 1'577'836'800;

std::int64_t now_s() { return Site::now_ms() / 1000; }

/// A gateway whose system clock began in 2020 today, without NTP, and its platform with TLS.
class LostClock : public ::testing::Test {
protected:
    void SetUp() override {
        if (const std::string why = no_wrong_clock(); !why.empty()) GTEST_SKIP() << why;
        lab::write_file(dir / "clock", "-" + std::to_string(now_s() - first_of_2020_s));
    }

    void set_up(std::chrono::milliseconds platform_clock_off = 0ms) {
        Site::Settings settings;
        settings.environment = wrong_clock(dir / "clock");
        settings.platform_clock_off = platform_clock_off;
        settings.platform_more = "  reconnect: { from: 200ms, to: 500ms }\n";
        settings.auth_more = ", timestamp: checked";  // the hour of the login, too
        site.emplace(settings);
    }

    /// The platform's certificate, valid at these times.
    void show(std::int64_t from, std::int64_t until) {
        site->platform().broker().stop();
        site->platform().broker().pki().renew_server(from, until);
        site->platform().broker().start();
    }

    // "" where status has none: link.why is there only while there is no link.
    std::string member(const char* part, const char* name) {
        const std::optional<json::Value> now = site->status();
        const json::Value* const object = now ? now->get(part) : nullptr;
        const json::Value* const text = object ? object->get(name) : nullptr;
        return text && text->string() ? *text->string() : "";
    }

    bool refused_soon(const std::string& why) {
        return lab::wait_until([&] { return member("link", "why").find(why) != std::string::npos; },
                               20s);
    }

    /// How far the times of what has arrived are from when it was said, at most.
    std::int64_t worst_ms() {
        EXPECT_TRUE(site->platform().catch_up());
        std::map<std::uint32_t, std::int64_t> said;
        for (const Witness::Said& one : site->witness().said()) said[one.number] = one.at_ms;
        std::int64_t worst = 0;
        for (const lab::Record& record : site->platform().records()) {
            if (!record.device.starts_with("e2e_D")) continue;
            const std::string& number = record.properties.at("number");
            const std::int64_t at = said.at(static_cast<std::uint32_t>(std::stoul(number)));
            worst = std::max(worst, std::abs(record.event_time - at));
        }
        return worst;
    }

    const lab::TempDir dir;
    std::optional<Site> site;
};

TEST_F(LostClock, IsPutRightByAPlatformWhoseCertificateIsOfToday) {
    set_up();
    const std::int64_t began = Site::now_ms();
    site->start();
    ASSERT_TRUE(lab::wait_until([&] { return !site->platform().records().empty(); }, 30s))
        << site->log();
    const std::int64_t first = Site::now_ms() - began;
    RecordProperty("first_record_ms", std::to_string(first));
    EXPECT_LE(first, 30'000);
    ASSERT_TRUE(lab::wait_until([&] { return site->book("acknowledged") > 200; }, 20s))
        << site->log();
    EXPECT_EQ(member("clock", "quality"), "proven");
    EXPECT_EQ(member("link", "certificate"), "valid");
    EXPECT_NE(site->log().find("certificate is not yet valid by our clock: tolerated"),
              std::string::npos)
        << site->log();
    // What was held until then comes behind what is live.
    const std::int64_t until = Site::now_ms();
    EXPECT_TRUE(lab::wait_until([&] { return site->missing(began, until) == 0; }, 20s))
        << site->missing(began, until) << " missing\n"
        << site->log();
    EXPECT_EQ(site->stop(), 0);
    EXPECT_LE(worst_ms(), 1000);
}

TEST_F(LostClock, TakesNoCertificateThatHadExpiredWhenTheGatewayWasBuilt) {
    set_up();
    show(first_of_2020_s - 90 * day_s, first_of_2020_s + 90 * day_s);  // good by the system clock
    site->start();
    EXPECT_TRUE(refused_soon("certificate expired on 2020-03-31")) << member("link", "why");
    EXPECT_EQ(site->platform().counts().connections, 0U);
}

TEST_F(LostClock, TakesNoCertificateThatHadExpiredWhenTheTimeWasLastProven) {
    set_up(2 * 24h);  // in two days
    show(first_of_2020_s, now_s() + 9 * day_s);
    site->start();
    ASSERT_TRUE(lab::wait_until([&] { return member("clock", "quality") == "proven"; }, 20s))
        << site->log();
    EXPECT_EQ(site->stop(), 0);

    show(first_of_2020_s, now_s() + 1 * day_s);
    const std::uint64_t connections = site->platform().counts().connections;
    site->start();
    EXPECT_TRUE(refused_soon("certificate expired on")) << site->log();
    EXPECT_EQ(site->platform().counts().connections, connections);
    EXPECT_EQ(site->stop(), 0);

    // Nor if the store that knows it does not open.
    const std::filesystem::path store = site->folder() / "store/outbox.db";
    std::filesystem::rename(store, store.string() + ".away");
    std::filesystem::create_directory(store);
    site->start();
    EXPECT_TRUE(refused_soon("certificate expired on")) << site->log();
    EXPECT_NE(site->status()->get("store"), nullptr);
    EXPECT_FALSE(*site->status()->get("store")->get("open")->boolean());
    EXPECT_EQ(site->platform().counts().connections, connections);
}

TEST_F(LostClock, LeavesAPlatformWhoseCertificateProvesToHaveExpired) {
    set_up(2 * 24h);
    show(first_of_2020_s, now_s() + 1 * day_s);  // nothing here tells that it has
    site->start();
    EXPECT_TRUE(refused_soon("certificate expired on")) << site->log();
    EXPECT_NE(site->log().find("certificate has expired, by its own word"), std::string::npos)
        << site->log();
    EXPECT_EQ(site->platform().counts().connections, 1U);
    EXPECT_EQ(member("clock", "quality"), "held");
    EXPECT_EQ(site->imbalance(), 0);
}

TEST_F(LostClock, IsNotLockedOutByAPlatformThatIsWrongOnce) {
    set_up();
    const std::int64_t began = Site::now_ms();
    site->start();
    ASSERT_TRUE(lab::wait_until([&] { return site->book("acknowledged") > 0; }, 20s))
        << site->log();

    site->platform().set_clock_off(14 * 365 * 24h);
    site->platform().broker().stop();
    site->platform().broker().start();
    const auto refused = [&] {
        return site->log().find("a time at which its own certificate is not valid") !=
               std::string::npos;
    };
    EXPECT_TRUE(lab::wait_until(refused, 20s)) << site->log();
    const std::int64_t before = site->book("acknowledged");
    EXPECT_TRUE(lab::wait_until([&] { return site->book("acknowledged") > before + 100; }, 20s))
        << site->log();
    EXPECT_EQ(member("clock", "quality"), "proven");
    const std::int64_t stopping = Site::now_ms();
    EXPECT_EQ(site->stop(), 0);
    EXPECT_LE(worst_ms(), 1000);

    // Nothing of it is left on disk.
    site->platform().set_clock_off(0ms);
    const std::int64_t starting = Site::now_ms();
    site->start();
    ASSERT_TRUE(lab::wait_until([&] { return member("clock", "quality") == "proven"; }, 20s))
        << site->log();
    const std::int64_t until = Site::now_ms();
    // What a device says to a gateway that stops is nobody's.
    const auto all_there = [&] {
        return site->missing(began, stopping - 500) + site->missing(starting, until) == 0;
    };
    EXPECT_TRUE(lab::wait_until(all_there, 20s))
        << site->missing(began, stopping - 500) << " missing of before, "
        << site->missing(starting, until) << " of after\n"
        << site->command({"status"}).output << site->log();
    EXPECT_LE(worst_ms(), 1000);
}

}  // namespace
}  // namespace fieldgate::e2e
