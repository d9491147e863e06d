// Every member of every message that comes down: missing, null, of each wrong type, twice, and with
// strangers beside it. The right answer, or silence.
#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <vector>

#include "tests/northbound/iotda/verdict.h"

namespace fieldgate::northbound::iotda {
namespace {

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
void PrintTo(const Object& object, std::ostream* out) {
    *out << object.topic << " " << object.text(object.members.size(), std::nullopt);
}

const Member::Need optional = Member::optional;
const Member::Need required = Member::required;
const std::string time_paras =
    R"({"device_send_time":1,"server_recv_time":2,"server_send_time":3})";
const std::string time_event =
    R"({"service_id":"$time_sync","event_type":"time_sync_response","paras":)";
const std::string status_event =
    R"({"service_id":"$sub_device_manager","event_type":"sub_device_update_status_response",
        "event_id":"e","paras":)";
const std::string bad_notice = to_string(Passed::bad_notice);

std::string list_event(const std::string& type) {
    return R"({"services":[{"service_id":"$sub_device_manager","event_id":"e","event_type":")" +
           type + R"(","paras":)";
}

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
     bad_notice,
     R"({"services":[)",
     {{"service_id", R"("$time_sync")", required},
      {"event_type", R"("time_sync_response")", required},
      {"event_time", R"("20250414T010203Z")", Member::not_read},
      {"event_id", R"("e")", optional},
      {"paras", time_paras, required}},
     "]}"},
    {events,
     "notice",
     bad_notice,
     R"({"services":[)" + time_event,
     {{"device_send_time", "1", required},
      {"server_recv_time", "2", required},
      {"server_send_time", "3", required}},
     "}]}"},
    {events,
     "notice",
     bad_notice,
     R"({"services":[)" + status_event,
     {{"successful_devices", R"([{"device_id":"d"}])", optional},
      {"failed_devices", R"([{"device_id":"d"}])", optional}},
     "}]}"},
    {events,
     "notice",
     bad_notice,
     R"({"services":[)" + status_event + R"({"failed_devices":[)",
     {{"device_id", R"("d")", required},
      {"error_code", R"("IOTDA.014000")", optional},
      {"error_msg", R"("why")", optional}},
     "]}}]}"},
    {events,
     "notice",
     bad_notice,
     list_event("add_sub_device_notify"),
     {{"version", "3", required}, {"devices", R"([{"device_id":"d","node_id":"n"}])", required}},
     "}]}"},
    {events,
     "notice",
     bad_notice,
     list_event("delete_sub_device_notify"),
     {{"version", "3", required}, {"devices", R"([{"device_id":"d"}])", required}},
     "}]}"},
    {events,
     "notice",
     bad_notice,
     list_event("add_sub_device_response"),
     {{"successful_devices", R"([{"device_id":"d"}])", optional},
      {"failed_devices", R"([{"node_id":"n","product_id":"p"}])", optional}},
     "}]}"},
    {events,
     "notice",
     bad_notice,
     list_event("add_sub_device_response") + R"({"successful_devices":[)",
     {{"device_id", R"("d")", required},
      {"node_id", R"("n")", optional},
      {"parent_device_id", R"("gw")", optional},
      {"product_id", R"("p")", optional},
      {"name", R"("meter")", optional},
      {"description", R"("bay 7")", Member::not_read},
      // Of any type: one that is no object is read as none.
      {"extension_info", R"({"unit":3})", Member::not_read}},
     "]}}]}"},
    {events,
     "notice",
     bad_notice,
     list_event("add_sub_device_response") + R"({"failed_devices":[)",
     {{"node_id", R"("n")", required},
      {"product_id", R"("p")", required},
      {"error_code", R"("IOTDA.014031")", optional},
      {"error_msg", R"("why")", optional}},
     "]}}]}"},
    {events,
     "notice",
     bad_notice,
     list_event("delete_sub_device_response"),
     {{"successful_devices", R"(["d"])", optional},
      {"failed_devices", R"([{"device_id":"d"}])", optional}},
     "}]}"},
    {events,
     "notice",
     bad_notice,
     list_event("delete_sub_device_response") + R"({"failed_devices":[)",
     {{"device_id", R"("d")", required},
      {"error_code", R"("IOTDA.014000")", optional},
      {"error_msg", R"("why")", optional}},
     "]}}]}"},
    {shadow_answer,
     "notice",
     bad_notice,
     "",
     {{"object_device_id", R"("d")", required}, {"shadow", R"([{"service_id":"s"}])", optional}},
     ""},
    {shadow_answer,
     "notice",
     bad_notice,
     R"({"object_device_id":"d","shadow":[)",
     {{"service_id", R"("s")", required},
      {"desired", R"({"properties":{"a":1}})", optional},
      {"reported", R"({"properties":{"a":1}})", optional},
      {"version", "7", optional}},
     "]}"},
    {shadow_answer,
     "notice",
     bad_notice,
     R"({"object_device_id":"d","shadow":[{"service_id":"s","desired":)",
     {{"properties", R"({"a":1})", optional},
      {"event_time", R"("20250414T010203Z")", Member::not_read}},
     "}]}"},
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
    const std::string expected = object.topic == events          ? to_string(Passed::unreadable)
                                 : object.topic == shadow_answer ? bad_notice
                                                                 : "malformed";
    object.members.push_back(object.members.front());
    EXPECT_EQ(verdict(object.topic, object.text(object.members.size(), "")), expected);
}

}  // namespace
}  // namespace fieldgate::northbound::iotda
