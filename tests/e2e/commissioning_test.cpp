// The gateway is there before anybody has told the platform of its devices.
#include <gtest/gtest.h>

#include "tests/e2e/valve_site.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

std::string platform_of(ValveSite& valve, const std::string& device_id) {
    const std::optional<json::Value> now = valve.site().status();
    if (!now) return "";
    for (const json::Value& device : *now->get("devices")->array())
        if (*device.get("device_id")->string() == device_id)
            return *device.get("platform")->string();
    return "";
}

TEST(Commissioning, TheGatewayFirstAndTheConsoleSecond) {
    ValveSite valve;
    valve.broker().play(ValveSite::script({"e2e_D1"}));
    valve.site().start();
    const auto becomes = [&](const std::string& device_id, const std::string& word) {
        return lab::wait_until([&] { return platform_of(valve, device_id) == word; }, 20s);
    };
    const std::string refused = "refused: IOTDA.014000 The device does not exist.";
    EXPECT_TRUE(becomes(ValveSite::valve_id, refused)) << valve.site().log();
    EXPECT_TRUE(becomes("e2e_D1", "accepted")) << valve.site().log();
    EXPECT_NE(valve.site().command({"status"}).output.find(refused), std::string::npos);

    valve.broker().play(ValveSite::script({"e2e_D1", ValveSite::valve_id}));
    valve.broker().send(
        std::string("$oc/devices/") + Site::gateway_id + "/sys/events/down",
        R"({"services":[{"service_id":"$sub_device_manager","event_type":"add_sub_device_notify",)"
        R"("paras":{"version":2,"devices":[{"parent_device_id":"e2e_GW","node_id":"VALVE",)"
        R"("device_id":"e2e_VALVE","status":"INACTIVE"}]}}]})");
    EXPECT_TRUE(becomes(ValveSite::valve_id, "accepted")) << valve.site().log();
    EXPECT_EQ(platform_of(valve, "e2e_D2"), refused);
    EXPECT_EQ(valve.status(ValveSite::valve_id), "ONLINE");
    EXPECT_EQ(valve.broker().connects().size(), 1u);
    EXPECT_NE(valve.site().log().find("the platform takes a sub-device"), std::string::npos)
        << valve.site().log();
}

}  // namespace
}  // namespace fieldgate::e2e
