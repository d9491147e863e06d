#include "tests/lab/platform/answers.h"

#include <chrono>
#include <utility>

namespace fieldgate::lab {
namespace {

std::string member_text(const json::Value& object, const char* key) {
    const json::Value* member = object.get(key);
    return member != nullptr && member->string() != nullptr ? *member->string() : "";
}

std::string quoted(const std::string& text) {
    std::string out;
    json::append_string(out, text);
    return out;
}

std::string envelope(const Entry& uplink, const json::Value& asked, const std::string& type,
                     const std::string& paras) {
    return R"({"object_device_id":)" + quoted(uplink.device) + R"(,"services":[{"service_id":)" +
           quoted(member_text(asked, "service_id")) + R"(,"event_type":)" + quoted(type) +
           R"(,"event_id":)" + quoted(member_text(asked, "event_id")) + R"(,"paras":)" + paras +
           "}]}";
}

std::string time_paras(const json::Value& paras, std::int64_t received, std::int64_t now_ms) {
    const json::Value* sent = paras.get("device_send_time");
    std::string text = R"({"device_send_time":)";
    if (sent != nullptr)
        json::append_value(text, *sent);
    else
        text += "null";
    return text + R"(,"server_recv_time":)" + std::to_string(received) + R"(,"server_send_time":)" +
           std::to_string(now_ms) + "}";
}

std::string status_paras(const json::Value& paras, const std::set<std::string>& sub_devices) {
    std::string good;
    std::string bad;
    const json::Value* list = paras.get("device_statuses");
    if (list == nullptr || list->array() == nullptr)
        return R"({"successful_devices":[],"failed_devices":[]})";
    for (const json::Value& one : *list->array()) {
        const std::string device = member_text(one, "device_id");
        const std::string id = R"({"device_id":)" + quoted(device);
        if (sub_devices.empty() || sub_devices.count(device) > 0)
            good += (good.empty() ? "" : ",") + id + R"(,"status":)" +
                    quoted(member_text(one, "status")) + "}";
        else
            bad += (bad.empty() ? "" : ",") + id +
                   R"(,"error_code":"IOTDA.014000","error_msg":"The device does not exist."})";
    }
    return R"({"successful_devices":[)" + good + R"(],"failed_devices":[)" + bad + "]}";
}

}  // namespace

std::vector<Downlink> answers_to(const Entry& uplink, const std::set<std::string>& sub_devices,
                                 std::int64_t now_ms) {
    std::vector<Downlink> answers;
    const std::string prefix = "$oc/devices/" + uplink.device + "/sys/events/";
    if (uplink.kind != Entry::Kind::published || uplink.topic != prefix + "up") return answers;
    const Result<json::Value> payload = json::parse(uplink.text);
    const json::Value* list = payload ? payload->get("services") : nullptr;
    if (list == nullptr || list->array() == nullptr) return answers;
    const json::Value none{json::Value::Object()};
    for (const json::Value& asked : *list->array()) {
        const std::string type = member_text(asked, "event_type");
        const json::Value* given = asked.get("paras");
        const json::Value& paras = given == nullptr ? none : *given;
        if (type == "time_sync_request")
            answers.push_back({prefix + "down", envelope(uplink, asked, "time_sync_response",
                                                         time_paras(paras, uplink.at, now_ms))});
        if (type == "sub_device_update_status")
            answers.push_back(
                {prefix + "down", envelope(uplink, asked, "sub_device_update_status_response",
                                           status_paras(paras, sub_devices))});
    }
    return answers;
}

std::function<std::vector<std::pair<std::string, std::string>>(const std::string& topic,
                                                               const std::string& payload)>
answering(std::string gateway, std::set<std::string> sub_devices) {
    return [gateway = std::move(gateway), sub_devices = std::move(sub_devices)](
               const std::string& topic, const std::string& payload) {
        Entry entry;
        entry.kind = Entry::Kind::published;
        entry.device = gateway;
        entry.topic = topic;
        entry.text = payload;
        entry.at = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
        std::vector<std::pair<std::string, std::string>> all;
        for (const Downlink& down : answers_to(entry, sub_devices, entry.at))
            all.emplace_back(down.topic, down.payload);
        return all;
    };
}

}  // namespace fieldgate::lab
