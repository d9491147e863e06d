#pragma once
#include <optional>
#include <vector>

#include "daemon/orders.h"
#include "daemon/site/site.h"
#include "model/reading.h"

namespace fieldgate {

/// What is to be written when the cloud has been away for a while (`on_cloud_loss` of a point).
/// Pure. Each value is due once per outage, `after` its begin; an outage is over when the link is
/// open. Until the first connection the outage counts from the start of the daemon: who restarts
/// without a cloud must become safe, too.
class CloudLoss {
public:
    struct Write {
        DeviceIndex device = 0;
        std::chrono::milliseconds after{0};
        Order::Write write;
    };

    CloudLoss(const Site& site, Instant start);

    /// What the link is now.
    void look(bool open, Instant now);
    /// The writes whose time has come, each told once.
    std::vector<Write> due(Instant now);

private:
    std::vector<Write> writes_;  // the soonest first
    std::size_t done_ = 0;       // of writes_, in this outage
    std::optional<Instant> lost_;
};

}  // namespace fieldgate
