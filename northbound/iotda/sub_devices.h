#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "base/result.h"
#include "northbound/iotda/event.h"
#include "northbound/sub_devices.h"

/// $sub_device_manager (protocol reference 4). Pure.
namespace fieldgate::northbound::iotda {

inline constexpr std::size_t statuses_per_request_max = 100;

/// sub_device_update_status (4.4). At most statuses_per_request_max, each online or offline.
/// `event_id` comes back in the answer.
std::string encode_status(std::span<const SubDeviceStatus> statuses, std::string_view event_id,
                          Utc now);

/// Of a sub_device_update_status_response (4.5). Errors: bad_data.
Result<StatusResponse> decode_status_response(const Event& event);

}  // namespace fieldgate::northbound::iotda
