#include "northbound/iotda/cloud.h"

#include <gtest/gtest.h>

#include <set>

#include "base/json.h"
#include "northbound/iotda/topics.h"
#include "tests/fakes/scripted_broker.h"
#include "tests/northbound/await.h"

namespace fieldgate::northbound::iotda {
namespace {

using namespace std::chrono_literals;
using fakes::ScriptedBroker;
using Script = ScriptedBroker::Script;
using testing::await;

constexpr Utc moment = std::chrono::sys_days(std::chrono::year(2025) / 4 / 14) + 1h + 2min + 3s;

constexpr auto unwatched = [] {};

class CloudTest : public ::testing::Test {
protected:
    CloudTest() {
        settings.scheme = Scheme::mqtt;
        settings.host = "127.0.0.1";
        settings.port = broker.port();
        settings.device_id = "gw";
        settings.identity.secret = Secret("12345678");
        settings.limits.messages_per_second = Limits::unlimited;
        settings.limits.bytes_per_second = Limits::unlimited;
        pacer = std::make_unique<Pacer>(settings.limits);
        make_cloud();
    }

    void make_cloud() {
        cloud = std::make_unique<MqttCloud>(loop.get_executor(), settings, *pacer, sizes, goodput,
                                            [this] {
                                                return JudgedTime{now, proven};
                                            });
    }

    ScriptedBroker broker;
    asio::io_context loop{1};
    PlatformSettings settings;
    Utc now = moment;
    bool proven = true;
    std::unique_ptr<Pacer> pacer;
    PayloadLimit sizes{64 * 1024};
    Goodput goodput{Limits()};
    std::unique_ptr<MqttCloud> cloud;
};

TEST_F(CloudTest, IntroducesItselfAfterEveryConnect) {
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(await(loop, cloud->connect(unwatched)));
        await(loop, cloud->disconnect());
        now += 1h;
    }
    const auto connects = broker.connects();
    ASSERT_EQ(connects.size(), 2U);
    EXPECT_EQ(connects[0].client_id, "gw_0_0_2025041401");
    EXPECT_EQ(connects[0].password,
              "c75150e6cb841417396819e4d2ee4358a416344a03a083e3a8567074ddec820a");
    EXPECT_EQ(connects[1].client_id, "gw_0_0_2025041402");
    EXPECT_NE(connects[1].password, connects[0].password);
    const auto publishes = broker.publishes();
    ASSERT_EQ(publishes.size(), 2U);
    EXPECT_EQ(publishes[1].topic, "$oc/devices/gw/sys/events/up");
    EXPECT_NE(publishes[1].payload.find("sdk_info_report"), std::string::npos);
    const auto subscriptions = broker.subscriptions();
    const auto filters = downlink_filters("gw");
    EXPECT_EQ(std::set(subscriptions.begin(), subscriptions.end()),
              std::set(filters.begin(), filters.end()));
    // What nobody reads stays with the platform.
    for (const std::string& filter : filters) EXPECT_FALSE(filter.ends_with("/messages/down"));
}

TEST_F(CloudTest, LogsInWithoutTheHourWhenItIsRefusedAndTheClockIsNotProven) {
    settings.identity.check_timestamp = true;
    proven = false;
    for (const int code : {2, 4, 5}) {
        Script script;
        script.connack = code;
        script.connack_for = "_0_1_";
        broker.play(script);
        make_cloud();
        const std::size_t before = broker.connects().size();
        ASSERT_TRUE(await(loop, cloud->connect(unwatched)));
        ASSERT_EQ(broker.connects().size(), before + 2);
        EXPECT_EQ(broker.connects().back().client_id, "gw_0_0_2025041401");
        await(loop, cloud->disconnect());
    }
    // It is known now; and with a clock that is right the hour is checked again.
    ASSERT_TRUE(await(loop, cloud->connect(unwatched)));
    EXPECT_EQ(broker.connects().size(), 7U);
    await(loop, cloud->disconnect());
    proven = true;
    EXPECT_FALSE(await(loop, cloud->connect(unwatched)));
    ASSERT_EQ(broker.connects().size(), 8U);
    EXPECT_EQ(broker.connects().back().client_id, "gw_0_1_2025041401");
}

TEST_F(CloudTest, LogsInOnceMoreAtMost) {
    proven = false;
    Script script;
    script.connack = 4;
    broker.play(script);
    EXPECT_FALSE(await(loop, cloud->connect(unwatched)));  // sign type 0: the secret is wrong
    EXPECT_EQ(broker.connects().size(), 1U);
    settings.identity.check_timestamp = true;
    const Result<void> refused = await(loop, cloud->connect(unwatched));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail, 4);
    EXPECT_EQ(broker.connects().size(), 3U);
    script.connack = 3;  // not because of the login
    broker.play(script);
    EXPECT_FALSE(await(loop, cloud->connect(unwatched)));
    EXPECT_EQ(broker.connects().size(), 4U);
}

