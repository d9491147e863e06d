#pragma once
#include <string>
#include <vector>

#include "daemon/config.h"
#include "daemon/local/learned_report.h"
#include "southbound/modbus/summary.h"

namespace fieldgate {

/// What a site will do all day: what is read, what that costs, what is sent and stored. Figures of
/// the network and the store are upper bounds: every reading reported, no report rule applied; the
/// network is there, so that nothing is sent late or twice.
struct SitePlan {
    struct Bus {
        std::string name;
        southbound::modbus::PlanSummary summary;
    };
    std::vector<Bus> buses;
    std::vector<LearnedLines> learned;  ///< By the gateway that runs it; plan_site() knows nothing.
    double records_per_second = 0;
    double messages_per_day = 0;
    double bytes_per_day = 0;
    double store_seconds = 0;  ///< How long the store lasts while the platform is away.
};

SitePlan plan_site(const Config& config);

std::string plan_text(const Config& config, const SitePlan& plan);
/// One JSON object.
std::string plan_json(const Config& config, const SitePlan& plan);

}  // namespace fieldgate
