#include "northbound/iotda/registration.h"

#include <gtest/gtest.h>

#include "northbound/iotda/downlink.h"

namespace fieldgate::northbound::iotda {
namespace {

using namespace std::chrono_literals;

constexpr Utc moment = std::chrono::sys_days(std::chrono::year(2025) / 4 / 14) + 1h + 2min + 3s;

template <class What>
What response(const std::string& type, const std::string& paras) {
    const Decoded decoded =
        decode("gw", "$oc/devices/gw/sys/events/down",
               R"({"services":[{"service_id":"$sub_device_manager","event_type":")" + type +
                   R"(","event_id":"a1f0","paras":)" + paras + "}]}");
    if (decoded.downlinks.size() != 1) throw std::runtime_error("not one: " + paras);
    return std::get<What>(std::get<Notice>(decoded.downlinks.front()));
}

// Protocol reference 4.6.
TEST(Registration, AddsDevices) {
    AddSubDevices request;
    request.event_id = "a1f0";
    request.devices.push_back({"METER-03", "p", "p_METER-03", "meter \"3\"", R"({"unit":5})"});
    request.devices.push_back({"METER-04", "p", "", "", ""});
    EXPECT_EQ(
        encode_add(request, "gw", moment),
        R"({"services":[{"service_id":"$sub_device_manager","event_type":"add_sub_device_request",)"
        R"("event_time":"20250414T010203Z","event_id":"a1f0","paras":{"devices":[)"
        R"({"node_id":"METER-03","product_id":"p","parent_device_id":"gw",)"
        R"("device_id":"p_METER-03","name":"meter \"3\"","extension_info":{"unit":5}},)"
        R"({"node_id":"METER-04","product_id":"p","parent_device_id":"gw"}]}}]})");
}

// Protocol reference 4.7: a failure names node and product, no device.
TEST(Registration, ReadsWhichOfThemWereAdded) {
    const auto added = response<AddResponse>(
        "add_sub_device_response",
        R"({"successful_devices":[{"parent_device_id":"gw","node_id":"A","device_id":"p_A",
            "extension_info":null}],"failed_devices":[{"node_id":"B","product_id":"p",
            "error_code":"IOTDA.014031","error_msg":"exists"}]})");
    EXPECT_EQ(added.event_id, "a1f0");
    ASSERT_EQ(added.successful.size(), 1U);
    EXPECT_EQ(added.successful[0].device_id, "p_A");
    ASSERT_EQ(added.failed.size(), 1U);
    EXPECT_EQ(added.failed[0].node_id, "B");
    EXPECT_EQ(added.failed[0].product_id, "p");
    EXPECT_EQ(added.failed[0].code, "IOTDA.014031");
    EXPECT_EQ(added.failed[0].message, "exists");
}

// Protocol reference 4.8.
TEST(Registration, DeletesDevices) {
    EXPECT_EQ(
        encode_delete({"9c11", {"a", "b"}}, moment),
        R"({"services":[{"service_id":"$sub_device_manager","event_type":"delete_sub_device_request",)"
        R"("event_time":"20250414T010203Z","event_id":"9c11","paras":{"devices":["a","b"]}}]})");
}

// Protocol reference 4.9.
TEST(Registration, ReadsWhichOfThemWereDeleted) {
    const auto deleted = response<DeleteResponse>(
        "delete_sub_device_response",
        R"({"successful_devices":["a","b"],"failed_devices":[{"device_id":"c",
            "error_code":"IOTDA.014000","error_msg":"The device does not exist."}]})");
    EXPECT_EQ(deleted.event_id, "a1f0");
    EXPECT_EQ(deleted.successful, (std::vector<std::string>{"a", "b"}));
    ASSERT_EQ(deleted.failed.size(), 1U);
    EXPECT_EQ(deleted.failed[0].device_id, "c");
    EXPECT_EQ(deleted.failed[0].code, "IOTDA.014000");
}

}  // namespace
}  // namespace fieldgate::northbound::iotda
