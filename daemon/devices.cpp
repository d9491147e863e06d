#include "daemon/devices.h"

#include <algorithm>
#include <unordered_map>

using namespace std::chrono_literals;

namespace fieldgate {

Devices::Devices(const asio::any_io_executor& loop, std::vector<std::string> device_ids)
    : change_(loop) {
    entries_.reserve(device_ids.size());
    for (std::string& id : device_ids) {
        Entry entry;
        entry.device_id = std::move(id);
        entries_.push_back(std::move(entry));
    }
}

void Devices::set(DeviceIndex device, DeviceStatus status) {
    if (entries_[device].now == status) return;
    entries_[device].now = status;
    change_.notify();
}

std::size_t Devices::count(DeviceStatus status) const {
    const auto is = [&](const Entry& entry) { return entry.now == status; };
    return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), is));
}

std::vector<northbound::SubDeviceStatus> Devices::all() const {
    std::vector<northbound::SubDeviceStatus> statuses;
    for (const Entry& entry : entries_)
        if (entry.now != DeviceStatus::unknown) statuses.push_back({entry.device_id, entry.now});
    return statuses;
}

std::vector<northbound::SubDeviceStatus> Devices::untold() const {
    std::vector<northbound::SubDeviceStatus> statuses;
    for (const Entry& entry : entries_)
        if (entry.now != entry.told) statuses.push_back({entry.device_id, entry.now});
    return statuses;
}

std::vector<northbound::SubDeviceStatus> Devices::arrived() const {
    std::vector<northbound::SubDeviceStatus> statuses = untold();
    std::erase_if(statuses, [](const auto& one) { return one.status != DeviceStatus::online; });
    return statuses;
}

std::vector<northbound::SubDeviceStatus> Devices::all_offline() const {
    std::vector<northbound::SubDeviceStatus> statuses;
    for (const Entry& entry : entries_)
        statuses.push_back({entry.device_id, DeviceStatus::offline});
    return statuses;
}

void Devices::told(const std::vector<northbound::SubDeviceStatus>& statuses) {
    std::unordered_map<std::string_view, DeviceStatus> by_id;
    for (const auto& status : statuses) by_id.emplace(status.device_id, status.status);
    for (Entry& entry : entries_) {
        const auto found = by_id.find(entry.device_id);
        if (found != by_id.end()) entry.told = found->second;
    }
}

asio::awaitable<bool> Devices::changed() {
    const bool notified = co_await change_.wait_until(Event::Clock::now() + 10s);
    co_return notified;
}

}  // namespace fieldgate
