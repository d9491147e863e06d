#include "northbound/iotda/registration.h"

#include "base/expect.h"
#include "northbound/iotda/sub_device_list.h"

namespace fieldgate::northbound::iotda {
namespace {

void append_optional(std::string& out, std::string_view name, std::string_view value) {
    if (!value.empty()) append_member(out, name, value);
}

}  // namespace

std::string encode_add(const AddSubDevices& request, std::string_view gateway_id, Utc now) {
    expect(!request.devices.empty() && request.devices.size() <= registrations_max,
           "1 to 50 devices to add");
    std::string out =
        open_event("$sub_device_manager", "add_sub_device_request", request.event_id, now);
    out += R"("devices":[)";
    for (const NewSubDevice& device : request.devices) {
        if (!out.ends_with('[')) out += ',';
        out += '{';
        append_member(out, "node_id", device.node_id);
        append_member(out, "product_id", device.product_id);
        append_member(out, "parent_device_id", gateway_id);
        append_optional(out, "device_id", device.device_id);
        append_optional(out, "name", device.name);
        if (!device.extension_info.empty()) out += R"(,"extension_info":)" + device.extension_info;
        out += '}';
    }
    out += ']';
    out += close_event;
    return out;
}

std::string encode_delete(const DeleteSubDevices& request, Utc now) {
    expect(!request.device_ids.empty() && request.device_ids.size() <= registrations_max,
           "1 to 50 devices to delete");
    std::string out =
        open_event("$sub_device_manager", "delete_sub_device_request", request.event_id, now);
    out += R"("devices":[)";
    for (const std::string& device_id : request.device_ids) {
        if (!out.ends_with('[')) out += ',';
        json::append_string(out, device_id);
    }
    out += ']';
    out += close_event;
    return out;
}

Result<AddResponse> decode_add_response(const Event& event) {
    std::optional<Error> error;
    MemberReader paras(event.paras, "paras", error);
    AddResponse response;
    response.event_id = event.id;
    response.successful = paras.each("successful_devices", registrations_max, read_sub_device);
    response.failed = paras.each("failed_devices", registrations_max, [](MemberReader& device) {
        AddResponse::Failure failure;
        failure.node_id = device.required_text("node_id");
        failure.product_id = device.required_text("product_id");
        failure.code = device.text("error_code");
        failure.message = device.text("error_msg");
        return failure;
    });
    if (error) return *error;
    return response;
}

Result<DeleteResponse> decode_delete_response(const Event& event) {
    std::optional<Error> error;
    MemberReader paras(event.paras, "paras", error);
    DeleteResponse response;
    response.event_id = event.id;
    response.successful = paras.texts("successful_devices");
    response.failed = paras.each("failed_devices", registrations_max, [](MemberReader& device) {
        DeleteResponse::Failure failure;
        failure.device_id = device.required_text("device_id");
        failure.code = device.text("error_code");
        failure.message = device.text("error_msg");
        return failure;
    });
    if (error) return *error;
    return response;
}

}  // namespace fieldgate::northbound::iotda
