#pragma once
#include <string>
#include <string_view>
#include <vector>

/// Topics of a device on the platform (protocol reference 0.4). Pure.
namespace fieldgate::northbound::iotda {

/// $oc/devices/{device_id}/sys/{tail}
std::string system_topic(std::string_view device_id, std::string_view tail);

std::string own_report_topic(std::string_view device_id);
std::string batch_report_topic(std::string_view gateway_id);
std::string events_up_topic(std::string_view device_id);
std::string events_down_topic(std::string_view device_id);

/// Tails of the topics that request_id={id} follows, in questions of the platform; before it,
/// response/ in our answers.
inline constexpr std::string_view commands_tail = "commands/";
inline constexpr std::string_view set_tail = "properties/set/";
inline constexpr std::string_view get_tail = "properties/get/";
/// The platform's answer to our own question; request_id={id} follows.
inline constexpr std::string_view shadow_answer_tail = "shadow/get/response/";

/// The filters of everything that is read here. The platform would send it unasked at QoS 0;
/// subscribed, it comes at QoS 1 (protocol reference 1.6). Not messages/down: to acknowledge what
/// nobody reads would only empty the platform's store of it (20 messages, 24 h; 3.3).
std::vector<std::string> downlink_filters(std::string_view device_id);

}  // namespace fieldgate::northbound::iotda
