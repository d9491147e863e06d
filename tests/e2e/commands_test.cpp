// From the cloud to the wire and back: what the platform asks for reaches a real Modbus slave once,
// or not at all, and the platform hears what became of it.
#include <gtest/gtest.h>

#include "tests/e2e/site.h"
#include "tests/lab/plant/plant.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

using lab::FaultKind;

constexpr const char* template_yaml = R"(template: valve
product_id: e2e
protocol: modbus
defaults: { every: 500ms, report: { change: any, max: 10m } }
services:
  Valve:
    limit: { at: "holding:10", type: u16, scale: 0.1, write: { min: 1, max: 63 } }
    held:  { at: "holding:20", type: u16, write: { verify: readback, within: 300ms } }
    open:  { at: "coil:3", type: bool, write: { on_cloud_loss: { after: 2s, set: true } } }
    level: { at: "holding:30", type: u16 }
commands:
  Valve:
    SWITCH: { set: open, from: value, values: { ON: true, OFF: false } }
)";

constexpr const char* self_yaml = R"(template: self
protocol: self
every: 60s
services:
  Gateway:
    pending: { at: outbox.pending }
    version: { at: version }
)";

std::string plant_yaml(std::uint16_t port) {
    return "buses:\n  plc: { protocol: modbus-tcp, tcp: \"127.0.0.1:" + std::to_string(port) +
           "\", timeout: 300ms, retries: 0 }\ndevices:\n"
           "  - { name: valve, unit: 7, template: valve, bus: plc, node_id: VALVE }\n";
}

class Commands : public testing::Test {
protected:
    Commands()
        : port_(plant_.add_tcp({"plc", {7}, lab::memory_values, {}})), site_(settings(port_)) {
        site_.start();
    }

    static Site::Settings settings(std::uint16_t port) {
        Site::Settings settings;
        settings.units = 1;
        settings.every = "1s";
        settings.lanes = 3;
        settings.more = "remote: { write: true, operate: true }\ngateway: { template: self }\n";
        settings.files = {{"templates/valve.yaml", template_yaml},
                          {"templates/self.yaml", self_yaml},
                          {"conf.d/plant.yaml", plant_yaml(port)}};
        return settings;
    }

    bool ready() {
        return lab::wait_until([&] { return site_.platform().status("e2e_VALVE") == "ONLINE"; },
                               15s);
    }

    // Sends a request to the valve and waits for its answer; "" if there is none within the 15 s
    // that every answer must come in.
    std::string ask(const std::string& road, const std::string& id, const std::string& payload) {
        const std::size_t before = site_.platform().messages().size();
        EXPECT_TRUE(site_.platform().send(Site::gateway_id, road + "/request_id=" + id, payload));
        return answer(road, id, before);
    }
    std::string answer(const std::string& road, const std::string& id, std::size_t from) {
        const std::string topic = std::string("$oc/devices/") + Site::gateway_id + "/sys/" + road +
                                  "/response/request_id=" + id;
        std::string text;
        lab::wait_until(
            [&] {
                for (const lab::Message& message : site_.platform().messages(from))
                    if (message.topic == topic) text = message.payload;
                return !text.empty();
            },
            15s);
        return text;
    }
    std::string set(const std::string& id, const std::string& properties) {
        return ask("properties/set", id,
                   R"({"object_device_id":"e2e_VALVE","services":[{"service_id":"Valve",)"
                   R"("properties":)" +
                       properties + "}]}");
    }
    std::string call(const std::string& id, const std::string& value) {
        return ask("commands", id,
                   R"({"object_device_id":"e2e_VALVE","service_id":"Valve",)"
                   R"("command_name":"SWITCH","paras":{"value":")" +
                       value + "\"}}");
    }
    static int code(const std::string& answer) {
        const Result<json::Value> parsed = json::parse(answer);
        const json::Value* number = parsed ? parsed->get("result_code") : nullptr;
        return number && number->integer() ? static_cast<int>(*number->integer()) : -1;
    }
    std::size_t writes() { return plant_.writes("plc", 7).size(); }
    std::string reported(const std::string& property) {
        const auto last = site_.platform().last("e2e_VALVE", "Valve", property);
        return last ? last->first : "";
    }

    lab::Plant plant_;
    std::uint16_t port_;
    Site site_;
};

TEST_F(Commands, ASetReachesTheWireAndTheNewValueComesBack) {
    ASSERT_TRUE(ready()) << site_.log();
    EXPECT_EQ(code(set("s-1", R"({"limit":16.5})")), 0) << site_.log();
    EXPECT_EQ(plant_.holding("plc", 7, 10), 165);
    EXPECT_EQ(writes(), 1u);
    EXPECT_TRUE(lab::wait_until([&] { return reported("limit") == "16.5"; }, 5s));
}

