#include <algorithm>
#include <set>

#include "daemon/config/loading.h"
#include "daemon/config/words.h"
#include "model/device_table.h"

namespace fieldgate::config {
namespace {

using southbound::OfflinePolicy;
using std::chrono::milliseconds;

constexpr std::size_t device_id_max = 128;

// One entry of `devices`, before its range of units is spread out.
struct Entry {
    Place place;
    Place unit_place;
    std::int64_t first = 1;
    std::int64_t last = 0;  // before first: no unit
    std::string name;
    std::string node_id;
    std::string device_id;
    std::string bus;
    std::optional<std::size_t> bus_index;
    std::optional<std::size_t> template_index;
    std::optional<milliseconds> every;
    OfflinePolicy offline;
};

void read_unit(Fields& fields, Entry& entry) {
    const auto place = fields.require("unit", "add unit: N, or a range such as 1..3");
    if (!place) return;
    const auto text = read_text(*place, fields.report());
    if (!text) return;
    const Ends ends = parse_ends(*text);
    const auto first = parse_whole(ends.first);
    const auto last = parse_whole(ends.last);
    entry.unit_place = *place;
    if (!first || !last) {
        fields.report().error(*place, "\"" + *text + "\" is no unit",
                              "write a number, or a range such as 1..3");
    } else if (*first > *last) {
        fields.report().error(*place, "the range " + *text + " is empty",
                              "write the smaller unit first");
    } else {
        entry.first = *first;
        entry.last = *last;
    }
}

// Serial line: 1 to 247 (Modbus Serial Line V1.02, 2.2). TCP devices also use 0 and 255.
void check_unit(Entry& entry, Loading& loading) {
    if (entry.last < entry.first || !entry.bus_index) return;
    const bool serial = std::holds_alternative<southbound::SerialSettings>(
        loading.config.buses[*entry.bus_index].wire);
    const std::int64_t min = serial ? 1 : 0;
    const std::int64_t max = serial ? 247 : 255;
    if (entry.first >= min && entry.last <= max) return;
    loading.report.error(entry.unit_place, raw_text(entry.unit_place) + " is out of range",
                         std::to_string(min) + " to " + std::to_string(max) +
                             (serial ? " on a serial line" : " on TCP"));
    entry.last = entry.first - 1;
}

void replace_unit(std::string& text, std::int64_t unit) {
    for (std::size_t at = 0; (at = text.find("{unit}")) != std::string::npos;)
        text.replace(at, 6, std::to_string(unit));
}

// The name, with a placeholder where there is a range.
void read_pattern(Fields& fields, std::string_view key, const Entry& entry, std::string& target) {
    const auto place = fields.get(key);
    const auto text = place ? read_text(*place, fields.report()) : std::nullopt;
    if (!text) return;
    std::string rest = *text;  // the longest that it will be
    replace_unit(rest, entry.last);
    const bool replaced = rest != *text;
    if (rest.find_first_of("{}") != std::string::npos) {
        fields.report().error(*place, "\"" + *text + "\" has an unknown placeholder",
                              "the only placeholder is {unit}");
        return;
    }
    if (entry.first < entry.last && !replaced) {
        fields.report().error(*place, "one " + std::string(key) + " for several units",
                              "put {unit} into it, such as \"" + *text + "-{unit}\"");
        return;
    }
    const bool is_id = key != "name";
    if (is_id && (!is_identifier(rest) || rest.size() > (key == "node_id" ? 64U : device_id_max))) {
        fields.report().error(*place, "\"" + *text + "\" is no " + std::string(key),
                              key == "node_id" ? "1 to 64 letters, digits, _ and -"
                                               : "1 to 128 letters, digits, _ and -");
        return;
    }
    target = *text;
}

void read_offline(const Place& place, OfflinePolicy& offline, Report& report) {
    Fields fields(place, report, Keys::offline);
    fields.whole("after", offline.after, 1, 1000);
    const auto probe = fields.get("probe");
    if (!probe) return;
    const auto text = read_text(*probe, report);
    if (!text) return;
    const Ends ends = parse_ends(*text);
    const auto from = parse_duration(ends.first);
    const auto to = parse_duration(ends.last);
    if (!from || !to) {
        report.error(*probe, "\"" + *text + "\" is no range of durations",
                     "write two durations, such as 1s..60s");
    } else if (*from > *to || *from < milliseconds(100) || *to > std::chrono::days(1)) {
        report.error(*probe, "the range " + *text + " cannot be",
                     "the shorter pause first, from 100ms to 1d");
    } else {
        offline.probe_from = std::chrono::duration_cast<milliseconds>(*from);
        offline.probe_to = std::chrono::duration_cast<milliseconds>(*to);
    }
}

// The index behind a name, if the name is known; a problem if not.
std::optional<std::size_t> refer(Fields& fields, std::string_view key, const char* hint,
                                 const std::map<std::string, std::optional<std::size_t>>& known,
                                 bool incomplete) {
    const auto place = fields.require(key, hint);
    const auto name = place ? read_text(*place, fields.report()) : std::nullopt;
    if (!name) return std::nullopt;
    const auto found = known.find(*name);
    if (found != known.end()) return found->second;
    if (incomplete) return std::nullopt;
    std::vector<std::string> names;
    for (const auto& [other, index] : known) names.push_back(other);
    const bool path = name->find('/') != std::string::npos || name->ends_with(".yaml");
    fields.report().error(*place, "there is no " + std::string(key) + " \"" + *name + "\"",
                          path ? "write its name, not its path" : did_you_mean(*name, names));
    return std::nullopt;
}

std::string derived_id(std::size_t template_index, const std::string& node_id,
                       const Loading& loading) {
    return loading.config.templates[template_index].product_id + '_' + node_id;
}

// The device id that is derived, at its longest.
void check_device_id(Fields& fields, const Entry& entry, Loading& loading) {
    if (!entry.device_id.empty() || entry.node_id.empty() || !entry.template_index) return;
    std::string id = derived_id(*entry.template_index, entry.node_id, loading);
    replace_unit(id, entry.last);
    if (id.size() <= device_id_max) return;
    loading.report.error(*fields.get("node_id"),
                         "the device id is " + std::to_string(id.size()) + " characters long",
                         "it is product_id, _ and node_id, at most " +
                             std::to_string(device_id_max) + "; shorten the node_id");
}

// One device per unit of the entry.
bool is_crowded(const Loading& loading) {
    return loading.seen_devices.size() > DeviceTable::devices_max;
}

void spread(const Entry& entry, bool complete, Loading& loading) {
    for (std::int64_t unit = entry.first; unit <= entry.last && !is_crowded(loading); ++unit) {
        DeviceConfig device;
        device.name = entry.name;
        device.node_id = entry.node_id;
        device.device_id = entry.device_id;
        replace_unit(device.name, unit);
        replace_unit(device.node_id, unit);
        replace_unit(device.device_id, unit);
        if (device.device_id.empty() && entry.template_index && !device.node_id.empty()) {
            device.device_id = derived_id(*entry.template_index, device.node_id, loading);
        }
        device.unit = static_cast<std::uint8_t>(unit);
        device.every = entry.every;
        device.offline = entry.offline;
        loading.seen_devices.push_back(
            {device.name, device.device_id, entry.bus, device.unit, entry.place});
        if (!complete || !entry.bus_index || !entry.template_index) continue;
        device.bus = *entry.bus_index;
        device.device_template = *entry.template_index;
        loading.config.devices.push_back(std::move(device));
    }
}

void read_device(const Place& place, Loading& loading) {
    const std::size_t errors = loading.report.errors();
    Fields fields(place, loading.report, Keys::device);
    Entry entry;
    entry.place = place;
    entry.bus_index = refer(fields, "bus", "add bus: the name of one of the buses", loading.buses,
                            loading.buses_incomplete);
    if (fields.has("bus")) entry.bus = raw_text(place.at("bus", *place.node->find("bus")));
    entry.template_index = refer(fields, "template", "add template: the name of a template",
                                 loading.templates, loading.templates_incomplete);
    if (entry.template_index &&
        loading.config.templates[*entry.template_index].protocol == Template::Protocol::self) {
        loading.report.error(*fields.get("template"), "the template is for the gateway itself",
                             "name a template of protocol modbus");
        entry.template_index.reset();
    }
    read_unit(fields, entry);
    check_unit(entry, loading);
    (void)fields.require("name", "add name: what people call the device");
    read_pattern(fields, "name", entry, entry.name);
    if (!fields.has("node_id") && !fields.has("device_id"))
        (void)fields.require("node_id", "add node_id: the device's id within its product");
    read_pattern(fields, "node_id", entry, entry.node_id);
    read_pattern(fields, "device_id", entry, entry.device_id);
    check_device_id(fields, entry, loading);
    if (fields.has("every")) {
        milliseconds every{0};
        fields.duration("every", every, every_min, every_max);
        if (every.count() > 0) entry.every = every;
    }
    if (const auto offline = fields.get("offline"))
        read_offline(*offline, entry.offline, loading.report);
    spread(entry, loading.report.errors() == errors, loading);
}

// A problem at `device`, once per entry.
class Twice {
public:
    Twice(const char* key, Loading& loading) : key_(key), loading_(loading) {}

