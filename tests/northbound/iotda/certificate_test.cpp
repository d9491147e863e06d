// The platform's certificate against a clock that may be wrong: a real broker, real certificates.
#include <gtest/gtest.h>

#include <fstream>

#include "base/tls_probe.h"
#include "model/event_time.h"
#include "northbound/iotda/cloud.h"
#include "tests/northbound/await.h"
#include "tests/northbound/mqtt/mosquitto.h"

namespace fieldgate::northbound::iotda {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using testing::await;
using testing::Mosquitto;
using testing::Pki;
using testing::TempFolder;

const std::string here = "DNS:localhost,IP:127.0.0.1";
constexpr auto unwatched = [] {};

constexpr Utc day(int year, unsigned month, unsigned day_of_month) {
    return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) /
                                 static_cast<int>(day_of_month));
}

Utc today() { return std::chrono::floor<days>(std::chrono::system_clock::now()); }

std::string validity(Utc from, Utc until) {
    const auto text = [](Utc at) {
        std::string stamp = event_time_seconds(at);  // 20261122T203500Z
        stamp.erase(8, 1);
        return stamp;
    };
    return "-startdate " + text(from) + " -enddate " + text(until);
}

class CertificateTest : public ::testing::Test {
protected:
    CertificateTest() {
        settings.host = "localhost";
        settings.device_id = "gw";
        settings.identity.secret = Secret("12345678");
        settings.limits.messages_per_second = Limits::unlimited;
        settings.limits.bytes_per_second = Limits::unlimited;
        pki.make_authority("ca", "ca", validity(day(2019, 1, 1), day(2089, 1, 1)));
        settings.ca_file = folder / "ca.crt";
    }

    /// A broker that shows `chain`: names of certificates, the first its own.
    void show(const std::vector<std::string>& chain) {
        std::ofstream file(folder / "chain.pem");
        for (const std::string& name : chain)
            file << std::ifstream(folder / (name + ".crt")).rdbuf();
        file.close();
        broker.emplace(folder, "allow_anonymous true\ncertfile " + folder / "chain.pem" +
                                   "\nkeyfile " + folder / (chain.front() + ".key"));
        settings.port = broker->port();
    }
    void show(Utc from, Utc until) {
        pki.make("server", "ca", here, validity(from, until));
        show({"server"});
    }

    Result<void> connect() {
        pacer = std::make_unique<Pacer>(settings.limits);
        cloud = std::make_unique<MqttCloud>(loop.get_executor(), settings, *pacer, sizes, goodput,
                                            [this] { return now; });
        return reconnect();
    }
    Result<void> reconnect() { return await(loop, cloud->connect(unwatched)); }

    void expect_refused(const std::string& why) {
        const Result<void> connected = connect();
        ASSERT_FALSE(connected);
        EXPECT_EQ(connected.error().code, Errc::refused);
        EXPECT_NE(connected.error().what.find(why), std::string::npos) << connected.error().what;
    }

    /// What next() says within a little while; it looks at the clock when it is called.
    Result<Downlink> next() { return await(loop, cloud->next(100ms)); }

    Result<TlsValidity> examine(Utc at) {
        TlsTarget target;
        target.host = settings.host;
        target.port = settings.port;
        target.ca_file = settings.ca_file;
        target.at = std::chrono::floor<std::chrono::seconds>(at);
        return examine_tls(target, 5s);
    }

    TempFolder folder;
    Pki pki{folder};
    asio::io_context loop{1};
    PlatformSettings settings;
    JudgedTime now;
    std::unique_ptr<Pacer> pacer;
    PayloadLimit sizes{64 * 1024};
    Goodput goodput{Limits()};
    std::unique_ptr<MqttCloud> cloud;
    std::optional<Mosquitto> broker;
};

struct Site {
    Utc system, built;
    std::optional<Utc> last_proven;
};

// Every combination of what the system clock shows, when we were built, what was proven once.
std::vector<Site> sites() {
    std::vector<Site> all;
    for (const Utc system : {day(1970, 1, 1), day(2020, 1, 1), today() + 12h, day(2099, 1, 1)})
        for (const Utc built : {day(2019, 6, 1), today() - days(2)})
            for (const std::optional<Utc>& last : {std::optional<Utc>(), std::optional(today())})
                all.push_back({system, built, last});
    return all;
}