TEST_F(Commands, ACommandIsTranslatedAndAnswered) {
    ASSERT_TRUE(ready()) << site_.log();
    const std::string answer = call("c-1", "ON");
    EXPECT_EQ(code(answer), 0) << answer << site_.log();
    EXPECT_TRUE(plant_.coil("plc", 7, 3));
    EXPECT_TRUE(lab::wait_until([&] { return reported("open") == "true"; }, 5s));
}

TEST_F(Commands, WhatMayNotBeIsRefusedAndTheWireSeesNothing) {
    ASSERT_TRUE(ready()) << site_.log();
    EXPECT_EQ(code(set("s-1", R"({"limit":64})")), 5);
    EXPECT_EQ(code(set("s-2", R"({"limit":"16"})")), 5);
    EXPECT_EQ(code(set("s-3", R"({"level":1})")), 1);
    EXPECT_EQ(code(set("s-4", R"({"lid":1})")), 4);
    EXPECT_EQ(code(call("c-1", "on")), 5);
    EXPECT_EQ(writes(), 0u);
}

TEST_F(Commands, ACopyIsAnsweredFromTheLedgerAlsoAfterARestart) {
    ASSERT_TRUE(ready()) << site_.log();
    const std::string first = set("same", R"({"limit":20})");
    EXPECT_EQ(code(first), 0);
    for (int i = 0; i < 12; ++i) EXPECT_EQ(set("same", R"({"limit":20})"), first);
    EXPECT_EQ(code(set("same", R"({"limit":21})")), 2) << "the id stood for something else";
    EXPECT_EQ(writes(), 1u);
    site_.kill();
    site_.start();
    const auto connected = [&] {
        const std::optional<json::Value> status = site_.status();
        return status && *status->get("link")->get("up")->boolean();
    };
    ASSERT_TRUE(lab::wait_until(connected, 15s)) << site_.log();
    EXPECT_EQ(set("same", R"({"limit":20})"), first);
    EXPECT_EQ(writes(), 1u);
}

TEST_F(Commands, ALostReplyIsUnknownAndNotRepeated) {
    ASSERT_TRUE(ready()) << site_.log();
    plant_.set_fault("plc", 7, {FaultKind::silent, 0ms, 0, 0});
    const std::string answer = set("lost", R"({"limit":30})");
    const int told = code(answer);
    plant_.set_fault("plc", 7, {});
    // The device may have been found offline before: then nothing was sent.
    EXPECT_TRUE(told == 8 || told == 9) << answer;
    EXPECT_EQ(writes(), told == 8 ? 1u : 0u);
    EXPECT_EQ(set("lost", R"({"limit":30})"), answer);
    EXPECT_EQ(writes(), told == 8 ? 1u : 0u);
}

TEST_F(Commands, TheDevicesOwnRefusalIsTold) {
    ASSERT_TRUE(ready()) << site_.log();
    plant_.set_fault("plc", 7, {FaultKind::exception, 0ms, 4, 0});
    const std::string answer = set("no", R"({"limit":30})");
    plant_.set_fault("plc", 7, {});
    EXPECT_EQ(code(answer), 6) << answer;
    EXPECT_NE(answer.find("exception 4"), std::string::npos) << answer;
}

TEST_F(Commands, AGetIsAnsweredWithWhatTheDeviceHolds) {
    ASSERT_TRUE(ready()) << site_.log();
    plant_.set_holding("plc", 7, 30, 4711);
    const auto holds = [&](const char* value) {
        const std::string answer = ask("properties/get", value,
                                       R"({"object_device_id":"e2e_VALVE","service_id":"Valve"})");
        return answer.find(std::string(R"("level":)") + value) != std::string::npos;
    };
    EXPECT_TRUE(lab::wait_until([&] { return holds("4711"); }, 5s));
    const std::string own = ask("properties/get", "own", "{}");
    EXPECT_NE(own.find(R"("version":)"), std::string::npos) << own;
}