    void check(const std::string& name, const Loading::SeenDevice& device, const std::string& what,
               const std::string& hint) {
        if (name.empty()) return;
        const auto [seen, fresh] = first_.emplace(name, device.place);
        if (fresh || !told_.insert(device.place.path + device.place.document->file).second) return;
        std::string_view key = key_;
        if (key == "device_id" && device.place.node->find(key) == nullptr) key = "node_id";
        const Node* node = device.place.node->find(key);
        const Place place = node != nullptr ? device.place.at(key, *node) : device.place;
        const bool same = seen->second.node == device.place.node;
        loading_.report.error(
            place, what,
            same ? hint : "it is that of the device in " + where(seen->second) + "; " + hint);
    }

private:
    const char* key_;
    Loading& loading_;
    std::map<std::string, Place> first_;
    std::set<std::string> told_;
};

}  // namespace

void read_devices(const Place& place, Loading& loading) {
    for (const Place& item : read_list(place, loading.report)) read_device(item, loading);
}

void check_devices(Loading& loading) {
    if (is_crowded(loading)) {
        loading.report.error(loading.seen_devices.back().place,
                             "more than " + std::to_string(DeviceTable::devices_max) + " devices",
                             "share the site out among several gateways");
        return;
    }
    Twice names("name", loading);
    Twice ids("device_id", loading);
    Twice units("unit", loading);
    for (const Loading::SeenDevice& device : loading.seen_devices) {
        names.check(device.name, device, "the name \"" + device.name + "\" stands twice",
                    "give each device a name of its own");
        ids.check(device.device_id, device,
                  "the device id \"" + device.device_id + "\" stands twice",
                  "give each device a node_id of its own");
        if (!device.bus.empty()) {
            const std::string unit = std::to_string(device.unit);
            units.check(device.bus + '/' + unit, device,
                        "unit " + unit + " stands twice on the bus \"" + device.bus + '"',
                        "one device per unit and bus");
        }
        if (!device.device_id.empty() && device.device_id == loading.config.platform.device_id) {
            loading.report.error(device.place, "the device id is that of the gateway itself",
                                 "give the device an id of its own");
        }
    }
}

}  // namespace fieldgate::config