JudgedTime judged_by(const Site& site) {
    const Instant boot{};
    EventClock clock(site.built);
    clock.observe(boot, site.system, false);
    if (site.last_proven) clock.remember(*site.last_proven);
    return clock.judged(boot, site.system);
}

TEST_F(CertificateTest, IsTakenUnlessItHasExpiredByTheLatestTimeThatIsKnown) {
    const std::vector<std::pair<Utc, Utc>> validities{
        {today() - days(30), today() + days(30)},  // valid
        {today() - days(1), today() + days(30)},   // younger than the build
        {day(2019, 1, 1), day(2020, 6, 1)},        // expired
        {day(2020, 1, 1), today() - days(1)},      // expired yesterday, after the build
        {day(2050, 1, 1), day(2051, 1, 1)},        // not yet
    };
    int taken = 0, refused = 0;
    for (const auto& [from, until] : validities) {
        show(from, until);
        for (const Site& site : sites()) {
            const JudgedTime judged = judged_by(site);
            const Utc latest =
                std::max({site.system, site.built, site.last_proven.value_or(Utc())});
            EXPECT_EQ(judged.at, latest);
            EXPECT_FALSE(judged.proven);
            const bool good = std::max(latest, from) < std::min(until, day(2089, 1, 1));
            const Result<TlsValidity> seen = examine(judged.at);
            const std::string what =
                "from " + event_time_seconds(from) + " until " + event_time_seconds(until) +
                " at " + event_time_seconds(latest) + ": " + (seen ? "taken" : seen.error().what);
            EXPECT_EQ(seen.has_value(), good) << what;
            if (seen) {
                EXPECT_EQ(seen->from, from) << what;
                EXPECT_EQ(seen->until, until) << what;
                ++taken;
            } else {
                EXPECT_NE(seen.error().what.find("certificate expired on"), std::string::npos)
                    << what;
                ++refused;
            }
        }
    }
    EXPECT_EQ(taken + refused, 80);
    EXPECT_GT(taken, 20);
    EXPECT_GT(refused, 20);
}

TEST_F(CertificateTest, IsTakenByAProvenClockOnlyWhileItIsValid) {
    show(today() - days(3), today() + days(3));
    now.proven = true;
    for (const Utc at : {today() - days(2), today() + days(2)}) {
        now.at = at;
        const Result<void> connected = connect();
        EXPECT_TRUE(connected) << connected.error().what;
        EXPECT_EQ(cloud->certificate(), Certificate::valid);
    }
    now.at = day(2020, 1, 1);
    expect_refused("certificate not valid before " +
                   minute_text(std::chrono::floor<std::chrono::seconds>(today() - days(3))) +
                   " (by our clock it is 2020-01-01 00:00 UTC)");
    EXPECT_EQ(cloud->certificate(), Certificate::none);
    now.at = today() + days(4);
    expect_refused("certificate expired on");
}

TEST_F(CertificateTest, MustBeOurAuthoritysAndForThisHostThoughTheClockIsLate) {
    now.at = day(2020, 1, 1);
    pki.make_authority("other", "other", validity(day(2019, 1, 1), day(2089, 1, 1)));
    pki.make("server", "other", here, validity(today() - days(1), today() + days(9)));
    show({"server"});
    expect_refused("certificate signed by an unknown authority");
    pki.make("server", "ca", "DNS:iot.example.com", validity(today() - days(1), today() + days(9)));
    show({"server"});
    expect_refused("certificate is for another host than localhost");
    pki.make_self_signed("server", here);
    show({"server"});
    expect_refused("certificate is self-signed");
}

