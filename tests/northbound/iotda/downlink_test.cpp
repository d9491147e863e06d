#include "northbound/iotda/downlink.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include "tests/northbound/iotda/verdict.h"

namespace fieldgate::northbound::iotda {
namespace {

using namespace std::chrono_literals;

template <class Ask>
std::pair<Request, Ask> request(const std::string& topic, const std::string& payload) {
    Decoded decoded = decode("gw", topic, payload);
    if (decoded.downlinks.size() != 1) throw std::runtime_error("not one: " + payload);
    auto& found = std::get<Request>(decoded.downlinks.front());
    return {found, std::get<Ask>(found.ask)};
}

template <class What>
What notice(const std::string& payload) {
    const Decoded decoded = decode("gw", events, payload);
    if (decoded.downlinks.size() != 1) throw std::runtime_error("not one: " + payload);
    return std::get<What>(std::get<Notice>(decoded.downlinks.front()));
}

TEST(Downlink, ReadsWhatIsToBeSet) {
    const auto [asked, set] =
        request<SetProperties>(set_topic,
                               R"({"object_device_id":"METER-01","services":[{"service_id":"Limits",
            "properties":{"i_max":16,"name":null}},{"service_id":"Relay","properties":{}}]})");
    EXPECT_EQ(asked.id, "r-1");
    EXPECT_EQ(asked.device_id, "METER-01");
    EXPECT_EQ(asked.digest.size(), 64U);
    ASSERT_EQ(set.services.size(), 2U);
    EXPECT_EQ(set.services[0].service_id, "Limits");
    ASSERT_EQ(set.services[0].properties.size(), 2U);
    EXPECT_EQ(set.services[0].properties[0].first, "i_max");
    EXPECT_EQ(*set.services[0].properties[0].second.integer(), 16);
    EXPECT_TRUE(set.services[0].properties[1].second.is_null());
    EXPECT_TRUE(set.services[1].properties.empty());
}

TEST(Downlink, ReadsWhatIsAskedFor) {
    const auto [one, of_service] = request<GetProperties>(get_topic, R"({"service_id":"Energy"})");
    EXPECT_EQ(one.device_id, "");
    EXPECT_EQ(of_service.service_id, "Energy");
    const auto [other, of_all] = request<GetProperties>(get_topic, "{}");
    EXPECT_FALSE(of_all.service_id);
}

TEST(Downlink, ReadsCommands) {
    const auto [asked, call] =
        request<CallCommand>(call_topic, R"({"object_device_id":"METER-01","service_id":"Relay",
                        "command_name":"SWITCH","paras":{"value":"ON"}})");
    EXPECT_EQ(asked.device_id, "METER-01");
    EXPECT_EQ(call.service_id, "Relay");
    EXPECT_EQ(call.command, "SWITCH");
    ASSERT_EQ(call.paras.size(), 1U);
    EXPECT_EQ(*call.paras[0].second.string(), "ON");
}

TEST(Downlink, TakesItsOwnIdAndAnEmptyOneForTheGateway) {
    for (const char* own : {R"({"object_device_id":"gw"})", R"({"object_device_id":""})"})
        EXPECT_EQ(request<GetProperties>(get_topic, own).first.device_id, "") << own;
}

TEST(Downlink, GivesACopyTheSameDigestAndNothingElse) {
    const std::string payload = R"({"service_id":"A"})";
    const auto digest = [](const std::string& topic, const std::string& text) {
        return std::get<Request>(decode("gw", topic, text).downlinks.front()).digest;
    };
    EXPECT_EQ(digest(get_topic, payload), digest(get_topic, payload));
    EXPECT_NE(digest(get_topic, payload), digest(get_topic, R"({"service_id":"B"})"));
    EXPECT_NE(digest(get_topic, payload), digest(call_topic, payload));
}

TEST(Downlink, ReadsTheTime) {
    const auto answer = notice<TimeAnswer>(
        R"({"services":[{"service_id":"$time_sync","event_type":"time_sync_response",
            "event_time":"20250414T010203Z","paras":{"device_send_time":1744592523000,
            "server_recv_time":1744592523120,"server_send_time":1744592523121}}]})");
    EXPECT_EQ(answer.device_sent.time_since_epoch(), 1744592523000ms);
    EXPECT_EQ(answer.server_received.time_since_epoch(), 1744592523120ms);
    EXPECT_EQ(answer.server_sent.time_since_epoch(), 1744592523121ms);
}

TEST(Downlink, ReadsWhichStatusesWereRefused) {
    const auto response = notice<StatusResponse>(
        R"({"object_device_id":null,"services":[{"service_id":"$sub_device_manager",
        "event_type":"sub_device_update_status_response","event_id":"5b7e","paras":{
        "successful_devices":[{"device_id":"METER-01","status":"ONLINE"}],
        "failed_devices":[{"device_id":"METER-02","error_code":"IOTDA.014000",
        "error_msg":"The device does not exist."}]}}]})");
    EXPECT_EQ(response.event_id, "5b7e");
    EXPECT_EQ(response.successes, std::vector<std::string>{"METER-01"});
    ASSERT_EQ(response.failures.size(), 1U);
    EXPECT_EQ(response.failures[0].device_id, "METER-02");
    EXPECT_EQ(response.failures[0].code, "IOTDA.014000");
    EXPECT_EQ(response.failures[0].message, "The device does not exist.");
}

