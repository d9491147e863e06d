#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "base/event.h"
#include "model/reading.h"
#include "northbound/sub_devices.h"

namespace fieldgate {

/// What is known of every sub-device's state, and what of it the platform has been told. Runs on
/// the loop.
class Devices {
public:
    Devices(const asio::any_io_executor& loop, std::vector<std::string> device_ids);

    void set(DeviceIndex device, DeviceStatus status);
    DeviceStatus status(DeviceIndex device) const { return entries_[device].now; }
    std::size_t count(DeviceStatus status) const;
    std::size_t size() const { return entries_.size(); }

    /// Every device whose state is known, as after a connect.
    std::vector<northbound::SubDeviceStatus> all() const;
    /// The devices whose state is not what the platform was told last.
    std::vector<northbound::SubDeviceStatus> untold() const;
    /// The devices that answer, and the platform was not told so.
    std::vector<northbound::SubDeviceStatus> arrived() const;
    /// Every device as OFFLINE, for the end.
    std::vector<northbound::SubDeviceStatus> all_offline() const;
    /// The platform has been told `statuses`.
    void told(const std::vector<northbound::SubDeviceStatus>& statuses);

    /// Waits for a change, 10 s at most. True if there was one.
    asio::awaitable<bool> changed();

private:
    struct Entry {
        std::string device_id;
        DeviceStatus now = DeviceStatus::unknown;
        DeviceStatus told = DeviceStatus::unknown;
    };
    std::vector<Entry> entries_;
    Event change_;
};

}  // namespace fieldgate
