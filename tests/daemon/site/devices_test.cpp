#include "daemon/site/devices.h"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

using northbound::StatusResponse;
using northbound::SubDeviceStatus;

class DevicesTest : public testing::Test {
protected:
    DevicesTest() {
        DeviceIndex index = 0;
        for (const char* id : {"a", "b", "c"}) devices.put(index++, id);
        for (DeviceIndex device = 0; device < 2; ++device)
            devices.set(device, DeviceStatus::online);
    }

    // All that is due is told and acknowledged; the event id of it.
    std::string tell() {
        const std::string event_id = devices.ask(devices.due(now), now);
        devices.acknowledged(event_id, now);
        return event_id;
    }
    Devices::News say(const std::string& event_id, std::vector<std::string> accepted,
                      const std::vector<std::string>& refused) {
        StatusResponse response;
        response.event_id = event_id;
        response.successes = std::move(accepted);
        for (const std::string& device : refused)
            response.failures.push_back({device, "IOTDA.014000", "no such device"});
        return devices.hear(response, now);
    }
    std::vector<std::string> due() {
        std::vector<std::string> ids;
        for (const SubDeviceStatus& status : devices.due(now)) ids.push_back(status.device_id);
        return ids;
    }
    using Ids = std::vector<std::string>;

    asio::io_context loop{1};
    Devices devices{loop.get_executor()};
    Instant now = Event::Clock::now();
};

TEST_F(DevicesTest, HaveBeenToldWhatThePlatformAccepts) {
    EXPECT_EQ(due(), (Ids{"a", "b"})) << "nothing is known of c";
    const std::string event_id = devices.ask(devices.due(now), now);
    EXPECT_EQ(due(), Ids()) << "not twice while the answer is on its way";
    const Devices::News news = say(event_id, {"a"}, {"b"});  // it may come before the PUBACK
    devices.acknowledged(event_id, now);
    EXPECT_EQ(devices.platform(0), "accepted");
    EXPECT_EQ(devices.platform(1), "refused: IOTDA.014000 no such device");
    EXPECT_EQ(devices.platform(2), "unknown");
    ASSERT_EQ(news.refused.size(), 1u);
    EXPECT_EQ(news.refused[0].device_id, "b");
    EXPECT_EQ(due(), Ids());
    EXPECT_TRUE(devices.arrived().empty());
}

TEST_F(DevicesTest, AreTakenForToldByAPlatformThatSaysNothing) {
    tell();
    now += Devices::answer_within - 1s;
    devices.look(now);
    EXPECT_EQ(devices.platform(0), "asked");
    now += 1s;
    devices.look(now);
    EXPECT_EQ(devices.platform(0), "told");
    now += 24h;
    EXPECT_EQ(due(), Ids());
}

TEST_F(DevicesTest, AreToldAgainIfTheRequestIsLost) {
    devices.lost(devices.ask(devices.due(now), now));
    EXPECT_EQ(due(), (Ids{"a", "b"}));
    const std::string event_id = tell();
    devices.connected();
    EXPECT_EQ(due(), (Ids{"a", "b"})) << "the answer can come no more";
    EXPECT_TRUE(say(event_id, {}, {"a"}).refused.empty());
}

TEST_F(DevicesTest, TakeNoAnswerThatIsNotToTheLastRequest) {
    const std::string first = tell();
    devices.set(0, DeviceStatus::offline);
    const std::string second = tell();
    say(second, {"a"}, {});
    say(first, {}, {"a", "b", "nobody"});
    EXPECT_EQ(devices.platform(0), "accepted");
    EXPECT_EQ(devices.platform(1), "refused: IOTDA.014000 no such device");
    EXPECT_TRUE(say("not ours", {}, {"a"}).refused.empty());
}

TEST_F(DevicesTest, AreToldAtOnceWhenThePlatformAddsThem) {
    say(tell(), {"a"}, {"b"});
    devices.added({"b", "somebody else's"});
    EXPECT_EQ(due(), Ids{"b"});
    say(tell(), {"b"}, {});
    EXPECT_EQ(devices.platform(1), "accepted");
    devices.deleted({"a"}, now);
    EXPECT_EQ(devices.platform(0), "refused: deleted on the platform");
    EXPECT_EQ(due(), Ids());
    devices.added({"a"});
    EXPECT_EQ(due(), Ids{"a"});
}

TEST_F(DevicesTest, AreToldAgainEverMoreSlowlyWhileTheyAreRefused) {
    say(tell(), {"a"}, {"b"});
    for (const auto pause : {10min, 20min, 40min, 60min, 60min}) {
        now += pause - 1s;
        EXPECT_EQ(due(), Ids());
        now += 1s;
        EXPECT_EQ(due(), Ids{"b"});
        EXPECT_TRUE(say(tell(), {}, {"b"}).refused.empty()) << "that is no news";
    }
    now += 60min;
    tell();
    now += Devices::answer_within;
    devices.look(now);
    EXPECT_EQ(devices.platform(1), "refused: IOTDA.014000 no such device") << "nothing was said";
    now += 60min;
    const Devices::News news = say(tell(), {"b"}, {});
    EXPECT_EQ(news.accepted, Ids{"b"});
    devices.set(1, DeviceStatus::offline);
    EXPECT_EQ(due(), Ids{"b"});
}

