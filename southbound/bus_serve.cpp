#include <algorithm>
#include <iterator>
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

const modbus::DevicePlan* plan_for(const std::vector<modbus::DevicePlan>& plans,
                                   const DeviceSettings& device) {
    const auto found = std::ranges::find_if(
        plans, [&](const modbus::DevicePlan& plan) { return plan.suits(device); });
    return found == plans.end() ? nullptr : &*found;
}

}  // namespace

void Bus::State::serve(std::vector<DeviceSettings> devices) {
    serve_next_ = std::move(devices);
    wake_.notify();
}

// Between two scans: no plan is in use but by those who hold its device.
void Bus::State::apply_devices() {
    coming_.assign(std::move_iterator(serve_next_->rbegin()),
                   std::move_iterator(serve_next_->rend()));
    serve_next_.reset();
    new_plans_.clear();
    std::unordered_map<DeviceIndex, const DeviceSettings*> wanted;
    for (const DeviceSettings& device : coming_) wanted.emplace(device.device.index, &device);
    for (DevicePtr& device : devices_) {
        if (!device) continue;
        const auto found = wanted.find(device->settings.device.index);
        if (found != wanted.end() && is_read_alike(*found->second, device->settings)) continue;
        schedule_.drop(device->slot);
        device.reset();
    }
}

// One plan at a time: a large one takes some milliseconds, and other buses have their ticks.
void Bus::State::take_in(Instant now) {
    for (bool planned = false; !coming_.empty(); coming_.pop_back()) {
        DeviceSettings& next = coming_.back();
        const auto is_next = [&](const DevicePtr& device) {
            return device && device->settings.device.index == next.device.index;
        };
        const auto found = std::ranges::find_if(devices_, is_next);
        const DevicePtr known = found == devices_.end() ? nullptr : *found;
        const modbus::DevicePlan* const alike = known ? nullptr : plan_for(new_plans_, next);
        if (!alike && !(known && known->settings.every == next.every)) {
            if (std::exchange(planned, true)) return;
        }
        if (known) {
            keep(*known, std::move(next), now);
        } else if (alike) {
            modbus::DevicePlan plan(*alike, next);
            add(std::move(next), std::move(plan), now);
        } else {
            modbus::DevicePlan plan = new_plans_.emplace_back(next, cost_);
            add(std::move(next), std::move(plan), now);
        }
    }
    new_plans_.clear();
    ordered_.clear();
}

// It may be one that is about to be taken over: a scan is on the wire.
Error Bus::State::no_device(DeviceRef device) const {
    const auto is_wanted = [&](const DeviceSettings& one) { return one.device == device; };
    const bool coming = serve_next_ ? std::ranges::any_of(*serve_next_, is_wanted)
                                    : std::ranges::any_of(coming_, is_wanted);
    if (coming) return Error(Errc::busy, "bus " + settings_.name + " is being changed");
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

void Bus::State::add(DeviceSettings settings, modbus::DevicePlan plan, Instant now) {
    const auto free = std::find(devices_.begin(), devices_.end(), nullptr);
    const auto slot = static_cast<std::size_t>(free - devices_.begin());
    if (free == devices_.end()) devices_.emplace_back();
    DeviceHealth health;
    health.index = settings.device.index;
    schedule_.set(slot, settings.offline, modbus::timings(plan.scans()), now);
    devices_[slot] = std::make_shared<Device>(
        Device{slot, std::move(settings), std::move(plan), std::move(health), {}});
    take_over(*devices_[slot]);
}

}  // namespace fieldgate::southbound
