#include "northbound/iotda/event.h"

#include "model/event_time.h"

namespace fieldgate::northbound::iotda {
namespace {

void append_name(std::string& out, std::string_view name) {
    if (!out.ends_with('{')) out += ',';
    out += '"';
    out += name;
    out += "\":";
}

const json::Value no_paras;

Result<Event> read_event(const json::Value& text, const std::string& device_id) {
    std::optional<Error> error;
    MemberReader reader(text, "", error);
    std::string service = reader.required_text("service_id");
    std::string type = reader.required_text("event_type");
    std::string id = reader.text("event_id");
    const json::Value* paras = reader.get("paras");
    if (paras && !paras->object()) reader.fail("paras", "is no object");
    if (error) return *error;
    return Event{device_id, std::move(service), std::move(type), std::move(id),
                 paras ? *paras : no_paras};
}

}  // namespace

void append_member(std::string& out, std::string_view name, std::string_view value) {
    append_name(out, name);
    json::append_string(out, value);
}

void append_member(std::string& out, std::string_view name, std::int64_t value) {
    append_name(out, name);
    json::append_integer(out, value);
}

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

Result<std::vector<Result<Event>>> read_events(const json::Value& message) {
    std::optional<Error> error;
    MemberReader reader(message, "", error);
    const std::string device_id = reader.text("object_device_id");
    const json::Value* services = reader.get("services");
    if (services && !services->array()) reader.fail("services", "is no array");
    if (error) return *error;
    std::vector<Result<Event>> events;
    if (!services) return events;
    for (const json::Value& event : *services->array())
        events.push_back(read_event(event, device_id));
    return events;
}

std::optional<std::int64_t> whole_number(MemberReader& reader, std::string_view key) {
    const json::Value* member = reader.get(key);
    if (!member) return std::nullopt;
    const std::int64_t* number = member->integer();
    if (number && *number >= 0) return *number;
    reader.fail(key, "is no whole number");
    return std::nullopt;
}

std::int64_t required_whole_number(MemberReader& reader, std::string_view key) {
    if (!reader.get(key)) reader.fail(key, "is missing");
    return whole_number(reader, key).value_or(0);
}

}  // namespace fieldgate::northbound::iotda
