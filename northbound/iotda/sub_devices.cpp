#include "northbound/iotda/sub_devices.h"

#include "base/expect.h"

namespace fieldgate::northbound::iotda {
namespace {

constexpr std::size_t devices_max = 50'000;  // of a gateway (protocol reference, appendix A)

}  // namespace

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

Result<StatusResponse> decode_status_response(const Event& event) {
    std::optional<Error> error;
    MemberReader paras(event.paras, "paras", error);
    StatusResponse response;
    response.event_id = event.id;
    response.successes = paras.each("successful_devices", devices_max, [](MemberReader& device) {
        return device.required_text("device_id");
    });
    response.failures = paras.each("failed_devices", devices_max, [](MemberReader& device) {
        return StatusResponse::Failure{device.required_text("device_id"), device.text("error_code"),
                                       device.text("error_msg")};
    });
    if (error) return *error;
    return response;
}

}  // namespace fieldgate::northbound::iotda