TEST_F(DevicesTest, AreToldAgainAHundredAtATime) {
    Ids ids;
    for (int i = 0; i < 2500; ++i) ids.push_back("d" + std::to_string(i));
    Devices many(loop.get_executor());
    for (std::size_t i = 0; i < ids.size(); ++i) many.put(static_cast<DeviceIndex>(i), ids[i]);
    for (DeviceIndex device = 0; device < 2500; ++device) many.set(device, DeviceStatus::online);
    StatusResponse no;
    no.event_id = many.ask(many.due(now), now);
    for (const std::string& id : ids) no.failures.push_back({id, "IOTDA.014000", ""});
    EXPECT_EQ(many.hear(no, now).refused.size(), 2500u);
    now += Devices::again_first;
    std::size_t told = 0;
    for (int i = 0; i < 25; ++i) {
        const std::vector<SubDeviceStatus> some = many.due(now);
        told += some.size();
        EXPECT_EQ(some.size(), Devices::again_at_once);
        many.ask(some, now);
        EXPECT_TRUE(many.due(now).empty());
        now += Devices::again_apart;
    }
    EXPECT_EQ(told, 2500u);
    EXPECT_TRUE(many.due(now).empty());
}

TEST_F(DevicesTest, AreToldOfflineBeforeTheyAreForgotten) {
    say(tell(), {"a", "b"}, {});
    devices.drop(0);
    EXPECT_EQ(devices.count(DeviceStatus::online), 1u);
    EXPECT_EQ(devices.count(DeviceStatus::offline), 0u) << "it is not one of the site's";
    ASSERT_EQ(due(), (Ids{"a"}));
    EXPECT_EQ(devices.due(now)[0].status, DeviceStatus::offline);
    const std::string lost = devices.ask(devices.due(now), now);
    devices.lost(lost);
    EXPECT_EQ(due(), (Ids{"a"})) << "the link was lost with it";
    tell();
    EXPECT_EQ(due(), Ids());
    EXPECT_EQ(devices.all().size(), 1u) << "forgotten";
    devices.set(0, DeviceStatus::online);  // by a scan that was under way
    EXPECT_EQ(due(), Ids());
}

TEST_F(DevicesTest, OfWhichThePlatformKnowsNothingGoWithoutAWord) {
    devices.drop(0);
    EXPECT_EQ(due(), (Ids{"b"}));
    say(tell(), {}, {"b"});
    devices.drop(1);
    EXPECT_EQ(due(), Ids()) << "refused";
}

TEST_F(DevicesTest, ThatComeBackAreToldSoWhateverWasOwed) {
    say(tell(), {"a", "b"}, {});
    devices.drop(0);
    devices.put(0, "a");
    EXPECT_EQ(devices.status(0), DeviceStatus::offline) << "until it has answered";
    devices.set(0, DeviceStatus::online);
    EXPECT_EQ(due(), Ids()) << "as the platform has it";
    devices.drop(0);
    tell();
    devices.put(0, "a");
    EXPECT_EQ(devices.platform(0), "unknown");
    devices.set(0, DeviceStatus::online);
    EXPECT_EQ(due(), (Ids{"a"}));
}

TEST_F(DevicesTest, ThatThePlatformDeletesWhileTheyLeaveAreForgotten) {
    say(tell(), {"a", "b"}, {});
    devices.drop(0);
    devices.deleted({"a"}, now);
    EXPECT_EQ(due(), Ids());
    EXPECT_EQ(devices.all_offline().size(), 2u) << "b and c";
}

TEST_F(DevicesTest, OfAnEarlierLifeAreToldOfflineUnlessTheyAreBack) {
    devices.owe(7, "gone");
    devices.owe(0, "a");  // is here
    EXPECT_EQ(devices.owed(), std::set<std::string>{"gone"});
    EXPECT_EQ(due(), (Ids{"a", "b", "gone"}));
    tell();
    EXPECT_EQ(devices.owed(), std::set<std::string>());
    devices.owe(7, "gone");
    devices.put(7, "gone");
    EXPECT_EQ(devices.owed(), std::set<std::string>()) << "it has come back";
}

TEST_F(DevicesTest, ThatGoWhileTheyAreToldOnlineAreToldOfflineAfterIt) {
    const std::string online = devices.ask(devices.due(now), now);
    devices.drop(0);
    devices.acknowledged(online, now);
    EXPECT_EQ(due(), (Ids{"a"})) << "what was acknowledged is that it is there";
    say(online, {"a", "b"}, {});
    EXPECT_EQ(due(), (Ids{"a"}));
    say(tell(), {"a"}, {});
    EXPECT_EQ(due(), Ids());
    EXPECT_EQ(devices.owed(), std::set<std::string>());
}

}  // namespace
}  // namespace fieldgate
