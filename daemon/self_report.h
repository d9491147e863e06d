#pragma once
#include <chrono>
#include <vector>

#include "daemon/config.h"
#include "daemon/local/status.h"
#include "model/reading.h"

namespace fieldgate {

/// The gateway as a device of its own: readings of its health, as a template of protocol `self`
/// asks. Pure: the caller brings the time and the status.
class SelfReport {
public:
    /// `device`: the gateway itself.
    SelfReport(const Template& tmpl, DeviceRef device, Instant start);

    Instant next_due() const;
    /// What is due at `now`; its `values` may be empty.
    Readings due(Instant now, const Status& status);

private:
    struct Item {
        SelfValue what;
        std::chrono::milliseconds every;
        Instant at;
    };
    DeviceRef device_;
    std::vector<Item> items_;  // parallel to the template's points
};

/// All of them, as they are at `now`.
Readings self_readings(const Template& tmpl, DeviceRef device, Instant now, const Status& status);

}  // namespace fieldgate
