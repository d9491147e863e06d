#pragma once
#include <string>
#include <string_view>
#include <vector>

/// Topics of a device on the platform (protocol reference 0.4). Pure.
namespace fieldgate::northbound::iotda {

std::string own_report_topic(std::string_view device_id);
std::string batch_report_topic(std::string_view gateway_id);
std::string events_up_topic(std::string_view device_id);
std::string events_down_topic(std::string_view device_id);

/// The filters of everything that the platform may send to a device. It would send it unasked at
/// QoS 0; subscribed, it comes at QoS 1 (protocol reference 1.6).
std::vector<std::string> downlink_filters(std::string_view device_id);

}  // namespace fieldgate::northbound::iotda
