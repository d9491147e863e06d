#include "northbound/iotda/sub_devices.h"

#include <gtest/gtest.h>

namespace fieldgate::northbound::iotda {
namespace {

using namespace std::chrono_literals;

constexpr Utc moment = std::chrono::sys_days(std::chrono::year(2025) / 4 / 14) + 1h + 2min + 3s;

TEST(SubDevices, ReportsWhoIsOnline) {
    const std::vector<SubDeviceStatus> statuses{{"METER-01", DeviceStatus::online},
                                                {"METER-02", DeviceStatus::offline}};
    EXPECT_EQ(
        encode_status(statuses, "5b7e", moment),
        R"({"services":[{"service_id":"$sub_device_manager","event_type":"sub_device_update_status",)"
        R"("event_time":"20250414T010203Z","event_id":"5b7e","paras":{"device_statuses":[)"
        R"({"device_id":"METER-01","status":"ONLINE"},{"device_id":"METER-02","status":"OFFLINE"}]}}]})");
}

}  // namespace
}  // namespace fieldgate::northbound::iotda
