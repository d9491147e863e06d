#include "northbound/iotda/answers.h"

#include "model/event_time.h"
#include "northbound/iotda/event.h"
#include "northbound/iotda/topics.h"

namespace fieldgate::northbound::iotda {
namespace {

struct EncodeAnswer {
    std::string operator()(const SetAnswer& answer) const {
        std::string out = "{";
        append_member(out, "result_code", answer.code);
        if (!answer.text.empty()) append_member(out, "result_desc", answer.text);
        return out + "}";
    }

    std::string operator()(const GetAnswer& answer) const {
        std::string out = R"({"services":[)";
        for (const GetAnswer::Service& service : answer.services) {
            if (!out.ends_with('[')) out += ',';
            out += '{';
            append_member(out, "service_id", service.service_id);
            out += R"(,"properties":)";
            out += service.properties;
            append_member(out, "event_time", event_time_seconds(service.at));
            out += '}';
        }
        return out + "]}";
    }

    std::string operator()(const CallAnswer& answer) const {
        std::string out = "{";
        append_member(out, "result_code", answer.code);
        if (!answer.response_name.empty())
            append_member(out, "response_name", answer.response_name);
        if (!answer.paras.empty()) {
            out += R"(,"paras":)";
            out += answer.paras;
        } else if (answer.code != result_code::success && !answer.text.empty()) {
            // The caller is shown the paras and nothing else that could hold a reason.
            out += R"(,"paras":{)";
            append_member(out, "reason", answer.text);
            out += '}';
        }
        return out + "}";
    }
};

}  // namespace

std::string answer_topic(std::string_view device_id, std::string_view id, const Answer& answer) {
    std::string_view road = commands_tail;
    if (std::holds_alternative<SetAnswer>(answer)) road = set_tail;
    if (std::holds_alternative<GetAnswer>(answer)) road = get_tail;
    std::string tail(road);
    tail += "response/request_id=";
    tail += id;
    return system_topic(device_id, tail);
}

std::string encode_answer(const Answer& answer) { return std::visit(EncodeAnswer(), answer); }

}  // namespace fieldgate::northbound::iotda
