#include "northbound/iotda/downlink.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

namespace fieldgate::northbound::iotda {
namespace {

using namespace std::chrono_literals;

const std::string sys = "$oc/devices/gw/sys/";
const std::string set_topic = sys + "properties/set/request_id=r-1";
const std::string get_topic = sys + "properties/get/request_id=r-1";
const std::string call_topic = sys + "commands/request_id=r-1";
const std::string events = sys + "events/down";

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

/// What decode() made of it, in a word.
std::string verdict(const std::string& topic, const std::string& payload) {
    const Decoded decoded = decode("gw", topic, payload);
    if (decoded.downlinks.empty())
        return decoded.passed.empty() ? "nothing" : to_string(decoded.passed.front().why);
    const Downlink& downlink = decoded.downlinks.front();
    if (std::holds_alternative<Request>(downlink)) return "request";
    if (std::holds_alternative<Notice>(downlink)) return "notice";
    const auto& malformed = std::get<Malformed>(downlink);
    EXPECT_EQ(malformed.id, "r-1");
    EXPECT_FALSE(malformed.why.empty());
    const auto* set = std::get_if<SetAnswer>(&malformed.answer);
    const auto* call = std::get_if<CallAnswer>(&malformed.answer);
    EXPECT_TRUE(!set || set->code != result_code::success);
    EXPECT_TRUE(!call || call->code != result_code::success);
    return "malformed";
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
    EXPECT_EQ(response.successful, 1U);
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

// --- every member of every message: missing, null, of each wrong type, and strangers beside it

struct Member {
    std::string name;
    std::string good;
    enum Need : std::uint8_t { optional, required, not_read } need;
};
/// One object of a message, with the text around it.
struct Object {
    std::string topic;
    std::string good;  ///< the verdict on it as it should be
    std::string bad;   ///< and when a member is not as it must be
    std::string before;
    std::vector<Member> members;
    std::string after;

    /// With the value of member `changed` replaced; nullopt: without it.
    std::string text(std::size_t changed, const std::optional<std::string>& value) const {
        std::string out;
        for (std::size_t i = 0; i < members.size(); ++i) {
            const std::optional<std::string> one = i == changed ? value : members[i].good;
            if (!one) continue;
            out += (out.empty() ? "\"" : ",\"") + members[i].name + "\":" + *one;
        }
        return before + "{" + out + "}" + after;
    }
};

const Member::Need optional = Member::optional;
const Member::Need required = Member::required;
const std::string time_paras =
    R"({"device_send_time":1,"server_recv_time":2,"server_send_time":3})";
const std::string time_event =
    R"({"service_id":"$time_sync","event_type":"time_sync_response","paras":)";
const std::string status_event =
    R"({"service_id":"$sub_device_manager","event_type":"sub_device_update_status_response",
        "event_id":"e","paras":)";
const std::string bad_event = to_string(Passed::bad_event);

const std::vector<Object> objects{
    {set_topic,
     "request",
     "malformed",
     "",
     {{"object_device_id", R"("d")", optional},
      {"services", R"([{"service_id":"s","properties":{"a":1}}])", required}},
     ""},
    {set_topic,
     "request",
     "malformed",
     R"({"services":[)",
     {{"service_id", R"("s")", required}, {"properties", R"({"a":1})", required}},
     "]}"},
    {get_topic,
     "request",
     "malformed",
     "",
     {{"object_device_id", R"("d")", optional}, {"service_id", R"("s")", optional}},
     ""},
    {call_topic,
     "request",
     "malformed",
     "",
     {{"object_device_id", R"("d")", optional},
      {"service_id", R"("s")", optional},
      {"command_name", R"("c")", optional},
      {"paras", R"({"a":1})", optional}},
     ""},
    {events,
     "notice",
     to_string(Passed::unreadable),
     "",
     {{"object_device_id", R"("gw")", optional},
      {"services", "[" + time_event + time_paras + "}]", required}},
     ""},
    {events,
     "notice",
     bad_event,
     R"({"services":[)",
     {{"service_id", R"("$time_sync")", required},
      {"event_type", R"("time_sync_response")", required},
      {"event_time", R"("20250414T010203Z")", Member::not_read},
      {"event_id", R"("e")", optional},
      {"paras", time_paras, required}},
     "]}"},
    {events,
     "notice",
     bad_event,
     R"({"services":[)" + time_event,
     {{"device_send_time", "1", required},
      {"server_recv_time", "2", required},
      {"server_send_time", "3", required}},
     "}]}"},
    {events,
     "notice",
     bad_event,
     R"({"services":[)" + status_event,
     {{"successful_devices", R"([{"device_id":"d"}])", optional},
      {"failed_devices", R"([{"device_id":"d"}])", optional}},
     "}]}"},
    {events,
     "notice",
     bad_event,
     R"({"services":[)" + status_event + R"({"failed_devices":[)",
     {{"device_id", R"("d")", required},
      {"error_code", R"("IOTDA.014000")", optional},
      {"error_msg", R"("why")", optional}},
     "]}}]}"},
};

class Members : public ::testing::TestWithParam<Object> {};
INSTANTIATE_TEST_SUITE_P(OfMessages, Members, ::testing::ValuesIn(objects));

// Without its services an event message has no events: nothing to say about it.
std::string verdict_without(const Object& object, const Member& member) {
    if (member.need != required) return object.good;
    return object.topic == events && member.name == "services" ? "nothing" : object.bad;
}

TEST_P(Members, AreTakenMissingOrNullOnlyWhereTheyMayBe) {
    const Object& object = GetParam();
    const std::size_t all = object.members.size();
    EXPECT_EQ(verdict(object.topic, object.text(all, "")), object.good);
    for (std::size_t i = 0; i < all; ++i) {
        const std::string expected = verdict_without(object, object.members[i]);
        for (const auto& value : {std::optional<std::string>(), std::optional<std::string>("null")})
            EXPECT_EQ(verdict(object.topic, object.text(i, value)), expected)
                << object.text(i, value);
    }
}

TEST_P(Members, AreRefusedWithAWrongType) {
    const Object& object = GetParam();
    for (std::size_t i = 0; i < object.members.size(); ++i) {
        const Member& member = object.members[i];
        for (const std::string wrong :
             {R"("1")", "1.5", "-1", "1e300", "true", "[1]", R"({"x":1})"}) {
            if (wrong.front() == member.good.front()) continue;  // of the right type
            EXPECT_EQ(verdict(object.topic, object.text(i, wrong)),
                      member.need == Member::not_read ? object.good : object.bad)
                << object.text(i, wrong);
        }
    }
}

TEST_P(Members, MayHaveStrangersAmongThem) {
    Object object = GetParam();
    for (const char* stranger : {"null", "7", R"("x")", R"({"deep":[[1]]})"}) {
        object.members.push_back({"stranger", stranger, optional});
        EXPECT_EQ(verdict(object.topic, object.text(object.members.size(), "")), object.good);
        object.members.pop_back();
    }
}

TEST_P(Members, AreRefusedTwice) {
    Object object = GetParam();
    const std::string expected =
        object.topic == events ? to_string(Passed::unreadable) : "malformed";
    object.members.push_back(object.members.front());
    EXPECT_EQ(verdict(object.topic, object.text(object.members.size(), "")), expected);
}

// --- what is no message at all

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
          std::string(R"({"services":{}})"), std::string(event_bytes_max + 1, ' ') + "{}"})
        EXPECT_EQ(verdict(events, text), to_string(Passed::unreadable)) << text.substr(0, 100);
    for (const char* text : {"{}", R"({"services":[]})", R"({"services":null})"})
        EXPECT_EQ(verdict(events, text), "nothing") << text;
}

}  // namespace
}  // namespace fieldgate::northbound::iotda
