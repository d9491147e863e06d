#include "northbound/iotda/downlink.h"

#include <algorithm>
#include <array>

#include "base/digest.h"
#include "northbound/iotda/event.h"
#include "northbound/iotda/registration.h"
#include "northbound/iotda/shadow.h"
#include "northbound/iotda/sub_device_list.h"
#include "northbound/iotda/sub_devices.h"
#include "northbound/iotda/time_sync.h"
#include "northbound/iotda/topics.h"

namespace fieldgate::northbound::iotda {
namespace {

constexpr std::size_t services_max = 500;  // of a product model (protocol reference, appendix A)
constexpr std::size_t reason_bytes_max = 256;

constexpr std::string_view id_mark = "request_id=";

Decoded pass(Passed why, std::string what) {
    what.resize(std::min(what.size(), reason_bytes_max));
    Decoded decoded;
    decoded.passed.push_back({why, std::move(what)});
    return decoded;
}

bool is_id(std::string_view id) {
    const auto allowed = [](char c) { return c >= ' ' && c <= '~' && c != '+' && c != '#'; };
    return !id.empty() && id.size() <= request_id_max && std::ranges::all_of(id, allowed);
}

const json::Value* required_object(MemberReader& reader, std::string_view key) {
    const json::Value* member = reader.get(key);
    if (!member) reader.fail(key, "is missing");
    if (member && !member->object()) reader.fail(key, "is no object");
    return member && member->object() ? member : nullptr;
}

SetProperties read_set(MemberReader& reader) {
    SetProperties set;
    set.services = reader.each("services", services_max, [](MemberReader& service) {
        SetProperties::Service one;
        one.service_id = service.required_text("service_id");
        if (const json::Value* properties = required_object(service, "properties"))
            one.properties = *properties->object();
        return one;
    });
    if (set.services.empty()) reader.fail("services", "is missing");
    return set;
}

GetProperties read_get(MemberReader& reader) {
    GetProperties get;
    std::string service = reader.text("service_id");
    if (!service.empty()) get.service_id = std::move(service);
    return get;
}

// Old platforms leave the paras out (protocol reference, B-24).
CallCommand read_call(MemberReader& reader) {
    CallCommand call;
    call.service_id = reader.text("service_id");
    call.command = reader.text("command_name");
    if (!reader.get("paras")) return call;
    if (const json::Value* paras = required_object(reader, "paras")) call.paras = *paras->object();
    return call;
}

// Reads into `request`; the reason if that cannot be done.
std::optional<Error> read_request(Request& request, std::string_view device_id,
                                  std::string_view payload) {
    json::Limits limits;
    limits.bytes = request_bytes_max;
    const Result<json::Value> message = json::parse(payload, limits);
    if (!message) return message.error();
    std::optional<Error> error;
    MemberReader reader(*message, "", error);
    request.device_id = reader.text("object_device_id");
    if (request.device_id == device_id) request.device_id.clear();
    if (auto* set = std::get_if<SetProperties>(&request.ask)) *set = read_set(reader);
    if (auto* get = std::get_if<GetProperties>(&request.ask)) *get = read_get(reader);
    if (auto* call = std::get_if<CallCommand>(&request.ask)) *call = read_call(reader);
    return error;
}

Decoded decode_request(Request request, std::string_view device_id, std::string_view topic,
                       std::string_view payload) {
    request.id = topic.substr(topic.rfind(id_mark) + id_mark.size());
    if (!is_id(request.id)) return pass(Passed::bad_id, std::string(topic));
    Decoded decoded;
    if (std::optional<Error> error = read_request(request, device_id, payload)) {
        std::string why = std::move(error->what);
        why.resize(std::min(why.size(), reason_bytes_max));
        Answer answer = refusal(request, result_code::malformed, why);
        decoded.downlinks.emplace_back(
            Malformed{std::move(request.id), std::move(answer), std::move(why), {}});
        return decoded;
    }
    std::string all(topic);
    all += '\n';
    all += payload;
    request.digest = sha256_hex(all);
    decoded.downlinks.emplace_back(std::move(request));
    return decoded;
}

// One line for each event that we know. The reader returns the notice or says why it is none.
struct Known {
    std::string_view service, type;
    Result<Notice> (*read)(const Event& event);
};

template <auto decode_event>
Result<Notice> read_as(const Event& event) {
    auto decoded = decode_event(event);
    if (!decoded) return decoded.error();
    return Notice(std::move(*decoded));
}

constexpr std::array known_events{
    Known{"$time_sync", "time_sync_response", read_as<decode_time_answer>},
    Known{"$sub_device_manager", "sub_device_update_status_response",
          read_as<decode_status_response>},
    Known{"$sub_device_manager", "add_sub_device_notify", read_as<decode_added>},
    Known{"$sub_device_manager", "delete_sub_device_notify", read_as<decode_deleted>},
    Known{"$sub_device_manager", "add_sub_device_response", read_as<decode_add_response>},
    Known{"$sub_device_manager", "delete_sub_device_response", read_as<decode_delete_response>},
};

void decode_event(const Event& event, Decoded& decoded) {
    const auto known = std::ranges::find_if(known_events, [&](const Known& one) {
        return one.service == event.service_id && one.type == event.type;
    });
    if (known == known_events.end()) {
        Decoded unknown = pass(Passed::unknown_event, event.service_id + "/" + event.type);
        decoded.passed.push_back(std::move(unknown.passed.front()));
        return;
    }
    Result<Notice> notice = known->read(event);
    if (notice)
        decoded.downlinks.emplace_back(std::move(*notice));
    else
        decoded.passed.push_back({Passed::bad_notice, event.type + ": " + notice.error().what});
}

Decoded decode_events(std::string_view payload) {
    json::Limits limits;
    limits.bytes = notice_bytes_max;
    const Result<json::Value> message = json::parse(payload, limits);
    if (!message) return pass(Passed::unreadable, message.error().what);
    const Result<std::vector<Result<Event>>> events = read_events(*message);
    if (!events) return pass(Passed::unreadable, events.error().what);
    Decoded decoded;
    for (const Result<Event>& event : *events) {
        if (event)
            decode_event(*event, decoded);
        else
            decoded.passed.push_back({Passed::bad_notice, event.error().what});
    }
    return decoded;
}

Decoded decode_shadow_answer(std::string_view device_id, std::string_view topic,
                             std::string_view payload) {
    std::string id(topic.substr(topic.rfind(id_mark) + id_mark.size()));
    if (!is_id(id)) return pass(Passed::bad_id, std::string(topic));
    Result<Shadow> shadow = decode_shadow(device_id, std::move(id), payload);
    if (!shadow) return pass(Passed::bad_notice, "shadow: " + shadow.error().what);
    Decoded decoded;
    decoded.downlinks.emplace_back(Notice(std::move(*shadow)));
    return decoded;
}

Request of(decltype(Request::ask) ask) {
    Request request;
    request.ask = std::move(ask);
    return request;
}

}  // namespace

const char* to_string(Passed why) {
    switch (why) {
        case Passed::own_answer:
            return "own answer";
        case Passed::other_topic:
            return "unknown topic";
        case Passed::bad_id:
            return "no usable request id";
        case Passed::unreadable:
            return "unreadable";
        case Passed::unknown_event:
            return "unknown event";
        case Passed::bad_notice:
            return "malformed notice";
    }
    return "?";
}

Decoded decode(std::string_view device_id, std::string_view topic, std::string_view payload) {
    const std::string own = system_topic(device_id, "");
    if (!topic.starts_with(own)) return pass(Passed::other_topic, std::string(topic));
    std::string_view tail = topic.substr(own.size());
    const auto asks = [&](std::string_view road) {
        return tail.starts_with(road) && tail.substr(road.size()).starts_with(id_mark);
    };
    if (asks(shadow_answer_tail)) return decode_shadow_answer(device_id, topic, payload);
    if (tail.find("/response/") != std::string_view::npos)
        return pass(Passed::own_answer, std::string(topic));
    if (tail == "events/down") return decode_events(payload);
    if (asks(set_tail)) return decode_request(of(SetProperties()), device_id, topic, payload);
    if (asks(get_tail)) return decode_request(of(GetProperties()), device_id, topic, payload);
    if (asks(commands_tail)) return decode_request(of(CallCommand()), device_id, topic, payload);
    return pass(Passed::other_topic, std::string(topic));
}

}  // namespace fieldgate::northbound::iotda
