#include "daemon/gate/admission.h"

#include <gtest/gtest.h>

#include "tests/daemon/config/site.h"
#include "tests/daemon/site/make.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;

constexpr const char* meter = "64f0a1b2c3d4e5f607182931_METER-1";

json::Value parsed(const char* text) { return *json::parse(text); }

northbound::Request set(const char* device, const char* property, const char* value) {
    northbound::SetProperties ask;
    ask.services.push_back({"Electrical", {{property, parsed(value)}}});
    return {"r-1", device, std::move(ask), ""};
}

northbound::Request call(const char* command, const char* paras) {
    northbound::CallCommand ask;
    ask.service_id = "Electrical";
    ask.command = command;
    ask.paras = *parsed(paras).object();
    return {"r-2", meter, std::move(ask), ""};
}

class AdmissionTest : public testing::Test {
protected:
    void open_gate() { site_.replace("fieldgate.yaml", "write: false", "write: true"); }

    std::variant<Order, Admission::Refused> admit(northbound::Request request) {
        if (!made_) made_ = test::make(*site_.load().config);
        return gate_.admit(std::move(request), made_, now_);
    }
    /// The code of a refusal; 0: it was let in.
    int code(northbound::Request request) {
        const auto admitted = admit(std::move(request));
        const auto* refused = std::get_if<Admission::Refused>(&admitted);
        if (refused) why_ = refused->why;
        return refused ? refused->code : 0;
    }

    test::Site site_;
    SitePtr made_;
    Admission gate_;
    Instant now_{1h};
    std::string why_;
};

TEST_F(AdmissionTest, LetsNothingWriteUnlessTheLocalFileSaysSo) {
    EXPECT_EQ(code(set(meter, "currentLimit", "16")), codes::not_permitted);
    EXPECT_NE(why_.find("remote.write"), std::string::npos) << why_;
    EXPECT_EQ(code(call("SET_BREAKER", R"({"value":"ON"})")), codes::not_permitted);
    EXPECT_EQ(code({"r", meter, northbound::GetProperties{}, ""}), 0) << "reading is no power";
}

TEST_F(AdmissionTest, TurnsNamesIntoPointsAndValues) {
    open_gate();
    const auto admitted = admit(set(meter, "currentLimit", "16.5"));
    const Order& order = std::get<Order>(admitted);
    ASSERT_EQ(order.writes.size(), 1u);
    const Point& point = (*order.device_template().points)[order.writes[0].point];
    EXPECT_EQ(point.property, "currentLimit");
    EXPECT_EQ(to_string(order.writes[0].value), "16.5");
    EXPECT_EQ(made_->directory.config_of(order.device)->device_id, meter);
}

TEST_F(AdmissionTest, TranslatesACommandByItsRule) {
    open_gate();
    const auto admitted = admit(call("SET_BREAKER", R"({"value":"ON"})"));
    const Order& order = std::get<Order>(admitted);
    ASSERT_EQ(order.writes.size(), 1u);
    EXPECT_EQ(order.writes[0].value, Value(true));
    ASSERT_NE(order.command, nullptr);
    EXPECT_EQ(order.command->response, "SET_BREAKER_RSP");
}

TEST_F(AdmissionTest, RefusesBeforeAnythingMoves) {
    open_gate();
    struct Case {
        northbound::Request request;
        int code;
        const char* says;
    };
    const Case cases[] = {
        {set("nobody", "currentLimit", "16"), codes::unknown_name, "nobody"},
        {set(meter, "curentLimit", "16"), codes::unknown_name, "curentLimit"},
        {set(meter, "voltage", "230"), codes::not_permitted, "voltage"},
        {set(meter, "currentLimit", "64"), codes::bad_value, "63"},
        {set(meter, "currentLimit", "\"16\""), codes::bad_value, "currentLimit"},
        {set(meter, "currentLimit", "null"), codes::bad_value, "currentLimit"},
        {set(meter, "breaker", "\"on\""), codes::bad_value, "breaker"},
        {call("SET_BRAKER", R"({"value":"ON"})"), codes::unknown_name, "SET_BRAKER"},
        {call("SET_BREAKER", R"({"value":"on"})"), codes::bad_value, "on"},
        {call("SET_BREAKER", R"({})"), codes::malformed, "value"},
        {set("", "uptime", "1"), codes::unknown_name, "Electrical"},
    };
    for (const Case& one : cases) {
        EXPECT_EQ(code(one.request), one.code) << one.says;
        EXPECT_NE(why_.find(one.says), std::string::npos) << why_;
    }
}