TEST_F(CertificateTest, IsAsGoodAsTheWholeOfItsChain) {
    now.at = day(2026, 1, 1);
    pki.make_authority("middle", "ca", validity(day(2030, 1, 1), day(2040, 1, 1)));
    pki.make("server", "middle", here, validity(day(2025, 1, 1), day(2035, 1, 1)));
    show({"server", "middle"});
    const Result<void> early = connect();
    EXPECT_TRUE(early) << early.error().what;
    EXPECT_EQ(cloud->certificate(), Certificate::early);

    pki.make_authority("middle", "ca", validity(day(2019, 1, 1), day(2025, 12, 31)));
    pki.make("server", "middle", here, validity(day(2025, 1, 1), day(2035, 1, 1)));
    show({"server", "middle"});
    expect_refused("certificate expired on 2025-12-31");

    // Never valid: one has expired when the other begins.
    pki.make_authority("middle", "ca", validity(day(2019, 1, 1), day(2027, 1, 1)));
    pki.make("server", "middle", here, validity(day(2028, 1, 1), day(2035, 1, 1)));
    show({"server", "middle"});
    expect_refused("certificate expired on 2027-01-01");
}

TEST_F(CertificateTest, KeepsItsLinkWhenTheClockIsProvenAndItIsValid) {
    show(today() - days(1), today() + days(9));
    now.at = day(2020, 1, 1);
    ASSERT_TRUE(connect());
    EXPECT_EQ(cloud->certificate(), Certificate::early);
    EXPECT_EQ(next().error().code, Errc::timeout);
    now = {today(), true};
    EXPECT_EQ(next().error().code, Errc::timeout);
    EXPECT_EQ(cloud->certificate(), Certificate::valid);
}

TEST_F(CertificateTest, LosesItsLinkWhenABetterTimeShowsThatItIsNotValid) {
    show(today() - days(9), today() - days(1));
    for (const JudgedTime& better : {JudgedTime{today(), true}, JudgedTime{today(), false},
                                     JudgedTime{day(2020, 1, 2), true}}) {
        now = {day(2020, 1, 1), false};
        ASSERT_TRUE(connect());
        now = better;
        const Result<Downlink> lost = next();
        ASSERT_FALSE(lost);
        EXPECT_EQ(lost.error().code, Errc::closed);
        EXPECT_NE(lost.error().what.find("certificate"), std::string::npos) << lost.error().what;
        EXPECT_FALSE(reconnect());
    }
}

TEST_F(CertificateTest, IsTheLimitOfWhatThePlatformCanSayOfTheTime) {
    show(today() - days(9), today() - days(1));
    now.at = day(2020, 1, 1);
    ASSERT_TRUE(connect());
    EXPECT_TRUE(cloud->believes(today() - days(5)));
    EXPECT_FALSE(cloud->believes(today() - days(10)));  // a clock that is late: it goes on asking
    EXPECT_TRUE(cloud->session().up());

    EXPECT_FALSE(cloud->believes(today()));
    EXPECT_FALSE(cloud->session().up());
    EXPECT_EQ(next().error().what, "the platform's certificate has expired, by its own word");
    for (int i = 0; i < 2; ++i) {
        const Result<void> again = reconnect();
        ASSERT_FALSE(again);
        EXPECT_NE(again.error().what.find("certificate expired on"), std::string::npos)
            << again.error().what;
    }
    now = {today() - days(2), true};  // but a better clock knows better
    EXPECT_TRUE(reconnect());
    EXPECT_FALSE(cloud->believes(today()));
    EXPECT_TRUE(cloud->session().up());
}

TEST_F(CertificateTest, IsTheLimitOfWhatThePlatformCanSayToAProvenClockToo) {
    show(today() - days(9), today() + days(9));
    now = {today(), true};
    ASSERT_TRUE(connect());
    for (const Utc wrong : {day(2040, 1, 1), today() + days(9), today() - days(10)})
        EXPECT_FALSE(cloud->believes(wrong));
    EXPECT_TRUE(cloud->believes(today() + days(8)));
    EXPECT_TRUE(cloud->session().up());

    now.vouched = now.at;
    EXPECT_FALSE(cloud->believes(today() + days(8)));
    EXPECT_TRUE(cloud->believes(today() + 1h));
    EXPECT_TRUE(cloud->session().up());
    await(loop, cloud->disconnect());
    ASSERT_TRUE(reconnect());  // without another look
    now.vouched.reset();
    EXPECT_FALSE(cloud->believes(day(2040, 1, 1)));
    EXPECT_TRUE(cloud->session().up());
}

}  // namespace
}  // namespace fieldgate::northbound::iotda
