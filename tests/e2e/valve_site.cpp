#include "tests/e2e/valve_site.h"

#include <algorithm>

#include "tests/lab/platform/answers.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

using fakes::ScriptedBroker;

constexpr const char* template_yaml = R"(template: valve
product_id: e2e
protocol: modbus
defaults: { every: 500ms, report: { change: any, max: 10m } }
services:
  Valve:
    limit: { at: "holding:10", type: u16, scale: 0.1, write: { min: 1, max: 63 } }
    level: { at: "holding:30", type: u16 }
)";

std::string plant_yaml(std::uint16_t port) {
    return "buses:\n  plc: { protocol: modbus-tcp, tcp: \"127.0.0.1:" + std::to_string(port) +
           "\", timeout: 200ms, retries: 0 }\ndevices:\n"
           "  - { name: valve, unit: 7, template: valve, bus: plc, node_id: VALVE }\n";
}

}  // namespace

ValveSite::ValveSite(const std::string& platform_more)
    : site_(
          settings(broker_, plant_.add_tcp({"plc", {7}, lab::memory_values, {}}), platform_more)) {
    broker_.play(script());
}

ScriptedBroker::Script ValveSite::script(const std::set<std::string>& known) {
    ScriptedBroker::Script script;
    script.answers = lab::answering(Site::gateway_id, known);
    return script;
}

Site::Settings ValveSite::settings(const ScriptedBroker& broker, std::uint16_t plant_port,
                                   const std::string& platform_more) {
    Site::Settings settings;
    settings.endpoint = "mqtt://127.0.0.1:" + std::to_string(broker.port());
    settings.platform_more = platform_more;
    settings.more = "remote: { write: true }\n";
    settings.files = {{"templates/valve.yaml", template_yaml},
                      {"conf.d/plant.yaml", plant_yaml(plant_port)}};
    return settings;
}

void ValveSite::send(const std::string& road, const std::string& id, const std::string& payload) {
    broker_.send(
        std::string("$oc/devices/") + Site::gateway_id + "/sys/" + road + "/request_id=" + id,
        payload);
}

std::string ValveSite::set_of(const std::string& device, const std::string& property,
                              const std::string& value) {
    return R"({"object_device_id":")" + device +
           R"(","services":[{"service_id":"Valve","properties":{")" + property + "\":" + value +
           "}}]}";
}

std::vector<std::string> ValveSite::answers(const std::string& id) const {
    std::vector<std::string> payloads;
    for (const auto& publish : broker_.publishes())
        if (publish.topic.ends_with("/response/request_id=" + id))
            payloads.push_back(publish.payload);
    return payloads;
}

std::size_t ValveSite::answers() const {
    const auto all = broker_.publishes();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const auto& publish) {
        return publish.topic.find("/response/request_id=") != std::string::npos;
    }));
}

std::string ValveSite::status(const std::string& device) const {
    const std::string said = R"({"device_id":")" + device + R"(","status":")";
    const auto all = broker_.publishes();
    for (auto publish = all.rbegin(); publish != all.rend(); ++publish) {
        const std::size_t at = publish->payload.find(said);
        if (at == std::string::npos) continue;
        const std::size_t from = at + said.size();
        return publish->payload.substr(from, publish->payload.find('"', from) - from);
    }
    return "";
}

std::int64_t ValveSite::link(const std::string& figure) const {
    const std::optional<json::Value> now = site_.status();
    return now ? *now->get("link")->get(figure)->integer() : -1;
}

bool ValveSite::ready() {
    return lab::wait_until(
        [&] { return status(valve_id) == "ONLINE" && site_.book("acknowledged") > 100; }, 20s);
}

}  // namespace fieldgate::e2e