TEST_F(AdmissionTest, RefusesWhatTheFileKeepsFromTheCloud) {
    open_gate();
    const char* file = "templates/power-meter.yaml";
    site_.replace(file, "max: 63 }",
                  "max: 63, from: [loss, local], "
                  "on_cloud_loss: { after: 1m, set: 16 } }");
    EXPECT_EQ(code(set(meter, "currentLimit", "16")), codes::not_permitted);
    EXPECT_NE(why_.find("write.from"), std::string::npos) << why_;
    EXPECT_EQ(code(set(meter, "breaker", "true")), 0) << "all may, as ever";
}

TEST_F(AdmissionTest, SetsNothingIfOneOfManyIsWrong) {
    open_gate();
    northbound::SetProperties ask;
    ask.services.push_back({"Electrical", {{"breaker", parsed("true")}}});
    ask.services.push_back({"Electrical", {{"currentLimit", parsed("0")}}});
    EXPECT_EQ(code({"r", meter, std::move(ask), ""}), codes::bad_value);
}

TEST_F(AdmissionTest, SaysBusyBeyondTheRateAndRecovers) {
    open_gate();
    int let_in = 0;
    for (int i = 0; i < 200; ++i) let_in += code(set(meter, "currentLimit", "16")) == 0 ? 1 : 0;
    EXPECT_EQ(let_in, 50);
    EXPECT_EQ(code(set(meter, "currentLimit", "16")), codes::busy);
    now_ += 1s;
    let_in = 0;
    for (int i = 0; i < 200; ++i) let_in += code(set(meter, "currentLimit", "16")) == 0 ? 1 : 0;
    EXPECT_EQ(let_in, 10);
}

TEST_F(AdmissionTest, NoFloodKeepsTheGatewayFromBeingAsked) {
    open_gate();
    for (int i = 0; i < 200; ++i) {
        code(set("nobody", "currentLimit", "16"));
        code(set(meter, "currentLimit", "16"));
    }
    EXPECT_EQ(code(set("nobody", "currentLimit", "16")), codes::busy);
    northbound::CallCommand status;
    status.command = "GET_STATUS";
    EXPECT_EQ(code({"r", "", status, ""}), 0);
    int let_in = 0;
    for (int i = 0; i < 200; ++i) let_in += code({"r", "", status, ""}) == 0 ? 1 : 0;
    EXPECT_EQ(let_in, 49);
}

TEST_F(AdmissionTest, FindsACommandWithoutItsServiceIfThereIsOnlyOne) {
    open_gate();
    northbound::Request request = call("SET_BREAKER", R"({"value":"ON"})");
    auto& ask = std::get<northbound::CallCommand>(request.ask);
    ask.service_id.clear();
    EXPECT_EQ(code(request), 0);
    ask.service_id = "Thermal";
    EXPECT_EQ(code(request), codes::unknown_name);
}

TEST_F(AdmissionTest, GuessesNotWhichOfTwoCommandsIsMeant) {
    open_gate();
    const char* file = "templates/power-meter.yaml";
    site_.replace(file, "model: ../models/PowerMeter", "# no model");
    site_.replace(file, "# service -> command",
                  "  Aux:\n    relay: { at: coil:5, type: bool, write: { verify: none } }\n#");
    site_.replace(file, "commands:\n",
                  "commands:\n  Aux:\n    SET_BREAKER: { set: relay, from: value }\n");
    northbound::Request request = call("SET_BREAKER", R"({"value":"ON"})");
    EXPECT_EQ(code(request), 0);
    std::get<northbound::CallCommand>(request.ask).service_id.clear();
    EXPECT_EQ(code(request), codes::unknown_name);
}

TEST_F(AdmissionTest, TakesTheGatewaysCommandsOfItsOwnServiceAlone) {
    northbound::CallCommand ask;
    ask.command = "GET_STATUS";
    for (const char* service : {"", "Gateway"}) {
        ask.service_id = service;
        EXPECT_EQ(code({"r", "", ask, ""}), 0) << service;
    }
    ask.service_id = "Electrical";
    EXPECT_EQ(code({"r", "", ask, ""}), codes::unknown_name);
}

TEST_F(AdmissionTest, AsksForAllServicesOrOne) {
    const auto all = admit({"r", meter, northbound::GetProperties{}, ""});
    const auto one = admit({"r", meter, northbound::GetProperties{"Electrical"}, ""});
    const auto none = admit({"r", meter, northbound::GetProperties{"Thermal"}, ""});
    const auto own = admit({"r", "", northbound::GetProperties{}, ""});
    EXPECT_EQ(std::get<Order>(all).points.size(), 9u);
    EXPECT_EQ(std::get<Order>(one).points.size(), 9u);
    EXPECT_TRUE(std::get<Order>(none).points.empty());
    EXPECT_EQ(std::get<Order>(own).points.size(), 6u) << "the gateway's own health";
}

}  // namespace
}  // namespace fieldgate