TEST_F(CloudTest, ShowsLifeBetweenTheStepsOfAConnect) {
    int signs = 0;
    ASSERT_TRUE(await(loop, cloud->connect([&] { ++signs; })));
    EXPECT_EQ(signs, 3);  // CONNACK, SUBACK, PUBACK
}

TEST_F(CloudTest, ConnectsThoughSubscriptionsAreRefused) {
    Script script;
    script.refuse_subscriptions = true;
    broker.play(script);
    EXPECT_TRUE(await(loop, cloud->connect(unwatched)));
}

TEST_F(CloudTest, HasNotConnectedWhileNothingIsAcknowledged) {
    Script script;
    script.drop_after_publishes = 1;
    broker.play(script);
    const Result<void> answer = await(loop, cloud->connect(unwatched));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::closed);
    EXPECT_FALSE(cloud->session().up());
}

TEST_F(CloudTest, SendsEachKindOfParcelToItsTopic) {
    ASSERT_TRUE(await(loop, cloud->connect(unwatched)));
    SeriesTable series;
    Record record;
    record.at = moment;
    record.properties = R"({"u":1})";
    for (const char* device : {"gw", "meter"}) {
        record.series = series.intern(device, "S");
        Parcel parcel(settings.limits, sizes, series, settings.device_id);
        ASSERT_EQ(parcel.add(record), Fit::taken);
        ASSERT_TRUE(await(loop, cloud->publish(parcel)));
    }
    const auto publishes = broker.publishes();
    ASSERT_EQ(publishes.size(), 3U);
    EXPECT_EQ(publishes[1].topic, "$oc/devices/gw/sys/properties/report");
    EXPECT_EQ(publishes[2].topic, "$oc/devices/gw/sys/gateway/sub_devices/properties/report");
    EXPECT_TRUE(json::parse(publishes[2].payload));
}

TEST_F(CloudTest, CutsStatusReportsIntoHundreds) {
    ASSERT_TRUE(await(loop, cloud->connect(unwatched)));
    StatusReport report;
    for (int i = 0; i < 251; ++i)
        report.statuses.push_back({"meter-" + std::to_string(i),
                                   i % 50 == 7 ? DeviceStatus::unknown : DeviceStatus::online});
    ASSERT_TRUE(await(loop, cloud->tell(report)));
    std::set<std::string> ids;
    std::set<std::string> events;
    const auto publishes = broker.publishes();
    ASSERT_EQ(publishes.size(), 1U + 3U);
    for (std::size_t i = 1; i < publishes.size(); ++i) {
        const auto message = json::parse(publishes[i].payload);
        ASSERT_TRUE(message);
        const json::Value& event = message->find("services")->array()->front();
        events.insert(*event.find("event_id")->string());
        const auto& devices = *event.find("paras")->find("device_statuses")->array();
        EXPECT_LE(devices.size(), 100U);
        for (const auto& device : devices) ids.insert(*device.find("device_id")->string());
    }
    EXPECT_EQ(ids.size(), 246U);  // five are not known yet
    EXPECT_EQ(events.size(), 3U);
    EXPECT_EQ(events.begin()->size(), 36U);
    report.event_id = "ours";
    ASSERT_TRUE(await(loop, cloud->tell(report)));
    for (std::size_t i = 4; i < broker.publishes().size(); ++i)
        EXPECT_NE(broker.publishes()[i].payload.find(R"("event_id":"ours")"), std::string::npos);
}

TEST_F(CloudTest, HandsOverWhatThePlatformAsksAndAnswersIt) {
    ASSERT_TRUE(await(loop, cloud->connect(unwatched)));
    broker.send("$oc/devices/gw/sys/commands/request_id=c-1",
                R"({"object_device_id":"meter","service_id":"Relay","command_name":"SWITCH",
                    "paras":{"value":"ON"}})",
                1);
    const Result<Downlink> came = await(loop, cloud->next(1h));
    ASSERT_TRUE(came);
    const auto* request = std::get_if<Request>(&*came);
    ASSERT_NE(request, nullptr);
    EXPECT_EQ(request->id, "c-1");
    EXPECT_EQ(request->device_id, "meter");
    ASSERT_TRUE(await(
        loop, cloud->answer(request->id, CallAnswer{0, "SWITCH_RSP", "{}", ""}, Rank::urgent)));
    const auto answer = broker.publishes().back();
    EXPECT_EQ(answer.topic, "$oc/devices/gw/sys/commands/response/request_id=c-1");
    EXPECT_EQ(answer.payload, R"({"result_code":0,"response_name":"SWITCH_RSP","paras":{}})");
    EXPECT_EQ(answer.qos, 1);
}

