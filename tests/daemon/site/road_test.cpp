#include "daemon/site/road.h"

#include <gtest/gtest.h>

#include "tests/daemon/config/site.h"
#include "tests/daemon/site/make.h"
#include "tests/fakes/scripted_broker.h"
#include "tests/storage/loop.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

using fakes::ScriptedBroker;

/// A road to a broker that never says anything, and another that it is to be replaced by.
class SilentRoad : public testing::Test {
protected:
    SilentRoad() {
        ScriptedBroker::Script silence;
        silence.connack = ScriptedBroker::Script::never;
        for (ScriptedBroker* broker : {&broker_, &other_}) broker->play(silence);
    }
    SitePtr site(northbound::Scheme scheme, const ScriptedBroker& broker) {
        Config config = *files_.load().config;
        config.platform.scheme = scheme;
        config.platform.host = "127.0.0.1";
        config.platform.port = broker.port();
        return test::make(std::move(config));
    }
    /// How connect() has ended; nullopt: not yet.
    std::optional<Result<void>> replaced_in_the_middle(northbound::Scheme scheme) {
        Road road(loop_.loop.get_executor(), {pacer_, sizes_, goodput_, now_},
                  site(scheme, broker_));
        std::optional<Result<void>> ended;
        asio::co_spawn(loop_.loop, road.connect([] {}),
                       [&](const std::exception_ptr&, const Result<void>& how) { ended = how; });
        EXPECT_TRUE(loop_.until([&] { return broker_.links() == 1; }));
        const auto old = road.replace(site(northbound::Scheme::mqtt, other_));
        EXPECT_TRUE(loop_.until([&] { return ended.has_value(); }, 15s));
        broker_.kick();  // what the library still waits for
        EXPECT_TRUE(loop_.until([&] { return ended.has_value(); }, 60s));
        return ended;
    }

    test::Site files_;
    storage::Loop loop_;
    ScriptedBroker broker_;
    ScriptedBroker other_;
    northbound::Limits limits_;
    northbound::Pacer pacer_{limits_};
    northbound::PayloadLimit sizes_{limits_.payload_bytes};
    northbound::Goodput goodput_{limits_};
    std::function<JudgedTime()> now_ = [] {
        return JudgedTime{std::chrono::floor<Utc::duration>(std::chrono::system_clock::now())};
    };
};

TEST_F(SilentRoad, AbandonsTheLoginThatIsUnderWay) {
    const auto ended = replaced_in_the_middle(northbound::Scheme::mqtt);
    EXPECT_EQ(ended->error().what, "platform: has been changed");
}

TEST_F(SilentRoad, AbandonsTheLookAtTheCertificateThatIsUnderWay) {
    const auto ended = replaced_in_the_middle(northbound::Scheme::mqtts);
    EXPECT_EQ(ended->error().what, "platform: has been changed");
}

}  // namespace
}  // namespace fieldgate
