#include "northbound/iotda/shadow.h"

#include <gtest/gtest.h>

#include "northbound/iotda/downlink.h"

namespace fieldgate::northbound::iotda {
namespace {

Shadow shadow(const std::string& payload) {
    const Decoded decoded =
        decode("gw", "$oc/devices/gw/sys/shadow/get/response/request_id=s-1", payload);
    if (decoded.downlinks.size() != 1) throw std::runtime_error("not one: " + payload);
    return std::get<Shadow>(std::get<Notice>(decoded.downlinks.front()));
}

// Protocol reference 2.5.
TEST(Shadow, IsAskedFor) {
    EXPECT_EQ(shadow_topic("gw", "s-1"), "$oc/devices/gw/sys/shadow/get/request_id=s-1");
    EXPECT_EQ(encode_shadow_question({"s-1", "METER-01", "Limits"}),
              R"({"object_device_id":"METER-01","service_id":"Limits"})");
    EXPECT_EQ(encode_shadow_question({"s-1", "", std::nullopt}), "{}");
}

TEST(Shadow, TellsWhatIsWantedAndWhatIsBelieved) {
    const Shadow read = shadow(
        R"({"object_device_id":"METER-01","shadow":[{"service_id":"Limits",
            "desired":{"properties":{"i_max":16},"event_time":"20250414T010203Z"},
            "reported":{"properties":{"i_max":10,"u_max":250},"event_time":"20250414T005959Z"},
            "version":7},{"service_id":"Relay","desired":null}]})");
    EXPECT_EQ(read.request_id, "s-1");
    EXPECT_EQ(read.device_id, "METER-01");
    ASSERT_EQ(read.services.size(), 2U);
    EXPECT_EQ(read.services[0].service_id, "Limits");
    ASSERT_EQ(read.services[0].desired.size(), 1U);
    EXPECT_EQ(*read.services[0].desired[0].second.integer(), 16);
    EXPECT_EQ(read.services[0].reported.size(), 2U);
    EXPECT_EQ(read.services[0].version, 7);
    EXPECT_TRUE(read.services[1].desired.empty());
    EXPECT_FALSE(read.services[1].version);
}

TEST(Shadow, OfTheGatewayNamesNoSubDevice) {
    EXPECT_EQ(shadow(R"({"object_device_id":"gw","shadow":[]})").device_id, "");
}

}  // namespace
}  // namespace fieldgate::northbound::iotda
