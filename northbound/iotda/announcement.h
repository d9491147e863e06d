#pragma once
#include <string>
#include <string_view>

#include "model/record.h"
#include "northbound/downlink.h"

namespace fieldgate::northbound::iotda {

/// What is published where.
struct Publication {
    std::string topic, payload;
};

/// Of every announcement but a StatusReport, which takes several (sub_devices.h). `event_id` is
/// used where the announcement brings none. Pure.
Publication encode(const Announcement& announcement, std::string_view device_id,
                   std::string_view event_id, Utc now);

}  // namespace fieldgate::northbound::iotda
