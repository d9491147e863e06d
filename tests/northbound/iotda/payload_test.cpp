#include "northbound/iotda/payload.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "northbound/iotda/topics.h"

namespace fieldgate::northbound::iotda {
namespace {

using namespace std::chrono_literals;

constexpr Utc moment = std::chrono::sys_days(std::chrono::year(2025) / 4 / 14) + 1h + 2min + 3s;

TEST(Payload, SaysWhoWeAre) {
    EXPECT_EQ(encode_sdk_info("0.1.0", moment),
              R"({"services":[{"service_id":"$sdk_info","event_type":"sdk_info_report",)"
              R"("event_time":"20250414T010203Z","paras":{"device_sdk_version":"fieldgate_v0.1.0",)"
              R"("sw_version":"0.1.0"}}]})");
}

// Protocol reference 0.4.
TEST(Topics, AreThoseOfThePlatform) {
    EXPECT_EQ(own_report_topic("gw"), "$oc/devices/gw/sys/properties/report");
    EXPECT_EQ(batch_report_topic("gw"), "$oc/devices/gw/sys/gateway/sub_devices/properties/report");
    EXPECT_EQ(events_up_topic("gw"), "$oc/devices/gw/sys/events/up");
    EXPECT_EQ(downlink_filters("gw").back(), events_down_topic("gw"));
}

}  // namespace
}  // namespace fieldgate::northbound::iotda
