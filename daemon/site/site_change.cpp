#include "daemon/site/site_change.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>

namespace fieldgate {
namespace {

using southbound::BusSettings;
using southbound::DeviceSettings;

std::optional<std::size_t> find(const std::vector<BusSettings>& buses, const std::string& name) {
    const auto bus = std::find_if(buses.begin(), buses.end(),
                                  [&](const BusSettings& one) { return one.name == name; });
    if (bus == buses.end()) return std::nullopt;
    return static_cast<std::size_t>(bus - buses.begin());
}

SiteChange::Redeviced redeviced(const std::string& bus, const std::vector<DeviceSettings>& before,
                                std::vector<DeviceSettings> after) {
    SiteChange::Redeviced change;
    change.bus = bus;
    std::unordered_map<DeviceIndex, const DeviceSettings*> old;
    for (const DeviceSettings& device : before) old.emplace(device.device.index, &device);
    for (const DeviceSettings& device : after) {
        const auto was = old.find(device.device.index);
        if (was == old.end()) {
            ++change.added;
            continue;
        }
        ++(*was->second == device ? change.untouched : change.changed);
        old.erase(was);
    }
    change.removed = old.size();
    change.devices = std::move(after);
    return change;
}

void compare_buses(const Site& before, const Site& after, SiteChange& change) {
    const std::vector<BusSettings>& now = after.config.buses;
    for (std::size_t i = 0; i < now.size(); ++i) {
        const auto old = find(before.config.buses, now[i].name);
        if (!old) {
            change.lines_new.push_back(now[i].name);
        } else if (before.config.buses[*old] != now[i]) {
            change.lines_rewired.push_back(now[i].name);
        } else {
            auto devices = redeviced(now[i].name, before.devices_of(*old), after.devices_of(i));
            if (devices.added + devices.removed + devices.changed > 0)
                change.redeviced.push_back(std::move(devices));
        }
    }
    for (const BusSettings& old : before.config.buses)
        if (!find(now, old.name)) change.lines_gone.push_back(old.name);
}

void compare_devices(const Site& before, const Site& after, SiteChange& change) {
    for (std::size_t i = 0; i < after.config.devices.size(); ++i) {
        const DeviceRef ref = after.directory.at(i);
        if (!before.directory.position(ref.index))
            change.fresh.push_back(ref.index);
        else if (before.directory.ref(ref.index) != ref)
            change.remapped.push_back(ref.index);
    }
    for (std::size_t i = 0; i < before.config.devices.size(); ++i) {
        const DeviceIndex index = before.directory.at(i).index;
        if (!after.directory.position(index)) change.gone.push_back(index);
    }
    constexpr DeviceIndex gateway = DeviceTable::gateway;
    const bool had = before.config.gateway_template.has_value();
    const bool has = after.config.gateway_template.has_value();
    if (!had && has) change.fresh.push_back(gateway);
    if (had && !has) change.gone.push_back(gateway);
    const bool other = had && has && before.directory.ref(gateway) != after.directory.ref(gateway);
    if (other) change.remapped.push_back(gateway);
    change.own = had != has || other ||
                 (has && before.directory.template_of(gateway).every !=
                             after.directory.template_of(gateway).every);
}

bool same_commands(const Config& before, const Config& after) {
    return std::equal(before.templates.begin(), before.templates.end(), after.templates.begin(),
                      after.templates.end(), [](const Template& one, const Template& other) {
                          return one.commands == other.commands;
                      });
}

std::string text_of(const SiteChange::Redeviced& change) {
    std::string text;
    const auto add = [&](std::size_t count, const std::string& one, const std::string& what) {
        if (count == 0) return;
        if (!text.empty()) text += ", ";
        text += std::to_string(count) + (text.empty() ? (count == 1 ? one : one + "s") : "") + what;
    };
    add(change.added, " device", " added");
    add(change.removed, " device", " removed");
    add(change.changed, " device", " changed");
    add(change.untouched, " device", " untouched");
    return "bus " + change.bus + ": " + text;
}

}  // namespace

bool SiteChange::empty() const {
    return lines_gone.empty() && lines_new.empty() && lines_rewired.empty() && redeviced.empty() &&
           gone.empty() && fresh.empty() && remapped.empty() && !own && !commands && !platform &&
           !remote && !clock && needs_restart.empty();
}

SiteChange compare(const Site& before, const Site& after) {
    SiteChange change;
    compare_buses(before, after, change);
    compare_devices(before, after, change);
    change.platform = before.config.platform != after.config.platform;
    change.remote = before.config.remote != after.config.remote;
    change.clock = before.config.require_sync != after.config.require_sync;
    change.commands = !same_commands(before.config, after.config);
    change.needs_restart = restarts_owed(before.config, after.config);
    return change;
}

std::vector<std::string> restarts_owed(const Config& begun, const Config& now) {
    std::vector<std::string> keys;
    const auto note = [&](const char* key, bool same) {
        if (!same) keys.emplace_back(key);
    };
    note("store", begun.store == now.store);
    note("local.control", begun.local.control == now.local.control);
    note("local.metrics", begun.local.metrics == now.local.metrics);
    note("local.web", begun.local.web == now.local.web);
    return keys;
}

std::vector<std::string> remarks(const Config& config) {
    std::vector<std::string> lines;
    for (const std::string& key : config.not_yet)
        lines.push_back(key + ": configured, but not in this version yet");
    std::string names;
    for (const std::string& name : config.loaded_by_systemd)
        names += (names.empty() ? "" : ", ") + name;
    if (!names.empty())
        lines.push_back("credentials: systemd has loaded " + names +
                        " at the start; a changed one takes a restart: systemctl restart "
                        "fieldgate");
    return lines;
}

std::vector<std::string> describe(const SiteChange& change, const Site& after) {
    std::map<std::string, std::string> lines;  // by bus, as an operator looks for them
    for (const std::string& name : change.lines_gone) lines[name] = "bus " + name + ": removed";
    for (const std::string& name : change.lines_new) lines[name] = "bus " + name + ": new";
    for (const std::string& name : change.lines_rewired)
        lines[name] = "bus " + name + ": opened anew with other settings";
    for (const SiteChange::Redeviced& bus : change.redeviced) lines[bus.bus] = text_of(bus);
    std::vector<std::string> all;
    for (auto& [name, text] : lines) all.push_back(std::move(text));
    if (change.own) all.emplace_back("gateway: reports otherwise of itself");
    if (change.commands) all.emplace_back("commands: other ones from the next request on");
    if (change.platform) all.push_back("platform: connects anew, to " + after.config.platform.host);
    if (change.remote) all.emplace_back("remote: holds from the next request on");
    if (change.clock) all.emplace_back("clock: changed");
    for (const std::string& key : change.needs_restart)
        all.push_back(key + ": changed, and takes a restart: systemctl restart fieldgate");
    return all;
}

}  // namespace fieldgate
