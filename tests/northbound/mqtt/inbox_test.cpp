#include "northbound/mqtt/inbox.h"

#include <gtest/gtest.h>

#include "northbound/mqtt/session_settings.h"

namespace fieldgate::northbound::mqtt {
namespace {

TEST(Inbox, KeepsTheOrderAndForgetsWhatWasTaken) {
    Inbox inbox(2, 1000);
    for (int round = 0; round < 100; ++round) {
        EXPECT_TRUE(inbox.push({"a", std::to_string(round)}));
        EXPECT_TRUE(inbox.push({"b", std::string(600, 'x')}));
        EXPECT_EQ(inbox.pop().payload, std::to_string(round));
        EXPECT_EQ(inbox.pop().topic, "b");
        EXPECT_TRUE(inbox.empty());
    }
    EXPECT_EQ(inbox.dropped(), 0U);
}

TEST(Inbox, DropsAndCountsWhatIsTooMuch) {
    Inbox inbox(3, 1000);
    EXPECT_FALSE(inbox.push({"t", std::string(1000, 'x')}));
    for (int i = 0; i < 5; ++i) inbox.push({"t", "small"});
    EXPECT_EQ(inbox.dropped(), 3U);
    inbox.clear();
    EXPECT_TRUE(inbox.empty());
    EXPECT_EQ(inbox.dropped(), 6U);
    EXPECT_TRUE(inbox.push({"t", std::string(800, 'x')}));
    EXPECT_FALSE(inbox.push({"t", std::string(800, 'x')}));
}

TEST(Inbox, HoldsTenThousandUsualCommandsAtOnce) {
    const SessionSettings settings;
    Inbox inbox(settings.inbox_messages, settings.inbox_bytes);
    const std::string topic =
        "$oc/devices/64f0a1b2c3d4e5f607182930_GW-0001/sys/commands/"
        "request_id=40cc9ab1-3579-488c-95c6-c18941c99eb4";
    const std::string payload =
        R"({"object_device_id":"64f0a1b2c3d4e5f607182930_METER-01","service_id":"Relay",)"
        R"("command_name":"SWITCH","paras":{"value":"ON"}})";
    for (int i = 0; i < 10'000; ++i) inbox.push({topic, payload});
    EXPECT_EQ(inbox.dropped(), 0U);
}

}  // namespace
}  // namespace fieldgate::northbound::mqtt
