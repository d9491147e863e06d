// What the platform sends: answered where it wants an answer, understood where it tells something.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "tests/e2e/site.h"
#include "tests/fakes/scripted_broker.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

using fakes::ScriptedBroker;

std::string sys(const std::string& tail) {
    return std::string("$oc/devices/") + Site::gateway_id + "/sys/" + tail;
}

// The answers to request `id`.
std::vector<lab::Message> answers(Site& site, const std::string& id) {
    std::vector<lab::Message> found;
    for (const lab::Message& message : site.platform().messages())
        if (message.topic.ends_with("/response/request_id=" + id)) found.push_back(message);
    return found;
}

TEST(Downlink, RefusesWhatTheFileDoesNotAllow) {
    Site site;
    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return site.platform().counts().records > 0; }, 15s))
        << site.log();
    const std::string device = R"({"object_device_id":")" + Site::device_id(1) + R"(",)";
    struct Case {
        std::string id, tail, payload, answer;
    };
    const std::vector<Case> cases{
        {"s", "properties/set/",
         device + R"("services":[{"service_id":"Testimony",)"
                  R"("properties":{"number":1}}]})",
         R"("result_code":1)"},
        {"c", "commands/",
         device + R"("service_id":"Testimony","command_name":"RESET","paras":{}})",
         R"("result_code":1)"},
        {"m", "commands/", "no JSON at all", R"("result_code":2)"},
    };
    for (const Case& one : cases) {
        ASSERT_TRUE(
            site.platform().send(Site::gateway_id, one.tail + "request_id=" + one.id, one.payload));
        EXPECT_TRUE(lab::wait_until([&] { return !answers(site, one.id).empty(); }, 15s))
            << one.payload << site.log();
        const auto told = answers(site, one.id);
        ASSERT_EQ(told.size(), 1U);
        EXPECT_EQ(told[0].topic, sys(one.tail + "response/request_id=" + one.id));
        EXPECT_NE(told[0].payload.find(one.answer), std::string::npos) << told[0].payload;
    }
    EXPECT_EQ(*site.status()->get("link")->get("passed_over")->integer(), 0);
}

TEST(Downlink, AsksThePlatformForTheTimeAfterConnecting) {
    Site site;
    site.start();
    const auto round_trip = [&]() -> std::optional<std::int64_t> {
        const std::optional<json::Value> now = site.status();
        const json::Value* known = now ? now->get("clock")->get("platform_round_trip_ms") : nullptr;
        return known ? std::optional(*known->integer()) : std::nullopt;
    };
    ASSERT_TRUE(lab::wait_until([&] { return round_trip().has_value(); }, 15s)) << site.log();
    EXPECT_LE(*round_trip(), 2000);
    const std::optional<json::Value> now = site.status();
    EXPECT_EQ(*now->get("clock")->get("quality")->string(), "proven");
    EXPECT_LE(std::abs(*now->get("clock")->get("system_off_ms")->integer()), 1000);
    EXPECT_TRUE(site.platform().violations().empty());
}

std::int64_t resident_kb(Site& site) {
    const std::string status =
        lab::read_file("/proc/" + std::to_string(site.gateway().pid()) + "/status");
    return std::stol(status.substr(status.find("VmRSS:") + 6));
}

// The longest time between two readings of a device, since `from_ms`.
std::int64_t longest_gap_ms(Site& site, std::int64_t from_ms) {
    std::map<std::uint8_t, std::int64_t> last;
    std::int64_t longest = 0;
    for (const Witness::Said& said : site.witness().said()) {
        if (said.at_ms < from_ms) continue;
        const auto [before, first] = last.emplace(said.unit, said.at_ms);
        if (!first) longest = std::max(longest, said.at_ms - before->second);
        before->second = said.at_ms;
    }
    return longest;
}

TEST(Downlink, TenThousandCommandsAtOnceCostLittle) {
    ScriptedBroker broker;
    broker.play(ScriptedBroker::Script());
    Site::Settings settings;
    settings.endpoint = "mqtt://127.0.0.1:" + std::to_string(broker.port());
    Site site(settings);
    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return site.book("acknowledged") > 200; }, 15s))
        << site.log();
    const std::int64_t before = resident_kb(site);
    const std::int64_t from = Site::now_ms();
    const auto command = [&](const std::string& id) {
        broker.send(sys("commands/request_id=" + id),
                    R"({"object_device_id":")" + Site::device_id(1) +
                        R"(","service_id":"Testimony","command_name":"RESET","paras":{"a":1}})");
    };
    for (int i = 0; i < 10'000; ++i) command(std::to_string(i));
    const auto said = [&](const char* part, const char* name) {
        const std::optional<json::Value> now = site.status();
        return now ? static_cast<std::size_t>(*now->get(part)->get(name)->integer()) : 0;
    };
    EXPECT_TRUE(lab::wait_until([&] { return said("requests", "received") == 10'000; }, 15s))
        << site.log();
    const std::int64_t grown = resident_kb(site) - before;
    std::printf(
        "figure: 10,000 commands at once: %ld KB more memory, longest gap of a device %ld ms\n",
        grown, longest_gap_ms(site, from));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LE(grown, 10 * 1024);
#endif
    EXPECT_EQ(said("link", "dropped"), 0U);
    const std::size_t given_up = said("link", "unanswered");
    const auto all = broker.publishes();
    const auto answers = std::count_if(all.begin(), all.end(), [](const auto& publish) {
        return publish.topic.find("/commands/response/") != std::string::npos;
    });
    EXPECT_GE(static_cast<std::size_t>(answers) + given_up, 10'000U - 74)
        << "64 may wait for their turn and 10 for their PUBACK";
    EXPECT_EQ(broker.connects().size(), 1U);
}

}  // namespace
}  // namespace fieldgate::e2e
