// The living site in a storm: requests of the platform flood in, it comes and goes, a backlog is
// replayed, cables are pulled, and the site changes all the time.
#include <set>

#include "base/json.h"
#include "tests/daemon/site/living_site.h"
#include "tests/fakes/scripted_broker.h"
#include "tests/lab/platform/answers.h"

namespace fieldgate {
namespace {

using fakes::ScriptedBroker;
namespace codes = northbound::result_code;

/// What the platform has heard.
struct Heard {
    std::map<std::string, std::set<std::string>> answers;  ///< by request id
    std::map<std::string, std::set<std::string>> records;  ///< by device, service and time
    std::size_t seen = 0;

    void read(const ScriptedBroker& broker) {
        for (const ScriptedBroker::Publish& publish : broker.publishes(seen)) {
            ++seen;
            if (publish.topic.find("properties/set/response/") != std::string::npos)
                answers[publish.topic.substr(publish.topic.find('=') + 1)].insert(publish.payload);
            if (publish.topic.ends_with("sub_devices/properties/report")) read(publish.payload);
        }
    }
    void read(const std::string& report) {
        const Result<json::Value> parsed = json::parse(report);
        ASSERT_TRUE(parsed) << report;
        for (const json::Value& device : *parsed->get("devices")->array())
            for (const json::Value& service : *device.get("services")->array()) {
                std::string body;
                json::append_value(body, *service.get("properties"));
                records[*device.get("device_id")->string() + ' ' +
                        *service.get("event_time")->string()]
                    .insert(body);
            }
    }
};

class LivingStorm : public LivingSite {
protected:
    LivingStorm() {
        script_.answers = lab::answering("gw");
        broker_.play(script_);
        platform_at(broker_.port());
        while (!files_.load().ok()) roll();
    }

    void away(bool is_away) {
        script_.connack = is_away ? 3 : 0;
        broker_.play(script_);
        if (is_away) broker_.kick();
    }
    /// A value that is written nowhere else, and now and then a copy of one of before.
    void ask() {
        const bool copy = asked_ > 0 && pick(0, 4) == 0;
        const int number = copy ? pick(std::max(1, asked_ - 5), asked_) : ++asked_;
        const int unit = number % units + 1;
        broker_.send("$oc/devices/gw/sys/properties/set/request_id=" + std::to_string(number),
                     R"({"object_device_id":"p_N)" + std::to_string(unit) +
                         R"(","services":[{"service_id":"S","properties":{"w":)" +
                         std::to_string(number) + "}}]}");
    }
    /// How often each value has reached a slave.
    std::map<int, int> written() {
        std::map<int, int> times;
        for (std::size_t port = 0; port < ports; ++port)
            for (std::uint8_t unit = 1; unit <= units; ++unit)
                for (const lab::WriteSeen& write :
                     plant_.writes("plc" + std::to_string(port), unit))
                    ++times[write.pdu.at(write.pdu.size() - 2) << 8 | write.pdu.back()];
        return times;
    }
    /// Away at first, and later now and then for a second or two. Who loses three links of
    /// less than 5 s takes his platform for one that another gateway uses, and waits for a minute.
    void come_and_go() {
        const auto now = std::chrono::steady_clock::now();
        if (now < turns_at_) return;
        const bool leaves = script_.connack == 0;
        turns_at_ = now + (leaves ? 1ms * pick(100, 2000) : 8s);
        away(leaves);
    }
    void storm(Gateway& gateway) {
        const bool well = roll();
        std::string unplugged;
        if (pick(0, 9) == 0) unplugged = "plc" + std::to_string(pick(0, ports - 1));
        if (!unplugged.empty()) plant_.unplug(unplugged);
        come_and_go();
        for (int count = pick(0, 8); count > 0; --count) ask();
        const SiteKeeper::Report report = loop_.run(gateway.reload("a test"));
        EXPECT_EQ(report.exit, well ? Exit::well : Exit::configuration)
            << test::all(report.problems);
        for (int count = pick(0, 3); count > 0; --count) ask();
        const auto until = std::chrono::steady_clock::now() + 1ms * pick(0, 60);
        loop_.until([&] { return std::chrono::steady_clock::now() > until; });
        if (!unplugged.empty()) plant_.plug(unplugged);
        heard_.read(broker_);
        EXPECT_TRUE(gateway.stuck(40s).empty());
    }
    void expect_one_verdict_each() {
        std::map<int, int> written_times = written();
        std::map<int, std::size_t> by_code;
        for (const auto& [id, answers] : heard_.answers) {
            EXPECT_EQ(answers.size(), 1U) << id << ": " << *answers.begin() << *answers.rbegin();
            const Result<json::Value> answer = json::parse(*answers.begin());
            ASSERT_TRUE(answer) << *answers.begin();
            const auto code = static_cast<int>(*answer->get("result_code")->integer());
            ++by_code[code];
            const int times = written_times[std::stoi(id)];
            if (code == codes::success) {
                EXPECT_EQ(times, 1) << id;
            } else if (code != codes::unknown) {
                EXPECT_EQ(times, 0) << id;
            }
        }
        for (const auto& [value, times] : written_times) EXPECT_LE(times, 1) << value;
        std::printf("figure: storm: %d requests, %zu answered:", asked_, heard_.answers.size());
        for (const auto& [code, count] : by_code) std::printf(" code %d: %zu", code, count);
        std::printf("\n");
        EXPECT_GT(by_code[codes::success], 0U);
    }

    ScriptedBroker broker_;
    ScriptedBroker::Script script_;
    Heard heard_;
    int asked_ = 0;
    std::chrono::steady_clock::time_point turns_at_;
};

TEST_F(LivingStorm, KeepsItsBooksAndItsWord) {
    const int rounds = std::getenv("FIELDGATE_CAMPAIGN") != nullptr ? 1000 : 60;
    {
        Gateway gateway(loop_.loop.get_executor(), files_.path("fieldgate.yaml"),
                        *files_.load().config);
        ASSERT_TRUE(gateway.start());
        for (int round = 0; round < rounds; ++round) storm(gateway);
        away(false);
        EXPECT_TRUE(loop_.until([&] {
            heard_.read(broker_);
            const storage::Books books = gateway.status().store.books;
            return books.pending < 500 && books.acknowledged > 0;
        }));
        const storage::Books books = gateway.status().store.books;
        EXPECT_EQ(books.accepted,
                  books.acknowledged + books.pending + books.evicted + books.quarantined);
        EXPECT_EQ(books.evicted + books.quarantined, 0U);
        EXPECT_TRUE(loop_.run(gateway.stop()));
    }
    heard_.read(broker_);
    expect_one_verdict_each();
    std::size_t doubtful = 0;
    for (const auto& [series, bodies] : heard_.records) doubtful += bodies.size() > 1;
    std::printf("figure: storm: %zu records arrived\n", heard_.records.size());
    EXPECT_EQ(doubtful, 0U) << "two values told of the same time";
}

}  // namespace
}  // namespace fieldgate
