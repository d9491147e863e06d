// What the platform sends: answered where it wants an answer, understood where it tells something.
#include <gtest/gtest.h>

#include "tests/e2e/site.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

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

}  // namespace
}  // namespace fieldgate::e2e
