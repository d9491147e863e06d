#pragma once
#include <optional>
#include <vector>

#include "model/reading.h"

namespace fieldgate {

/// The last reading of every point, for those who ask for it. Runs on the loop.
class Latest {
public:
    struct Entry {
        Value value;
        Instant at;
    };

    /// From now on the device has so many points; nothing is known of them.
    void put(DeviceRef device, std::size_t points) {
        if (device.index >= slots_.size()) slots_.resize(device.index + 1);
        slots_[device.index] = {device.edition, std::vector<std::optional<Entry>>(points)};
    }
    void drop(DeviceIndex device) {
        if (device < slots_.size()) slots_[device] = Slot();
    }

    /// Of a device that is not here in that edition nothing is kept.
    void set(const Readings& readings) {
        if (!is_here(readings.device)) return;
        for (const Reading& reading : readings.values)
            slots_[readings.device.index].points[reading.point] = Entry{reading.value, readings.at};
    }

    /// nullopt: never read, or the device is not here in that edition.
    std::optional<Entry> get(DeviceRef device, PointIndex point) const {
        if (!is_here(device)) return std::nullopt;
        return slots_[device.index].points[point];
    }

private:
    struct Slot {
        std::uint64_t edition = 0;
        std::vector<std::optional<Entry>> points;
    };

    bool is_here(DeviceRef device) const {
        return device.index < slots_.size() && slots_[device.index].edition == device.edition &&
               !slots_[device.index].points.empty();
    }

    std::vector<Slot> slots_;  // by DeviceIndex
};

}  // namespace fieldgate
