// What the planner says of a site that has no errors: periods that a bus cannot meet.
#include <cmath>
#include <string>

#include "daemon/config/loading.h"
#include "southbound/modbus/summary.h"

namespace fieldgate::config {

void check_loads(Loading& loading) {
    const Config& site = loading.config;
    for (std::size_t bus = 0; bus < site.buses.size(); ++bus) {
        const southbound::modbus::PlanSummary plan =
            southbound::modbus::summarize(site.buses[bus], devices_of(site, bus));
        if (plan.load_percent <= 100) continue;
        loading.report.warning(
            loading.bus_places.at(site.buses[bus].name),
            "a load of " + std::to_string(std::lround(plan.load_percent)) +
                " %: this bus cannot meet the periods of its devices, scans will be skipped",
            "longer periods (every), a faster line, or fewer devices; fieldgate check --plan shows "
            "what costs most");
    }
}

}  // namespace fieldgate::config