TEST(Downlink, ReadsEveryEventOfAMessageThoughSomeAreOfNoUse) {
    const std::string time =
        R"({"service_id":"$time_sync","event_type":"time_sync_response","paras":
           {"device_send_time":1,"server_recv_time":2,"server_send_time":3}})";
    const Decoded decoded =
        decode("gw", events,
               R"({"services":[7,)" + time + R"(,{"service_id":"$new","event_type":"thing"},{},)" +
                   time + "]}");
    EXPECT_EQ(decoded.downlinks.size(), 2U);
    ASSERT_EQ(decoded.passed.size(), 3U);
    EXPECT_EQ(decoded.passed[1].why, Passed::unknown_event);
    EXPECT_EQ(decoded.passed[1].what, "$new/thing");
}

TEST(Downlink, AnswersWhateverComesUnderAKnownId) {
    const std::string bomb = std::string(33, '[') + std::string(33, ']');
    for (const std::string& topic : {set_topic, get_topic, call_topic})
        for (const std::string& text :
             {std::string(), std::string("{"), std::string("null"), std::string("[]"),
              std::string("7"), std::string("\"text\""), std::string("{}x"),
              std::string("\xff\xfe"), std::string("{\"service_id\":\"\xc0\xaf\"}"),
              std::string("{\"a\":1e999}"), std::string(100'000, '['),
              R"({"paras":{"a":)" + bomb + "}}",
              "{\"service_id\":\"" + std::string(request_bytes_max, 'x') + "\"}"})
            EXPECT_EQ(verdict(topic, text), "malformed") << topic << text.substr(0, 100);
}

TEST(Downlink, TakesRequestsUpToTheLimit) {
    std::string payload = R"({"service_id":")";
    payload += std::string(request_bytes_max - payload.size() - 2, 'x') + "\"}";
    EXPECT_EQ(verdict(get_topic, payload), "request");
    EXPECT_EQ(verdict(get_topic, payload + " "), "malformed");
}

TEST(Downlink, RefusesListsOfSomethingElse) {
    for (const char* services : {"[]", "[1]", "[null]", R"(["s"])", "[[]]"})
        EXPECT_EQ(verdict(set_topic, std::string(R"({"services":)") + services + "}"), "malformed");
    std::string many = R"({"service_id":"s","properties":{}})";
    for (int i = 0; i < 500; ++i) many += R"(,{"service_id":"s","properties":{}})";
    EXPECT_EQ(verdict(set_topic, R"({"services":[)" + many + "]}"), "malformed");
}

TEST(Downlink, KeepsItsReasonsShort) {
    const std::string key(10'000, 'k');
    const Decoded decoded = decode("gw", get_topic, "{\"" + key + "\":1,\"" + key + "\":2}");
    EXPECT_LE(std::get<Malformed>(decoded.downlinks.front()).why.size(), 256U);
}

TEST(Downlink, KeepsNumbersThatNoIntegerHolds) {
    const auto [asked, call] = request<CallCommand>(
        call_topic, R"({"paras":{"a":18446744073709551615,"b":123456789012345678901234567890,
                        "c":-0.0,"d":1e-400}})");
    EXPECT_EQ(call.paras.size(), 4U);
    EXPECT_TRUE(call.paras[1].second.is_number());
}

TEST(Downlink, KnowsARequestByItsTopicAlone) {
    const std::map<std::string, std::string> verdicts{
        {sys + "commands/request_id=r-1", "request"},
        {sys + "commands/request_id=x/request_id=r-1", "request"},
        {sys + "commands/response/request_id=r-1", "own answer"},
        {sys + "properties/set/response/request_id=r-1", "own answer"},
        {sys + "commands/request_id=x/response/request_id=r-1", "own answer"},
        {sys + "commands/", "unknown topic"},
        {sys + "commands/r-1", "unknown topic"},
        {sys + "commands/other/request_id=r-1", "unknown topic"},
        {sys + "commands/request_id=", "no usable request id"},
        {sys + "commands/request_id=" + std::string(257, 'x'), "no usable request id"},
        {sys + "commands/request_id=a\xc3\xa4", "no usable request id"},
        {sys + std::string("commands/request_id=a\0b", 22), "no usable request id"},
        {sys + "commands/request_id=#", "no usable request id"},
        {sys + "commands/request_id=a+b", "no usable request id"},
        {sys + "properties/report", "unknown topic"},
        {sys + "events/down/more", "unknown topic"},
        {"$oc/devices/gw2/sys/commands/request_id=r-1", "unknown topic"},
        {"$oc/devices/g/sys/commands/request_id=r-1", "unknown topic"},
        {"$oc/devices/gw/sys", "unknown topic"},
        {"", "unknown topic"},
    };
    for (const auto& [topic, expected] : verdicts)
        EXPECT_EQ(verdict(topic, "{}"), expected) << topic;
    const std::string longest(256, 'x');
    EXPECT_EQ(request<CallCommand>(sys + "commands/request_id=" + longest, "{}").first.id, longest);
}

TEST(Downlink, PassesOverEventsThatCannotBeRead) {
    for (const std::string& text :
         {std::string(), std::string("{"), std::string("[]"), std::string("null"),
          std::string(R"({"services":{}})"), std::string(notice_bytes_max + 1, ' ') + "{}"})
        EXPECT_EQ(verdict(events, text), to_string(Passed::unreadable)) << text.substr(0, 100);
    for (const char* text : {"{}", R"({"services":[]})", R"({"services":null})"})
        EXPECT_EQ(verdict(events, text), "nothing") << text;
}

}  // namespace
}  // namespace fieldgate::northbound::iotda
