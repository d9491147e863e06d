#include "northbound/iotda/answers.h"

#include <gtest/gtest.h>

namespace fieldgate::northbound::iotda {
namespace {

using namespace std::chrono_literals;

constexpr Utc moment =
    std::chrono::sys_days(std::chrono::year(2025) / 4 / 14) + 1h + 2min + 3s + 987ms;

// Protocol reference 2.3.
TEST(Answers, TellWhetherASetWasDone) {
    EXPECT_EQ(answer_topic("gw", "a-1", SetAnswer()),
              "$oc/devices/gw/sys/properties/set/response/request_id=a-1");
    EXPECT_EQ(encode_answer(SetAnswer()), R"({"result_code":0})");
    EXPECT_EQ(encode_answer(SetAnswer{3, "busy \"now\""}),
              R"({"result_code":3,"result_desc":"busy \"now\""})");
}

// Protocol reference 2.4: whole seconds, no result code.
TEST(Answers, CarryTheValuesAskedFor) {
    EXPECT_EQ(answer_topic("gw", "a-1", GetAnswer()),
              "$oc/devices/gw/sys/properties/get/response/request_id=a-1");
    EXPECT_EQ(encode_answer(GetAnswer()), R"({"services":[]})");
    GetAnswer answer;
    answer.services.push_back({"Energy", R"({"u_a":231.4})", moment});
    answer.services.push_back({"Relay", "{}", moment});
    EXPECT_EQ(
        encode_answer(answer),
        R"({"services":[{"service_id":"Energy","properties":{"u_a":231.4},"event_time":"20250414T010203Z"},)"
        R"({"service_id":"Relay","properties":{},"event_time":"20250414T010203Z"}]})");
}

// Protocol reference 3.1.
TEST(Answers, TellWhatACommandDid) {
    EXPECT_EQ(answer_topic("gw", "a/b=1", CallAnswer()),
              "$oc/devices/gw/sys/commands/response/request_id=a/b=1");
    EXPECT_EQ(encode_answer(CallAnswer()), R"({"result_code":0})");
    EXPECT_EQ(encode_answer(CallAnswer{0, "SWITCH_RSP", R"({"result":"done"})", ""}),
              R"({"result_code":0,"response_name":"SWITCH_RSP","paras":{"result":"done"}})");
    EXPECT_EQ(encode_answer(CallAnswer{0, "SWITCH_RSP", "", "written"}),
              R"({"result_code":0,"response_name":"SWITCH_RSP"})");
    EXPECT_EQ(encode_answer(CallAnswer{1, "", "", "not permitted"}),
              R"({"result_code":1,"paras":{"reason":"not permitted"}})");
    EXPECT_EQ(encode_answer(CallAnswer{1, "R", R"({"result":"refused"})", "not shown"}),
              R"({"result_code":1,"response_name":"R","paras":{"result":"refused"}})");
}

TEST(Answers, RefuseEveryKindInItsOwnForm) {
    Request request;
    request.ask = SetProperties();
    EXPECT_EQ(encode_answer(refusal(request, 1, "no")), R"({"result_code":1,"result_desc":"no"})");
    request.ask = GetProperties();
    EXPECT_EQ(encode_answer(refusal(request, 1, "no")), R"({"services":[]})");
    request.ask = CallCommand();
    EXPECT_EQ(encode_answer(refusal(request, 1, "no")),
              R"({"result_code":1,"paras":{"reason":"no"}})");
}

}  // namespace
}  // namespace fieldgate::northbound::iotda