TEST_F(CloudTest, SaysWhenARequestCameHoweverLateItIsTaken) {
    ASSERT_TRUE(await(loop, cloud->connect(unwatched)));
    const auto before = std::chrono::steady_clock::now();
    broker.send("$oc/devices/gw/sys/properties/get/request_id=7", "{}");
    while (!cloud->session().backlog()) loop.run_one_for(10ms);
    const auto came = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() < came + 50ms) loop.run_one_for(10ms);
    const Result<Downlink> taken = await(loop, cloud->next(1s));
    ASSERT_TRUE(taken);
    const auto& request = std::get<Request>(*taken);
    EXPECT_GE(request.received, before);
    EXPECT_LE(request.received, came);
}

TEST_F(CloudTest, HandsOverEveryEventOfAMessage) {
    ASSERT_TRUE(await(loop, cloud->connect(unwatched)));
    broker.send(events_down_topic("gw"),
                R"({"services":[{"service_id":"$time_sync","event_type":"time_sync_response",
                    "paras":{"device_send_time":1,"server_recv_time":2,"server_send_time":3}},
                   {"service_id":"$sub_device_manager",
                    "event_type":"sub_device_update_status_response","paras":{}}]})",
                1);
    for (const std::size_t kind : {0U, 1U}) {
        const Result<Downlink> came = await(loop, cloud->next(1h));
        ASSERT_TRUE(came);
        const auto* notice = std::get_if<Notice>(&*came);
        ASSERT_NE(notice, nullptr);
        EXPECT_EQ(notice->index(), kind);
    }
}

TEST_F(CloudTest, AsksTheTime) {
    ASSERT_TRUE(await(loop, cloud->connect(unwatched)));
    ASSERT_TRUE(await(loop, cloud->tell(TimeQuestion{moment})));
    const auto question = broker.publishes().back();
    EXPECT_EQ(question.topic, "$oc/devices/gw/sys/events/up");
    EXPECT_NE(question.payload.find(R"("paras":{"device_send_time":1744592523000})"),
              std::string::npos)
        << question.payload;
}

TEST_F(CloudTest, TellsEachThingOnItsTopic) {
    ASSERT_TRUE(await(loop, cloud->connect(unwatched)));
    const std::vector<std::pair<Announcement, std::string>> announcements{
        {SyncQuestion{3}, "sub_device_sync_request"},
        {AddSubDevices{"e", {{"n", "p", "", "", ""}}}, "add_sub_device_request"},
        {DeleteSubDevices{"e", {"d"}}, "delete_sub_device_request"},
        {ShadowQuestion{"s-1", "meter", std::nullopt}, "meter"},
    };
    for (const auto& [announcement, word] : announcements) {
        ASSERT_TRUE(await(loop, cloud->tell(announcement)));
        const auto publish = broker.publishes().back();
        const bool shadow = std::holds_alternative<ShadowQuestion>(announcement);
        EXPECT_EQ(publish.topic, shadow ? "$oc/devices/gw/sys/shadow/get/request_id=s-1"
                                        : "$oc/devices/gw/sys/events/up");
        EXPECT_NE(publish.payload.find(word), std::string::npos) << publish.payload;
    }
}

TEST_F(CloudTest, SaysThatNothingCame) {
    ASSERT_TRUE(await(loop, cloud->connect(unwatched)));
    const Result<Downlink> nothing = await(loop, cloud->next(10ms));
    ASSERT_FALSE(nothing);
    EXPECT_EQ(nothing.error().code, Errc::timeout);
}

TEST_F(CloudTest, OutlivesWhateverThePlatformSends) {
    ASSERT_TRUE(await(loop, cloud->connect(unwatched)));
    const std::string events = events_down_topic("gw");
    for (const char* text : {"", "{", "null", "{\"services\":[{}]}", "\xff\xfe",
                             R"({"services":[{"event_type":"sub_device_update_status_response",
                                "paras":{"failed_devices":[{"device_id":"m","error_code":"c"}]}}]})"})
        broker.send(events, text, 1);
    broker.send("$oc/devices/other/sys/commands/request_id=1", "{}", 1);
    broker.send("$oc/devices/gw/sys/commands/response/request_id=1", "{}", 1);  // as an echo
    broker.send(events, std::string(300'000, '['), 1);
    broker.send("$oc/devices/gw/sys/commands/request_id=1", "{}", 1);
    EXPECT_TRUE(await(loop, cloud->next(1h)));
    EXPECT_EQ(cloud->passed_over(), 8U);
    broker.kick();
    const Result<Downlink> lost = await(loop, cloud->next(1h));
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Errc::closed);
    EXPECT_TRUE(await(loop, cloud->connect(unwatched)));
}

}  // namespace
}  // namespace fieldgate::northbound::iotda
