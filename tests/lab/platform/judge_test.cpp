#include "tests/lab/platform/judge.h"

#include <gtest/gtest.h>

#include "tests/lab/platform/answers.h"
#include "tests/lab/process.h"

namespace fieldgate::lab {
namespace {

constexpr std::int64_t now = 1744592523000;  // 2025-04-14T01:02:03Z
const std::string batch_topic = "$oc/devices/gw/sys/gateway/sub_devices/properties/report";
const std::string event_topic = "$oc/devices/gw/sys/events/up";

const std::string introduction =
    R"({"services":[{"service_id":"$sdk_info","event_type":"sdk_info_report","paras":{}}]})";
const std::string online =
    R"({"services":[{"service_id":"$sub_device_manager","event_type":"sub_device_update_status",)"
    R"("event_id":"e1","paras":{"device_statuses":[{"device_id":"p_1","status":"ONLINE"}]}}]})";

std::string service(const std::string& time, const std::string& properties) {
    return R"({"service_id":"E","properties":{)" + properties + R"(},"event_time":")" + time +
           R"("})";
}
std::string device(const std::string& id, const std::string& services) {
    return R"({"device_id":")" + id + R"(","services":[)" + services + "]}";
}
std::string devices(const std::string& list) { return R"({"devices":[)" + list + "]}"; }
std::string one_record(const std::string& second, const std::string& value) {
    return devices(
        device("p_1", service("2025-04-14T01:02:" + second + ".000Z", R"("u":)" + value)));
}

const std::string model_device =
    R"({"devices":[{"serviceTypeCapabilities":[{"serviceId":"E","serviceType":"E"}]}]})";
const std::string model_service =
    R"({"services":[{"serviceType":"E","properties":[
 {"propertyName":"u","dataType":"decimal","min":"0","max":"500","maxLength":0},
 {"propertyName":"n","dataType":"int","min":null,"max":null},
 {"propertyName":"word","dataType":"string","maxLength":3},
 {"propertyName":"tariff","dataType":"enum","enumList":["day","night"]},
 {"propertyName":"on","dataType":"boolean"}]}]})";

class JudgeTest : public testing::Test {
protected:
    void connect() { hear(Entry::Kind::connected, "", ""); }
    void hear(Entry::Kind kind, const std::string& topic, const std::string& text) {
        judge.hear({kind, at, 7, "gw_0_0_2025041401", "gw", topic, text});
        at += 100;
    }
    void publish(const std::string& topic, const std::string& text) {
        hear(Entry::Kind::published, topic, text);
    }
    void greet() {
        connect();
        publish(event_topic, introduction);
        publish(event_topic, online);
    }
    std::string only_violation() {
        if (judge.violations().size() != 1)
            return std::to_string(judge.violations().size()) + " violations";
        return judge.violations().front().text;
    }
    // What is said of one batch report after a correct greeting.
    std::string verdict(const std::string& payload) {
        judge = Judge(rules);
        greet();
        publish(batch_topic, payload);
        return judge.violations().empty() ? "" : only_violation();
    }

    Rules rules;
    Judge judge{Rules()};
    std::int64_t at = now;
};

TEST_F(JudgeTest, FindsNothingWrongWithAGoodGateway) {
    greet();
    publish(batch_topic, one_record("01", "230.1"));
    publish(batch_topic, one_record("02", "230.2"));

    EXPECT_TRUE(judge.violations().empty()) << only_violation();
    EXPECT_EQ(judge.counts().records, 2U);
    EXPECT_EQ(judge.counts().batches, 2U);
    EXPECT_EQ(judge.status("p_1"), "ONLINE");
    EXPECT_EQ(judge.status("p_2"), "INACTIVE");
    ASSERT_TRUE(judge.last("p_1", "E", "u"));
    EXPECT_EQ(judge.last("p_1", "E", "u")->first, "230.2");
    EXPECT_EQ(judge.last("p_1", "E", "u")->second, now - 1000);
}

TEST_F(JudgeTest, ReadsOneFormOfEventTime) {
    EXPECT_EQ(parse_event_time("2025-04-14T01:02:03.045Z"), now + 45);
    for (const char* text : {"20250414T010203Z", "2025-04-14T01:02:03Z", "2025-04-14T01:02:03.4Z",
                             "2025-04-14 01:02:03.045Z", "2025-04-14T01:02:03.045+00:00",
                             "2025-02-30T01:02:03.045Z", "2025-04-14T24:02:03.045Z", ""})
        EXPECT_FALSE(parse_event_time(text)) << text;
}

TEST_F(JudgeTest, WantsAnIntroductionBeforeData) {
    connect();
    publish(event_topic, online);
    EXPECT_EQ(only_violation(), "status before sdk_info");
    publish(batch_topic, one_record("01", "1"));
    EXPECT_EQ(judge.violations().size(), 1U) << "told once per connection";
}

TEST_F(JudgeTest, WantsTheStatusOfADeviceBeforeItsDataOnEveryConnection) {
    greet();
    publish(batch_topic, one_record("01", "1"));
    hear(Entry::Kind::closed, "", "");
    connect();
    publish(event_topic, introduction);
    publish(batch_topic, one_record("02", "1"));
    EXPECT_EQ(only_violation(), "data of p_1 before its status");
}

