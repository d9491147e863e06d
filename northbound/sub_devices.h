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
};

/// The platform's word on a StatusReport, for at most 100 of its devices.
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

}  // namespace fieldgate::northbound
