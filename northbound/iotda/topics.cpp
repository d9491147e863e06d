#include "northbound/iotda/topics.h"

namespace fieldgate::northbound::iotda {

std::string system_topic(std::string_view device_id, std::string_view tail) {
    std::string topic = "$oc/devices/";
    topic += device_id;
    topic += "/sys/";
    topic += tail;
    return topic;
}

std::string own_report_topic(std::string_view device_id) {
    return system_topic(device_id, "properties/report");
}

std::string batch_report_topic(std::string_view gateway_id) {
    return system_topic(gateway_id, "gateway/sub_devices/properties/report");
}

std::string events_up_topic(std::string_view device_id) {
    return system_topic(device_id, "events/up");
}

std::string events_down_topic(std::string_view device_id) {
    return system_topic(device_id, "events/down");
}

std::vector<std::string> downlink_filters(std::string_view device_id) {
    std::vector<std::string> filters;
    for (const char* tail : {"commands/#", "properties/set/#", "properties/get/#",
                             "shadow/get/response/#", "events/down"})
        filters.push_back(system_topic(device_id, tail));
    return filters;
}

}  // namespace fieldgate::northbound::iotda
