// Links that carry little: what the platform asks is answered in time beside any backlog, and the
// backlog itself gets through on one connection.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>

#include "tests/e2e/site.h"
#include "tests/fakes/paced_relay.h"
#include "tests/fakes/scripted_broker.h"
#include "tests/lab/platform/answers.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

using Clock = std::chrono::steady_clock;
using fakes::PacedRelay;
using fakes::ScriptedBroker;

bool campaign() { return std::getenv("FIELDGATE_CAMPAIGN") != nullptr; }

class SlowLink : public testing::Test {
protected:
    // A platform that is away until `records` wait for it. `kbit`: the link's thousand bits a
    // second.
    void start(double kbit, const std::string& every, std::int64_t records) {
        script_.answers = lab::answering(Site::gateway_id);
        script_.connack = 3;
        broker_.play(script_);
        PacedRelay::Settings line;
        line.bytes_per_second = kbit * 125;
        relay_ = std::make_unique<PacedRelay>(broker_.port(), line);
        Site::Settings settings;
        settings.endpoint = "mqtt://127.0.0.1:" + std::to_string(relay_->port());
        settings.every = every;
        settings.platform_more = "  reconnect: { from: 100ms, to: 1s }\n";
        site_ = std::make_unique<Site>(settings);
        site_->start();
        ASSERT_TRUE(lab::wait_until([&] { return site_->book("pending") >= records; }, 30s))
            << site_->log();
    }

    void admit() {
        refused_ = broker_.connects().size();
        script_.connack = 0;
        broker_.play(script_);
        ASSERT_TRUE(lab::wait_until([&] { return site_->book("acknowledged") > 0; }, 60s))
            << site_->log();
    }

    // How often each number came.
    std::map<std::string, int> numbers() const {
        constexpr std::string_view key = "\"number\":";
        std::map<std::string, int> counts;
        for (const ScriptedBroker::Publish& publish : broker_.publishes())
            for (auto at = publish.payload.find(key); at != std::string::npos;
                 at = publish.payload.find(key, at + 1)) {
                const auto from = at + key.size();
                const auto to = publish.payload.find_first_not_of("0123456789", from);
                ++counts[publish.payload.substr(from, to - from)];
            }
        return counts;
    }

    ScriptedBroker broker_;
    ScriptedBroker::Script script_;
    std::unique_ptr<PacedRelay> relay_;
    std::unique_ptr<Site> site_;
    std::size_t refused_ = 0;
};

// When each answer came, by request id.
std::map<std::string, Clock::time_point> answers_in(const ScriptedBroker& broker) {
    std::map<std::string, Clock::time_point> all;
    for (const ScriptedBroker::Publish& publish : broker.publishes()) {
        const auto at = publish.topic.find("/response/request_id=");
        if (at != std::string::npos) all.emplace(publish.topic.substr(at + 21), publish.at);
    }
    return all;
}

TEST_F(SlowLink, AnswersWithinFiveSecondsBesideABacklogOn64Kbits) {
    start(64, "100ms", 1000);
    admit();
    const std::size_t count = campaign() ? 60 : 10;
    std::vector<Clock::time_point> asked;
    for (std::size_t i = 0; i < count; ++i) {
        asked.push_back(Clock::now());
        broker_.send(
            "$oc/devices/" + std::string(Site::gateway_id) +
                "/sys/properties/get/request_id=" + std::to_string(i),
            R"({"object_device_id":")" + Site::device_id(1) + R"(","service_id":"Testimony"})");
        std::this_thread::sleep_for(1s);  // a question a second, however fast the answers are
    }
    (void)broker_.wait_for([&](const ScriptedBroker& b) { return answers_in(b).size() == count; },
                           15s);
    const auto answers = answers_in(broker_);
    std::chrono::duration<double> slowest{0};
    for (std::size_t i = 0; i < count; ++i) {
        const auto answer = answers.find(std::to_string(i));
        if (answer == answers.end()) {
            ADD_FAILURE() << "no answer to question " << i;
            continue;
        }
        slowest = std::max<std::chrono::duration<double>>(slowest, answer->second - asked[i]);
    }
    std::printf(
        "figure: 64 kbit/s, a backlog under way: %zu of %zu answered, the slowest in %.2f s\n",
        answers.size(), count, slowest.count());
    EXPECT_LE(slowest, 5s) << site_->log();
    EXPECT_GT(site_->book("pending"), 0) << "the backlog was gone too early to be in the way";
    EXPECT_EQ(broker_.connects().size(), refused_ + 1) << site_->log();
}

TEST_F(SlowLink, DrainsABacklogOnOneConnectionAt10Kbits) {
    start(10, "100ms", campaign() ? 2000 : 190);
    site_->witness().fall_silent();
    const std::int64_t said = site_->book("accepted");
    const auto began = Clock::now();
    admit();
    const bool gone =
        lab::wait_until([&] { return site_->book("pending") == 0; }, campaign() ? 600s : 60s);
    const std::chrono::duration<double> took = Clock::now() - began;
    int twice = 0;
    for (const auto& [number, times] : numbers())
        if (times > 1) ++twice;
    std::printf("figure: 10 kbit/s: %lld records, %s after %.1f s, %zu links, %d records twice\n",
                static_cast<long long>(said), gone ? "gone" : "NOT gone", took.count(),
                broker_.connects().size() - refused_, twice);
    EXPECT_TRUE(gone) << site_->log();
    EXPECT_EQ(broker_.connects().size(), refused_ + 1) << site_->log();
    EXPECT_EQ(twice, 0);
    EXPECT_GE(numbers().size(), static_cast<std::size_t>(said));
}

}  // namespace
}  // namespace fieldgate::e2e
