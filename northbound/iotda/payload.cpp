#include "northbound/iotda/payload.h"

#include "base/expect.h"
#include "base/json.h"
#include "model/event_time.h"
#include "northbound/parcel_text.h"

namespace fieldgate::northbound::iotda {
namespace {

namespace text = parcel_text;

void append_entries(std::string& out, const Parcel& parcel, const Parcel::Device& device) {
    bool first = true;
    for (const Parcel::Entry& entry : device.entries) {
        if (!first) out += ',';
        first = false;
        out += text::entry_open;
        json::append_string(out, parcel.series()[entry.series].service_id);
        out += text::entry_properties;
        out += entry.properties;
        out += text::entry_time;
        append_event_time(out, entry.at);
        out += text::entry_close;
    }
}

void append_device(std::string& out, const Parcel& parcel, const Parcel::Device& device) {
    out += text::device_open;
    json::append_string(out, device.device_id);
    out += text::device_services;
    append_entries(out, parcel, device);
    out += text::device_close;
}

// Appends ,"name":"value" ("name":"value" after a bracket). `name` needs no escape.
void append_member(std::string& out, std::string_view name, std::string_view value) {
    if (!out.ends_with('{')) out += ',';
    out += '"';
    out += name;
    out += "\":";
    json::append_string(out, value);
}

// Opens an event of the envelope (protocol reference 4.0) up to its paras, which the caller writes.
std::string open_event(std::string_view service, std::string_view type, std::string_view event_id,
                       Utc now) {
    std::string out = R"({"services":[{)";
    append_member(out, "service_id", service);
    append_member(out, "event_type", type);
    append_member(out, "event_time", event_time_seconds(now));
    if (!event_id.empty()) append_member(out, "event_id", event_id);
    out += R"(,"paras":{)";
    return out;
}

constexpr std::string_view close_event = "}}]}";

std::string text_of(const json::Value& object, std::string_view key) {
    const json::Value* member = object.get(key);
    const std::string* string = member ? member->string() : nullptr;
    return string ? *string : std::string();
}

StatusResponse status_response(const json::Value& event) {
    StatusResponse response;
    response.event_id = text_of(event, "event_id");
    const json::Value* paras = event.get("paras");
    if (!paras) return response;
    const json::Value* successful = paras->get("successful_devices");
    if (successful && successful->array()) response.successful = successful->array()->size();
    const json::Value* failed = paras->get("failed_devices");
    if (!failed || !failed->array()) return response;
    for (const json::Value& device : *failed->array())
        response.failures.push_back({text_of(device, "device_id"), text_of(device, "error_code"),
                                     text_of(device, "error_msg")});
    return response;
}

}  // namespace

std::string encode(const Parcel& parcel) {
    expect(!parcel.empty(), "a parcel with records");
    std::string out;
    out.reserve(parcel.payload_bytes());
    if (parcel.own()) {
        out += text::own_open;
        append_entries(out, parcel, parcel.devices().front());
        out += text::own_close;
    } else {
        out += text::batch_open;
        bool first = true;
        for (const Parcel::Device& device : parcel.devices()) {
            if (!first) out += ',';
            first = false;
            append_device(out, parcel, device);
        }
        out += text::batch_close;
    }
    expect(out.size() == parcel.payload_bytes(), "a parcel of the size it was counted to");
    return out;
}

std::string encode_sdk_info(std::string_view version, Utc now) {
    std::string sdk_version = "fieldgate_v";
    sdk_version += version;
    std::string out = open_event("$sdk_info", "sdk_info_report", {}, now);
    append_member(out, "device_sdk_version", sdk_version);
    append_member(out, "sw_version", version);
    out += close_event;
    return out;
}

std::string encode_status(std::span<const SubDeviceStatus> statuses, std::string_view event_id,
                          Utc now) {
    expect(!statuses.empty() && statuses.size() <= statuses_per_request_max,
           "1 to 100 statuses in a request");
    std::string out = open_event("$sub_device_manager", "sub_device_update_status", event_id, now);
    out += R"("device_statuses":[)";
    for (const SubDeviceStatus& device : statuses) {
        expect(device.status != DeviceStatus::unknown, "a status to be online or offline");
        if (!out.ends_with('[')) out += ',';
        out += '{';
        append_member(out, "device_id", device.device_id);
        const bool online = device.status == DeviceStatus::online;
        append_member(out, "status", online ? "ONLINE" : "OFFLINE");
        out += '}';
    }
    out += ']';
    out += close_event;
    return out;
}

Result<std::vector<StatusResponse>> decode_status_responses(std::string_view payload) {
    const Result<json::Value> message = json::parse(payload);
    if (!message) return message.error();
    const json::Value* services = message->find("services");
    if (!services || !services->array()) return Error(Errc::bad_data, "no services in an event");
    std::vector<StatusResponse> responses;
    for (const json::Value& event : *services->array())
        if (text_of(event, "event_type") == "sub_device_update_status_response")
            responses.push_back(status_response(event));
    return responses;
}

}  // namespace fieldgate::northbound::iotda
