#include "northbound/iotda/payload.h"

#include "base/expect.h"
#include "base/json.h"
#include "model/event_time.h"
#include "northbound/iotda/event.h"
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

}  // namespace fieldgate::northbound::iotda