TEST_F(Commands, TheGatewayObeysItsOwn) {
    ASSERT_TRUE(ready()) << site_.log();
    const auto own = [&](const std::string& id, const std::string& name, const std::string& paras) {
        return ask(
            "commands", id,
            R"({"service_id":"Gateway","command_name":")" + name + R"(","paras":)" + paras + "}");
    };
    const std::string status = own("o-1", "GET_STATUS", "{}");
    EXPECT_EQ(code(status), 0) << status;
    EXPECT_NE(status.find(R"(\"books\":)"), std::string::npos) << status;
    for (const char* id : {"plan-1", "plan-2"}) {
        const std::string plan = own(id, "GET_PLAN", "{}");
        EXPECT_NE(plan.find(R"(\"load_percent\":)"), std::string::npos) << plan;
    }
    plant_.set_holding("plc", 7, 30, 77);
    int asked = 0;
    const auto level_is_77 = [&] {
        const std::string point =
            own("o-2-" + std::to_string(++asked), "READ_POINT",
                R"({"device":"e2e_VALVE","service":"Valve","property":"level"})");
        return point.find(R"(\"77\")") != std::string::npos;
    };
    EXPECT_TRUE(lab::wait_until(level_is_77, 5s)) << "what is younger than 1 s is not read again";
    const std::string registers =
        own("o-3", "READ_REGISTERS",
            R"({"bus":"plc","unit":7,"table":"holding","first":30,"count":2})");
    EXPECT_NE(registers.find("[77,0]"), std::string::npos) << registers;
    EXPECT_EQ(code(own("o-4", "SUSPEND_BUS", R"({"bus":"plc","minutes":5})")), 0);
    EXPECT_EQ(code(set("o-5", R"({"limit":20})")), 9) << "nothing is written to a suspended bus";
    EXPECT_EQ(code(own("o-6", "RESUME_BUS", R"({"bus":"plc"})")), 0);
    EXPECT_EQ(code(set("o-7", R"({"limit":20})")), 0);
    EXPECT_EQ(code(own("o-8", "RESTART", "{}")), 1) << "remote.restart is off";
    EXPECT_EQ(code(own("o-9", "SUSPEND_BUS", R"({"bus":"other","minutes":5})")), 5);
    EXPECT_EQ(code(own("o-10", "FORMAT", "{}")), 4);
}

TEST_F(Commands, ADeadUnitDelaysNoQuestionToTheGateway) {
    ASSERT_TRUE(ready()) << site_.log();
    const std::size_t before = site_.platform().messages().size();
    const std::string road = "commands";
    const auto send = [&](const std::string& id, const std::string& rest) {
        EXPECT_TRUE(site_.platform().send(Site::gateway_id, road + "/request_id=" + id,
                                          R"({"service_id":"Gateway",)" + rest + "}"));
    };
    for (int i = 0; i < 20; ++i)
        send("dead-" + std::to_string(i),
             R"("command_name":"READ_REGISTERS","paras":)"
             R"({"bus":"plc","unit":9,"table":"holding","first":0,"count":1})");
    send("status", R"("command_name":"GET_STATUS","paras":{})");
    send("resume", R"("command_name":"RESUME_BUS","paras":{"bus":"plc"})");
    EXPECT_EQ(code(answer(road, "status", before)), 0);
    EXPECT_EQ(code(answer(road, "resume", before)), 0);
    std::size_t dead = 0;
    for (const lab::Message& message : site_.platform().messages(before))
        if (message.topic.find("/response/request_id=dead-") != std::string::npos) ++dead;
    EXPECT_LE(dead, 3U) << "each of them takes 300 ms";
}

TEST_F(Commands, TheSafeValueIsWrittenOnceWhenTheCloudIsAway) {
    ASSERT_TRUE(ready()) << site_.log();
    EXPECT_FALSE(plant_.coil("plc", 7, 3));
    site_.platform().broker().stop();
    EXPECT_TRUE(lab::wait_until([&] { return plant_.coil("plc", 7, 3); }, 15s)) << site_.log();
    EXPECT_EQ(writes(), 1u);
    site_.platform().broker().start();
    EXPECT_TRUE(lab::wait_until([&] { return reported("open") == "true"; }, 30s)) << site_.log();
    EXPECT_EQ(writes(), 1u);
}

TEST_F(Commands, AFloodIsAnsweredBusyAndPollingGoesOn) {
    ASSERT_TRUE(ready()) << site_.log();
    const std::int64_t from = Site::now_ms();
    for (int i = 0; i < 300; ++i)
        EXPECT_TRUE(site_.platform().send(
            Site::gateway_id, "properties/set/request_id=f-" + std::to_string(i),
            R"({"object_device_id":"e2e_VALVE","services":[{"service_id":"Valve",)"
            R"("properties":{"limit":40}}]})"));
    const auto answers = [&] {
        std::size_t count = 0;
        for (const lab::Message& message : site_.platform().messages())
            if (message.topic.find("/response/request_id=f-") != std::string::npos) ++count;
        return count;
    };
    const auto given_up = [&] {
        return static_cast<std::size_t>(*site_.status()->get("link")->get("unanswered")->integer());
    };
    EXPECT_TRUE(lab::wait_until([&] { return answers() + given_up() >= 300 - 74; }, 30s))
        << "64 may wait for their turn and 10 for their PUBACK: " << answers();
    EXPECT_TRUE(lab::wait_until([&] { return writes() >= 50; }, 15s)) << writes();
    EXPECT_LT(writes(), 300u);
    const std::int64_t until = Site::now_ms();
    EXPECT_TRUE(lab::wait_until([&] { return site_.missing(from, until) == 0; }, 15s));
}

}  // namespace
}  // namespace fieldgate::e2e