TEST_F(JudgeTest, CountsTheSameRecordAgainAsDuplicate) {
    greet();
    publish(batch_topic, one_record("01", "1"));
    publish(batch_topic, one_record("02", "1"));
    publish(batch_topic, one_record("01", "1"));
    EXPECT_TRUE(judge.violations().empty()) << only_violation();
    EXPECT_EQ(judge.counts().duplicates, 1U);
    EXPECT_EQ(judge.counts().records, 2U);
}

TEST_F(JudgeTest, FindsOneTimeWithTwoContents) {
    greet();
    publish(batch_topic, one_record("01", "1"));
    publish(batch_topic, one_record("01", "2"));
    EXPECT_NE(only_violation().find("two contents"), std::string::npos) << only_violation();
}

TEST_F(JudgeTest, FindsTimeRunningBackwards) {
    greet();
    publish(batch_topic, one_record("02", "1"));
    publish(batch_topic, one_record("01", "1"));
    EXPECT_NE(only_violation().find("comes after a later one"), std::string::npos);
}

TEST_F(JudgeTest, AllowsABacklogBesideLiveDataWhereToldTo) {
    rules.lanes = 2;
    rules.ahead_ms_max.reset();
    judge = Judge(rules);
    greet();
    for (const char* second : {"10", "01", "11", "02", "12", "03"})
        publish(batch_topic, one_record(second, "1"));
    EXPECT_TRUE(judge.violations().empty()) << only_violation();
    publish(batch_topic, one_record("00", "1"));
    EXPECT_NE(only_violation().find("comes after a later one"), std::string::npos);
}

TEST_F(JudgeTest, FindsWhatIsWrongWithABatch) {
    EXPECT_EQ(verdict("nonsense").substr(batch_topic.size()).substr(0, 9), ": no JSON");
    EXPECT_EQ(verdict("[]").substr(batch_topic.size()), ": no JSON object");
    EXPECT_EQ(verdict("{}"), "a batch without devices");
    EXPECT_EQ(verdict(devices("")), "a batch of 0 devices");
    EXPECT_EQ(verdict(devices(R"({"services":[]})")), "a batch entry without device_id");
    EXPECT_EQ(verdict(devices(device("p_1", ""))), "p_1: no services");
    const std::string good = service("2025-04-14T01:02:01.000Z", R"("u":1)");
    const std::string later = service("2025-04-14T01:02:02.000Z", R"("u":1)");
    EXPECT_EQ(verdict(devices(device("p_1", good) + "," + device("p_1", later))),
              "p_1 twice in one batch");
    EXPECT_EQ(verdict(devices(device("p_1", good + "," + later))), "");
    EXPECT_EQ(verdict(devices(device("p_1", service("20250414T010201Z", R"("u":1)")))),
              "p_1/E: event_time 20250414T010201Z");
    EXPECT_EQ(verdict(devices(device("p_1", service("2025-04-14T01:02:09.000Z", R"("u":1)")))),
              "p_1/E: event_time 2025-04-14T01:02:09.000Z lies in the future");
    EXPECT_EQ(verdict(devices(device("p_1", service("2025-04-14T01:02:01.000Z", "")))),
              "p_1/E: no properties");
    EXPECT_EQ(verdict(devices(device("p_1", R"({"properties":{"u":1}})"))),
              "p_1: a service without service_id");
    EXPECT_EQ(verdict(devices(device("p_2", good))), "data of p_2 before its status");
}

TEST_F(JudgeTest, FindsMoreThanAHundredDevicesInOneBatch) {
    const auto batch_of = [](int count) {
        std::string list;
        for (int i = 0; i < count; ++i)
            list += (i > 0 ? "," : "") + device("p_" + std::to_string(i),
                                                service("2025-04-14T01:02:01.000Z", R"("u":1)"));
        return devices(list);
    };
    greet();
    publish(batch_topic, batch_of(100));
    for (const Violation& violation : judge.violations())
        EXPECT_NE(violation.text.find("before its status"), std::string::npos) << violation.text;
    judge = Judge(rules);
    greet();
    publish(batch_topic, batch_of(101));
    EXPECT_EQ(judge.violations().front().text, "a batch of 101 devices");
}

TEST_F(JudgeTest, FindsAnOversizedBatch) {
    const std::string record = one_record("01", "1");
    EXPECT_EQ(verdict(record + std::string(65536 - record.size(), ' ')), "");
    EXPECT_EQ(verdict(record + std::string(65537 - record.size(), ' ')), "a batch of 65537 bytes");
}

TEST_F(JudgeTest, FindsMoreThanFiftyPublishesInASecond) {
    greet();
    at += 2000;
    for (int i = 0; i < 50; ++i) {
        at -= 100;  // all of them within the same moment
        publish(event_topic, online);
    }
    EXPECT_TRUE(judge.violations().empty()) << only_violation();
    publish(event_topic, online);
    EXPECT_EQ(only_violation(), "51 publishes within a second");
}

