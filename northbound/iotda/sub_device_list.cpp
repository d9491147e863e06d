#include "northbound/iotda/sub_device_list.h"

namespace fieldgate::northbound::iotda {
namespace {

// read(MemberReader&) for each entry that it can be done for; how many there are of the others.
template <class Read>
std::size_t each_readable(MemberReader& paras, const Read& read) {
    const json::Value* devices = paras.get("devices");
    if (!devices) paras.fail("devices", "is missing");
    if (devices && !devices->array()) paras.fail("devices", "is no array");
    if (!devices || !devices->array()) return 0;
    std::size_t unreadable = 0;
    for (const json::Value& device : *devices->array()) {
        std::optional<Error> error;
        MemberReader entry(device, "", error);
        read(entry, error);
        if (error) ++unreadable;
    }
    return unreadable;
}

// An object, or a string that holds one, as one of the platform's SDKs passes it on; whatever else
// stands there says nothing about the device, and is no reason to do without it.
json::Value::Object extension_of(const json::Value* member) {
    if (!member) return {};
    if (member->object()) return *member->object();
    const Result<json::Value> inner = member->string() ? json::parse(*member->string()) : *member;
    return inner && inner->object() ? *inner->object() : json::Value::Object();
}

}  // namespace

SubDevice read_sub_device(MemberReader& entry) {
    SubDevice device;
    device.device_id = entry.required_text("device_id");
    device.node_id = entry.text("node_id");
    device.parent_device_id = entry.text("parent_device_id");
    device.product_id = entry.text("product_id");
    device.name = entry.text("name");
    device.extension_info = extension_of(entry.get("extension_info"));
    return device;
}

Result<SubDevicesAdded> decode_added(const Event& event) {
    std::optional<Error> error;
    MemberReader paras(event.paras, "paras", error);
    SubDevicesAdded added;
    added.version = required_whole_number(paras, "version");
    added.unreadable = each_readable(paras, [&](MemberReader& entry, std::optional<Error>& why) {
        SubDevice device = read_sub_device(entry);
        if (device.node_id.empty()) entry.fail("node_id", "is missing");
        if (!why) added.devices.push_back(std::move(device));
    });
    if (error) return *error;
    return added;
}

Result<SubDevicesDeleted> decode_deleted(const Event& event) {
    std::optional<Error> error;
    MemberReader paras(event.paras, "paras", error);
    SubDevicesDeleted deleted;
    deleted.version = required_whole_number(paras, "version");
    deleted.unreadable = each_readable(paras, [&](MemberReader& entry, std::optional<Error>& why) {
        std::string device_id = entry.required_text("device_id");
        if (!why) deleted.device_ids.push_back(std::move(device_id));
    });
    if (error) return *error;
    return deleted;
}

std::string encode_sync_question(const SyncQuestion& question, std::string_view event_id, Utc now) {
    std::string out = open_event("$sub_device_manager", "sub_device_sync_request", event_id, now);
    append_member(out, "version", question.version);
    out += close_event;
    return out;
}

}  // namespace fieldgate::northbound::iotda
