#pragma once
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/site.h"
#include "tests/fakes/scripted_broker.h"
#include "tests/lab/plant/plant.h"

namespace fieldgate::e2e {

/// A site whose platform does what the test wants, with a valve (unit 7 of the bus `plc`) that may
/// be set from there: its property `limit`, 1 to 63; `level` may not.
class ValveSite {
public:
    static constexpr const char* valve_id = "e2e_VALVE";

    /// `platform_more`: as Site's. Does not start.
    explicit ValveSite(const std::string& platform_more = "  linger: 50ms\n");

    Site& site() { return site_; }
    lab::Plant& plant() { return plant_; }
    fakes::ScriptedBroker& broker() { return broker_; }
    const fakes::ScriptedBroker& broker() const { return broker_; }
    /// A platform that answers time questions and statuses: it knows these sub-devices; none: all
    /// that there are.
    static fakes::ScriptedBroker::Script script(const std::set<std::string>& known = {});

    /// Sends a request of the platform to `road`, e.g. "properties/set".
    void send(const std::string& road, const std::string& id, const std::string& payload);
    void set_limit(const std::string& id, const std::string& value) {
        send("properties/set", id, set_of(valve_id, "limit", value));
    }
    static std::string set_of(const std::string& device, const std::string& property,
                              const std::string& value);

    /// The payloads of the answers to `id` that were sent, acknowledged or not.
    std::vector<std::string> answers(const std::string& id) const;
    std::size_t answers() const;  ///< to whatever
    /// The last status of `device` that was sent; "" if none was.
    std::string status(const std::string& device) const;
    std::int64_t link(const std::string& figure) const;  ///< `link` of `fieldgate status`

    /// The valve is known to be there, and data goes up.
    bool ready();

private:
    static Site::Settings settings(const fakes::ScriptedBroker& broker, std::uint16_t plant_port,
                                   const std::string& platform_more);

    lab::Plant plant_;
    fakes::ScriptedBroker broker_;
    Site site_;
};

}  // namespace fieldgate::e2e
