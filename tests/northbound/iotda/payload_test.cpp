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

TEST(Payload, ReportsWhoIsOnline) {
    const std::vector<SubDeviceStatus> statuses{{"METER-01", DeviceStatus::online},
                                                {"METER-02", DeviceStatus::offline}};
    EXPECT_EQ(
        encode_status(statuses, "5b7e", moment),
        R"({"services":[{"service_id":"$sub_device_manager","event_type":"sub_device_update_status",)"
        R"("event_time":"20250414T010203Z","event_id":"5b7e","paras":{"device_statuses":[)"
        R"({"device_id":"METER-01","status":"ONLINE"},{"device_id":"METER-02","status":"OFFLINE"}]}}]})");
}

// Protocol reference 4.5.
TEST(Payload, ReadsWhichStatusesWereRefused) {
    const auto responses = decode_status_responses(
        R"({"object_device_id":null,"services":[{"service_id":"$time_sync","event_type":"x"},
        {"service_id":"$sub_device_manager","event_type":"sub_device_update_status_response",
        "event_id":"5b7e","paras":{"successful_devices":[{"device_id":"METER-01","status":"ONLINE"}],
        "failed_devices":[{"device_id":"METER-02","error_code":"IOTDA.014000",
        "error_msg":"The device does not exist."}]}}]})");

    ASSERT_TRUE(responses);
    ASSERT_EQ(responses->size(), 1U);
    const StatusResponse& response = responses->front();
    EXPECT_EQ(response.event_id, "5b7e");
    EXPECT_EQ(response.successful, 1U);
    ASSERT_EQ(response.failures.size(), 1U);
    EXPECT_EQ(response.failures[0].device_id, "METER-02");
    EXPECT_EQ(response.failures[0].code, "IOTDA.014000");
    EXPECT_EQ(response.failures[0].message, "The device does not exist.");
}

TEST(Payload, RefusesWhatIsNoEvent) {
    for (const char* text : {"", "{", "[]", "{}", R"({"services":{}})", R"({"services":null})"}) {
        const auto responses = decode_status_responses(text);
        ASSERT_FALSE(responses) << text;
        EXPECT_EQ(responses.error().code, Errc::bad_data) << text;
    }
}

TEST(Payload, ToleratesMissingAndStrangeMembers) {
    for (const char* text :
         {R"({"services":[]})", R"({"services":[1,null,"x",{}]})",
          R"({"services":[{"event_type":"sub_device_update_status_response"}]})",
          R"({"services":[{"event_type":"sub_device_update_status_response","paras":
             {"successful_devices":7,"failed_devices":[null,3,{"device_id":5}]}}]})"})
        EXPECT_TRUE(decode_status_responses(text)) << text;
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
