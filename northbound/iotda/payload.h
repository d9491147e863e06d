#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/record.h"
#include "northbound/cloud.h"
#include "northbound/parcel.h"

/// JSON of the platform's messages <-> our words. Pure.
namespace fieldgate::northbound::iotda {

/// A property report: of the gateway itself (protocol reference 2.1), or of its sub-devices (2.2).
/// Exactly parcel.payload_bytes() long.
std::string encode(const Parcel& parcel);

/// $sdk_info: who we are (protocol reference 5.2).
std::string encode_sdk_info(std::string_view version, Utc now);

inline constexpr std::size_t statuses_per_request_max = 100;

/// sub_device_update_status (protocol reference 4.4). At most statuses_per_request_max, each online
/// or offline. `event_id` comes back in the answer.
std::string encode_status(std::span<const SubDeviceStatus> statuses, std::string_view event_id,
                          Utc now);

/// The platform's answer to it (protocol reference 4.5).
struct StatusResponse {
    struct Failure {
        std::string device_id;
        std::string code;
        std::string message;
    };
    std::string event_id;
    std::size_t successful = 0;
    std::vector<Failure> failures;
};

/// The status responses in a message of events/down; other events are skipped. Errors: as
/// json::parse, and bad_data for a message that is no event envelope (protocol reference 4.0).
Result<std::vector<StatusResponse>> decode_status_responses(std::string_view payload);

}  // namespace fieldgate::northbound::iotda
