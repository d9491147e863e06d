#include "northbound/iotda/time_sync.h"

namespace fieldgate::northbound::iotda {
namespace {

Utc required_time(MemberReader& paras, std::string_view key) {
    return Utc(std::chrono::milliseconds(required_whole_number(paras, key)));
}

}  // namespace

std::string encode_time_question(const TimeQuestion& question, std::string_view event_id, Utc now) {
    std::string out = open_event("$time_sync", "time_sync_request", event_id, now);
    append_member(out, "device_send_time", question.device_sent.time_since_epoch().count());
    out += close_event;
    return out;
}

Result<TimeAnswer> decode_time_answer(const Event& event) {
    std::optional<Error> error;
    MemberReader paras(event.paras, "paras", error);
    TimeAnswer answer;
    answer.device_sent = required_time(paras, "device_send_time");
    answer.server_received = required_time(paras, "server_recv_time");
    answer.server_sent = required_time(paras, "server_send_time");
    if (error) return *error;
    return answer;
}

}  // namespace fieldgate::northbound::iotda
