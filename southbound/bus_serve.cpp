#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "southbound/bus_state.h"
#include "southbound/modbus/pdu.h"

namespace fieldgate::southbound {
namespace {

// It is read in the same way: what was learned of it is still true.
bool is_read_alike(const DeviceSettings& one, const DeviceSettings& other) {
    return one.unit == other.unit && one.map == other.map;
}

}  // namespace

void Bus::State::serve(std::vector<DeviceSettings> devices) {
    serve_next_ = std::move(devices);
    wake_.notify();
}

// Between two scans: no plan is in use but by those who hold its device.
void Bus::State::apply_devices(Instant now) {
    std::vector<DeviceSettings> wanted = std::move(*serve_next_);
    serve_next_.reset();
    std::unordered_map<DeviceIndex, std::size_t> places;
    for (std::size_t i = 0; i < wanted.size(); ++i) places.emplace(wanted[i].device.index, i);
    std::vector<bool> kept(wanted.size());
    for (DevicePtr& device : devices_) {
        if (!device) continue;
        const auto place = places.find(device->settings.device.index);
        if (place != places.end() && is_read_alike(wanted[place->second], device->settings)) {
            kept[place->second] = true;
            keep(*device, std::move(wanted[place->second]), now);
        } else {
            schedule_.drop(device->slot);
            device.reset();
        }
    }
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (!kept[i]) add(std::move(wanted[i]), now);
}

// It may be one that is about to be taken over: a scan is on the wire.
Error Bus::State::no_device(DeviceRef device) const {
    const auto is_wanted = [&](const DeviceSettings& one) { return one.device == device; };
    if (serve_next_ && std::any_of(serve_next_->begin(), serve_next_->end(), is_wanted))
        return Error(Errc::busy, "bus " + settings_.name + " is being changed");
    return Error(Errc::unsupported, "no such device on bus " + settings_.name);
}

void Bus::State::keep(Device& device, DeviceSettings settings, Instant now) {
    const bool same_periods = device.settings.every == settings.every;
    const bool same_policy = device.settings.offline == settings.offline;
    device.settings = std::move(settings);
    if (!same_periods) device.plan.set_periods(device.settings.every);
    if (!same_periods && device.period) periods_change_ = Instant::min();
    if (same_periods && same_policy) return;
    schedule_.set(device.slot, device.settings.offline, modbus::timings(device.plan.scans()), now);
}

void Bus::State::add(DeviceSettings settings, Instant now) {
    const auto free = std::find(devices_.begin(), devices_.end(), nullptr);
    const auto slot = static_cast<std::size_t>(free - devices_.begin());
    if (free == devices_.end()) devices_.emplace_back();
    DeviceHealth health;
    health.index = settings.device.index;
    modbus::DevicePlan plan(settings, cost_);
    schedule_.set(slot, settings.offline, modbus::timings(plan.scans()), now);
    devices_[slot] = std::make_shared<Device>(
        Device{slot, std::move(settings), std::move(plan), std::move(health), {}});
}

}  // namespace fieldgate::southbound
