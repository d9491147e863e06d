#pragma once
#include <string>
#include <vector>

#include "model/reading.h"

/// What gateway and platform tell each other about sub-devices (protocol reference 4).
namespace fieldgate::northbound {

struct SubDeviceStatus {
    std::string device_id;
    DeviceStatus status = DeviceStatus::unknown;
};

/// Which sub-devices answer. Those unknown yet are not told.
struct StatusReport {
    std::vector<SubDeviceStatus> statuses;
    std::string event_id = {};  ///< Comes back in the responses; empty: one is made up.
};

/// The platform's word on a StatusReport, for at most 100 of its devices; within 30 s, if at all.
struct StatusResponse {
    struct Failure {
        std::string device_id;
        std::string code;
        std::string message;
    };
    std::string event_id;
    std::vector<std::string> successes;  ///< device ids
    std::vector<Failure> failures;
};

}  // namespace fieldgate::northbound
