#include "daemon/site/site.h"

#include <optional>
#include <utility>

namespace fieldgate {

Site::Site(std::uint64_t its_revision, Config checked, const std::vector<DeviceRef>& devices,
           DeviceRef gateway)
    : revision(its_revision), config(std::move(checked)), directory(config, devices, gateway) {}

std::vector<southbound::DeviceSettings> Site::devices_of(std::size_t bus) const {
    std::vector<southbound::DeviceSettings> devices = fieldgate::devices_of(config, bus);
    for (southbound::DeviceSettings& device : devices)
        device.device = directory.at(device.device.index);
    return devices;
}

namespace {

// The same object for the same content: what is unchanged is known by its address. Where several
// templates have that content, the one of the same name is it.
void share(Template& tmpl, const Config& before) {
    const auto take = [&](const Template& old) {
        if (old.points && tmpl.points && *old.points == *tmpl.points) tmpl.points = old.points;
        if (old.registers && tmpl.registers && *old.registers == *tmpl.registers)
            tmpl.registers = old.registers;
    };
    const Template* namesake = nullptr;
    for (const Template& old : before.templates) {
        take(old);
        if (old.name == tmpl.name) namesake = &old;
    }
    if (namesake) take(*namesake);
}

bool is_alike(const Template& one, const Template& other) {
    return one.points == other.points && one.registers == other.registers &&
           one.self_values == other.self_values;
}

// That of `before`, if the device is still the same.
std::uint64_t edition_of(const Config& config, const DeviceConfig& device, DeviceIndex index,
                         const Site* before, std::uint64_t revision) {
    const DeviceConfig* const old = before ? before->directory.config_of(index) : nullptr;
    const bool same = old && old->name == device.name && old->unit == device.unit &&
                      before->config.buses[old->bus] == config.buses[device.bus] &&
                      is_alike(before->config.templates[old->device_template],
                               config.templates[device.device_template]);
    return same ? before->directory.ref(index).edition : revision;
}

std::uint64_t own_edition(const Config& config, const Site* before, std::uint64_t revision) {
    if (!before || !config.gateway_template || !before->config.gateway_template) return revision;
    const bool same = config.platform.device_id == before->config.platform.device_id &&
                      is_alike(before->directory.template_of(DeviceTable::gateway),
                               config.templates[*config.gateway_template]);
    return same ? before->directory.ref(DeviceTable::gateway).edition : revision;
}

}  // namespace

Result<SitePtr> make_site(Config config, DeviceTable& table, const Site* before) {
    const std::uint64_t revision = before ? before->revision + 1 : 1;
    if (before)
        for (Template& tmpl : config.templates) share(tmpl, before->config);
    std::vector<DeviceRef> devices;
    devices.reserve(config.devices.size());
    for (const DeviceConfig& device : config.devices) {
        const std::optional<DeviceIndex> index = table.intern(device.device_id);
        if (!index)
            return Error(Errc::out_of_range, "no room for the device " + device.device_id + ": " +
                                                 std::to_string(DeviceTable::devices_max) +
                                                 " were known since the start");
        devices.emplace_back(*index, edition_of(config, device, *index, before, revision));
    }
    const DeviceRef gateway(DeviceTable::gateway, own_edition(config, before, revision));
    return SitePtr(std::make_shared<const Site>(revision, std::move(config), devices, gateway));
}

}  // namespace fieldgate
