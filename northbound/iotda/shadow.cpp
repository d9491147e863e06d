#include "northbound/iotda/shadow.h"

#include "model/member_reader.h"
#include "northbound/iotda/event.h"
#include "northbound/iotda/topics.h"

namespace fieldgate::northbound::iotda {
namespace {

constexpr std::size_t shadow_services_max =
    500;  // of a product model (protocol reference, appendix A)

// The properties of "desired" or "reported"; empty if there are none.
json::Value::Object read_section(MemberReader& service, std::string_view key) {
    const json::Value* section = service.get(key);
    if (!section) return {};
    const json::Value* properties = section->get("properties");
    if (section->object() && !properties) return {};
    if (properties && properties->object()) return *properties->object();
    service.fail(key, "has no object of properties");
    return {};
}

Shadow::Service read_service(MemberReader& reader) {
    Shadow::Service service;
    service.service_id = reader.required_text("service_id");
    service.desired = read_section(reader, "desired");
    service.reported = read_section(reader, "reported");
    service.version = whole_number(reader, "version");
    return service;
}

}  // namespace

std::string shadow_topic(std::string_view device_id, std::string_view request_id) {
    return system_topic(device_id, "shadow/get/request_id=" + std::string(request_id));
}

std::string encode_shadow_question(const ShadowQuestion& question) {
    std::string out = "{";
    if (!question.device_id.empty()) append_member(out, "object_device_id", question.device_id);
    if (question.service_id) append_member(out, "service_id", *question.service_id);
    out += '}';
    return out;
}

Result<Shadow> decode_shadow(std::string_view device_id, std::string request_id,
                             std::string_view payload) {
    const Result<json::Value> message = json::parse(payload);
    if (!message) return message.error();
    std::optional<Error> error;
    MemberReader reader(*message, "", error);
    Shadow shadow;
    shadow.request_id = std::move(request_id);
    shadow.device_id = reader.required_text("object_device_id");
    if (shadow.device_id == device_id) shadow.device_id.clear();
    shadow.services = reader.each("shadow", shadow_services_max, read_service);
    if (error) return *error;
    return shadow;
}

}  // namespace fieldgate::northbound::iotda
