// An order that takes longer than the platform waits: it is answered in time, and from then on not
// a byte of it leaves. The slave's log of writes is the witness.
#include <gtest/gtest.h>

#include <set>

#include "tests/e2e/site.h"
#include "tests/lab/plant/plant.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

constexpr int points = 30;

class LateOrder : public testing::Test {
protected:
    LateOrder() : port_(plant_.add_tcp({"plc", {7}, lab::memory_values, {}})), site_(settings()) {
        site_.start();
    }

    Site::Settings settings() const {
        Site::Settings settings;
        settings.units = 0;
        settings.more = "remote: { write: true }\n";
        std::string text =
            "template: actuator\nproduct_id: e2e\nprotocol: modbus\ndefaults: { every: 10s }\n"
            "services:\n  Positions:\n";
        for (int i = 0; i < points; ++i)
            text += "    p" + std::to_string(i) + ": { at: \"holding:" + std::to_string(100 + i) +
                    "\", type: u16, write: { verify: readback, within: 2s } }\n";
        settings.files = {
            {"templates/actuator.yaml", text},
            {"conf.d/plant.yaml",
             "buses:\n  plc: { protocol: modbus-tcp, tcp: \"127.0.0.1:" + std::to_string(port_) +
                 "\", timeout: 2s, retries: 0 }\ndevices:\n  - { name: a, unit: 7, "
                 "template: actuator, bus: plc, node_id: A }\n"}};
        return settings;
    }
    /// All positions at once; empty if nothing has answered within 15 s.
    std::string set_all(const std::string& id) {
        std::string properties;
        for (int i = 0; i < points; ++i)
            properties +=
                (i > 0 ? ",\"p" : "\"p") + std::to_string(i) + "\":" + std::to_string(500 + i);
        const std::string topic = std::string("$oc/devices/") + Site::gateway_id +
                                  "/sys/properties/set/response/request_id=" + id;
        const std::string payload =
            R"({"object_device_id":"e2e_A","services":[{"service_id":"Positions","properties":{)" +
            properties + "}}]}";
        EXPECT_TRUE(
            site_.platform().send(Site::gateway_id, "properties/set/request_id=" + id, payload));
        std::string answer;
        lab::wait_until(
            [&] {
                for (const lab::Message& message : site_.platform().messages(0))
                    if (message.topic == topic) answer = message.payload;
                return !answer.empty();
            },
            20s);
        return answer;
    }

    lab::Plant plant_;
    std::uint16_t port_;
    Site site_;
};

TEST_F(LateOrder, SendsNothingAfterItsAnswer) {
    ASSERT_TRUE(lab::wait_until([&] { return site_.platform().status("e2e_A") == "ONLINE"; }, 15s))
        << site_.log();
    lab::Fault slow;
    slow.kind = lab::FaultKind::late;
    slow.delay = 700ms;
    slow.times = 0;
    plant_.set_fault("plc", 7, slow);
    const auto began = std::chrono::steady_clock::now();
    const std::string answer = set_all("late-1");
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_LE(took, 16s);
    ASSERT_NE(answer, "") << site_.log();
    EXPECT_EQ(answer.find("\"result_code\":0"), std::string::npos) << answer;

    const std::size_t then = plant_.writes("plc", 7).size();
    EXPECT_GT(then, 3U);
    EXPECT_LT(then, points) << "the actuator is not slow enough for this test";
    // The wire goes on: what is polled now would have had to wait for what was left of the order.
    const std::uint64_t requests = plant_.requests("plc", 7);
    EXPECT_TRUE(lab::wait_until([&] { return plant_.requests("plc", 7) > requests + 1; }, 25s));
    const std::vector<lab::WriteSeen> all = plant_.writes("plc", 7);
    EXPECT_EQ(all.size(), then) << answer;
    std::set<lab::Bytes> different;
    for (const lab::WriteSeen& write : all) EXPECT_TRUE(different.insert(write.pdu).second);
    std::printf("figure: late order: answered after %.1f s, %zu of %d had left, 0 left later\n",
                std::chrono::duration<double>(took).count(), then, points);
}

}  // namespace
}  // namespace fieldgate::e2e
