#include "northbound/iotda/sub_device_list.h"

#include <gtest/gtest.h>

#include "northbound/iotda/downlink.h"

namespace fieldgate::northbound::iotda {
namespace {

using namespace std::chrono_literals;

constexpr Utc moment = std::chrono::sys_days(std::chrono::year(2025) / 4 / 14) + 1h + 2min + 3s;

template <class What>
What notice(const std::string& type, const std::string& paras) {
    const Decoded decoded = decode(
        "gw", "$oc/devices/gw/sys/events/down",
        R"({"object_device_id":"gw","services":[{"service_id":"$sub_device_manager","event_type":")" +
            type + R"(","event_time":"20250414T010203Z","paras":)" + paras + "}]}");
    if (decoded.downlinks.size() != 1) throw std::runtime_error("not one: " + paras);
    return std::get<What>(std::get<Notice>(decoded.downlinks.front()));
}

// Protocol reference 4.1.
TEST(SubDeviceList, ReadsWhatWasAdded) {
    const auto added = notice<SubDevicesAdded>(
        "add_sub_device_notify",
        R"({"version":12,"devices":[{"parent_device_id":"gw","node_id":"METER-01",
            "device_id":"p_METER-01","name":"meter 1","description":null,"manufacturer_id":"acme",
            "model":"M1","product_id":"p","fw_version":null,"sw_version":null,"status":"INACTIVE",
            "extension_info":{"unit":3}},{"node_id":"METER-02","device_id":"p_METER-02"}]})");
    EXPECT_EQ(added.version, 12);
    EXPECT_EQ(added.unreadable, 0U);
    ASSERT_EQ(added.devices.size(), 2U);
    const SubDevice& first = added.devices[0];
    EXPECT_EQ(first.device_id, "p_METER-01");
    EXPECT_EQ(first.node_id, "METER-01");
    EXPECT_EQ(first.parent_device_id, "gw");
    EXPECT_EQ(first.product_id, "p");
    EXPECT_EQ(first.name, "meter 1");
    ASSERT_EQ(first.extension_info.size(), 1U);
    EXPECT_EQ(first.extension_info[0].first, "unit");
    EXPECT_TRUE(added.devices[1].extension_info.empty());
}

// Protocol reference 4.2: by device_id alone.
TEST(SubDeviceList, ReadsWhatWasDeleted) {
    const auto deleted = notice<SubDevicesDeleted>(
        "delete_sub_device_notify",
        R"({"version":13,"devices":[{"parent_device_id":"gw","node_id":null,"device_id":"a"},
                                    {"device_id":"b"}]})");
    EXPECT_EQ(deleted.version, 13);
    EXPECT_EQ(deleted.device_ids, (std::vector<std::string>{"a", "b"}));
}

TEST(SubDeviceList, LosesNoDeviceToAnUnreadableOneBesideIt) {
    for (const char* bad : {"null", "7", "[]", "{}", R"({"node_id":"n"})", R"({"device_id":"d"})",
                            R"({"device_id":"","node_id":"n"})", R"({"device_id":1,"node_id":"n"})",
                            R"({"device_id":"d","node_id":"n","name":5})"}) {
        const std::string good = R"({"device_id":"good","node_id":"n"})";
        const auto added =
            notice<SubDevicesAdded>("add_sub_device_notify", R"({"version":1,"devices":[)" + good +
                                                                 "," + bad + "," + good + "]}");
        EXPECT_EQ(added.devices.size(), 2U) << bad;
        EXPECT_EQ(added.unreadable, 1U) << bad;
    }
    const auto deleted = notice<SubDevicesDeleted>(
        "delete_sub_device_notify", R"({"version":1,"devices":[1,{"device_id":"d"},{}]})");
    EXPECT_EQ(deleted.device_ids, std::vector<std::string>{"d"});
    EXPECT_EQ(deleted.unreadable, 2U);
}

TEST(SubDeviceList, LosesNoDeviceToAnExtensionThatSaysNothing) {
    const auto extension_of = [](const std::string& member) {
        const auto added = notice<SubDevicesAdded>(
            "add_sub_device_notify",
            R"({"version":1,"devices":[{"device_id":"d","node_id":"n","extension_info":)" + member +
                "}]}");
        EXPECT_EQ(added.unreadable, 0U) << member;
        EXPECT_EQ(added.devices.size(), 1U) << member;
        return added.devices.empty() ? json::Value::Object() : added.devices[0].extension_info;
    };
    for (const char* says : {R"({"unit":3})", R"("{\"unit\":3}")", R"(" {\"unit\" : 3} ")"}) {
        const json::Value::Object extension = extension_of(says);
        ASSERT_EQ(extension.size(), 1U) << says;
        EXPECT_EQ(extension[0].first, "unit") << says;
        EXPECT_EQ(*extension[0].second.integer(), 3) << says;
    }
    for (const char* nothing : {"null", R"("")", R"("text")", R"("3")", R"("[]")", R"("{")", "7",
                                "[]", "true", R"("\"{}\"")"})
        EXPECT_TRUE(extension_of(nothing).empty()) << nothing;
}

TEST(SubDeviceList, ReadsFiveHundredAtOnce) {
    std::string devices;
    for (int i = 0; i < 500; ++i) {
        const std::string n = std::to_string(i);
        devices += (i ? "," : "") +
                   std::string(R"({"parent_device_id":"64f0a1b2c3d4e5f607182930_GW",)") +
                   R"("node_id":"METER-)" + n +
                   R"(","device_id":"64f0a1b2c3d4e5f607182930_METER-)" + n + R"(","name":"meter )" +
                   n + R"(","description":null,"product_id":"64f0a1b2c3d4e5f607182930",)" +
                   R"("status":"INACTIVE","extension_info":{"bus":"line1","unit":)" + n + "}}";
    }
    const auto added = notice<SubDevicesAdded>("add_sub_device_notify",
                                               R"({"version":1,"devices":[)" + devices + "]}");
    EXPECT_EQ(added.devices.size(), 500U);
}

// Protocol reference 4.3.
TEST(SubDeviceList, AsksWhatHasChanged) {
    EXPECT_EQ(
        encode_sync_question({12}, "e-1", moment),
        R"({"services":[{"service_id":"$sub_device_manager","event_type":"sub_device_sync_request",)"
        R"("event_time":"20250414T010203Z","event_id":"e-1","paras":{"version":12}}]})");
}

}  // namespace
}  // namespace fieldgate::northbound::iotda
