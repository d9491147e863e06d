#include "daemon/gate/property_answer.h"

#include <algorithm>

#include "base/json.h"
#include "model/mapping.h"

namespace fieldgate {
namespace {

using Service = northbound::GetAnswer::Service;

// Times are told in whole seconds (protocol reference 2.4), so what was read within one belongs
// together.
bool is_of(const Service& service, const std::string& id, Utc at) {
    using std::chrono::floor;
    using std::chrono::seconds;
    return service.service_id == id && floor<seconds>(service.at) == floor<seconds>(at);
}

}  // namespace

northbound::GetAnswer property_answer(std::span<const Point> points, DeviceRef device,
                                      std::span<const PointIndex> wanted, const Latest& latest,
                                      const EventClock& clock) {
    northbound::GetAnswer answer;
    std::vector<Service>& services = answer.services;
    for (const PointIndex index : wanted) {
        const Point& point = points[index];
        const std::optional<Latest::Entry> entry = latest.get(device, index);
        std::string value;
        if (!entry || !append_fitted(value, entry->value, point.model ? &*point.model : nullptr))
            continue;
        const Utc at = clock.stamp(entry->at).at;
        auto place = std::find_if(services.begin(), services.end(), [&](const Service& service) {
            return is_of(service, point.service, at);
        });
        if (place == services.end())
            place = services.insert(services.end(), Service{point.service, "{", at});
        if (place->properties.size() > 1) place->properties += ',';
        json::append_string(place->properties, point.property);
        place->properties += ':';
        place->properties += value;
    }
    for (Service& service : services) service.properties += '}';
    return answer;
}

}  // namespace fieldgate