TEST_F(JudgeTest, FindsDevicesThatDoNotExist) {
    rules.sub_devices = {"p_9"};
    judge = Judge(rules);
    greet();
    EXPECT_EQ(only_violation(), "p_1 is no sub-device");
}

TEST_F(JudgeTest, FindsWrongStatusReports) {
    const auto status = [this](const std::string& list) {
        judge = Judge(rules);
        connect();
        publish(event_topic, introduction);
        publish(event_topic,
                R"({"services":[{"service_id":"$sub_device_manager","event_type":)"
                R"("sub_device_update_status","event_id":"1","paras":{"device_statuses":[)" +
                    list + "]}}]}");
        return judge.violations().empty() ? "" : only_violation();
    };
    EXPECT_EQ(status(R"({"device_id":"p_1","status":"OFFLINE"})"), "");
    EXPECT_EQ(judge.status("p_1"), "OFFLINE");
    EXPECT_NE(status(R"({"device_id":"p_1","status":"online"})"), "");
    EXPECT_NE(status(R"({"status":"ONLINE"})"), "");
    EXPECT_EQ(status(""), "sub_device_update_status of 0 devices");
    std::string many;
    for (int i = 0; i <= 100; ++i)
        many += (i > 0 ? "," : "") + (R"({"device_id":"p_)" + std::to_string(i)) +
                R"(","status":"ONLINE"})";
    EXPECT_EQ(status(many), "sub_device_update_status of 101 devices");
}

TEST_F(JudgeTest, FindsUnknownTopicsAndEvents) {
    greet();
    publish("$oc/devices/gw/sys/nonsense", "{}");
    EXPECT_EQ(only_violation(), "unknown topic \"$oc/devices/gw/sys/nonsense\"");
    publish(event_topic, R"({"services":[{"service_id":"$nonsense","event_type":"x"}]})");
    EXPECT_EQ(judge.violations().back().text, "unknown event $nonsense/x");
}

TEST_F(JudgeTest, RepeatsWhatTheBrokerRefused) {
    hear(Entry::Kind::refused, "", "wrong password");
    EXPECT_EQ(only_violation(), "login of \"gw_0_0_2025041401\" refused: wrong password");
}

TEST_F(JudgeTest, HoldsValuesAgainstTheProductModel) {
    const TempDir folder;
    std::filesystem::create_directories(folder / "profile");
    std::filesystem::create_directories(folder.path() / "service" / "E" / "profile");
    write_file(folder.path() / "profile" / "devicetype-capability.json", model_device);
    write_file(folder.path() / "service" / "E" / "profile" / "servicetype-capability.json",
               model_service);
    const Result<Product> product = Product::read(folder.path());
    ASSERT_TRUE(product) << product.error().what;
    rules.products.emplace("p", *product);
    const auto value = [this](const std::string& property) {
        return verdict(devices(device("p_1", service("2025-04-14T01:02:01.000Z", property))));
    };

    for (const char* good : {R"("u":0)", R"("u":500)", R"("u":1.5)", R"("n":-3)", R"("word":"äöü")",
                             R"("tariff":"day")", R"("on":true)"})
        EXPECT_EQ(value(good), "") << good;
    for (const char* bad : {R"("u":-0.1)", R"("u":500.1)", R"("u":"1")", R"("u":null)",
                            R"("n":1.5)", R"("n":2147483648)", R"("word":"four")", R"("word":1)",
                            R"("tariff":"noon")", R"("on":1)", R"("v":1)"})
        EXPECT_NE(value(bad), "") << bad;
}

TEST(Answers, ThePlatformTellsTheTime) {
    const Entry asked{Entry::Kind::published,
                      1000,
                      1,
                      "c",
                      "gw",
                      event_topic,
                      R"({"services":[{"service_id":"$time_sync","event_type":"time_sync_request",)"
                      R"("paras":{"device_send_time":900}}]})"};

    const std::vector<Downlink> answers = answers_to(asked, {}, 1001);

    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].topic, "$oc/devices/gw/sys/events/down");
    EXPECT_NE(
        answers[0].payload.find(
            R"("paras":{"device_send_time":900,"server_recv_time":1000,"server_send_time":1001})"),
        std::string::npos)
        << answers[0].payload;
}

TEST(Answers, ThePlatformConfirmsStatusesOfDevicesThatExist) {
    const Entry asked{Entry::Kind::published, 1000, 1, "c", "gw", event_topic, online};

    const std::vector<Downlink> known = answers_to(asked, {"p_1"}, 1001);
    const std::vector<Downlink> unknown = answers_to(asked, {"p_2"}, 1001);

    ASSERT_EQ(known.size(), 1U);
    ASSERT_EQ(unknown.size(), 1U);
    EXPECT_NE(known[0].payload.find(R"("event_id":"e1")"), std::string::npos);
    EXPECT_NE(
        known[0].payload.find(R"("successful_devices":[{"device_id":"p_1","status":"ONLINE"}])"),
        std::string::npos);
    EXPECT_NE(unknown[0].payload.find(R"("error_code":"IOTDA.014000")"), std::string::npos);
}

}  // namespace
}  // namespace fieldgate::lab
