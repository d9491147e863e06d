#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "southbound/bus.h"
#include "southbound/last_writes.h"
#include "southbound/modbus/plan.h"

namespace fieldgate::southbound {

/// One device of a bus, and what is known of it (Bus::State).
struct BusDevice {
    std::size_t slot;  // its place in the bus, and its number in the schedule
    DeviceSettings settings;
    modbus::DevicePlan plan;
    DeviceHealth health;
    LastWrites last_writes;
    bool no_single_write = false;                       // FC 6 is an illegal function to it
    std::optional<std::chrono::milliseconds> period{};  // in place of its own, until then
    Instant period_until{};
    unsigned period_times = 0;
    modbus::Lessons told{};  // of what it has taught, in the log
    Instant tell_by = Instant::max();
};

/// One point of one device, and how it is to be written.
struct WriteTarget {
    std::shared_ptr<BusDevice> device;
    PointIndex point;
    std::shared_ptr<const std::vector<Point>> points;  // of which `rule` is one's
    const modbus::Field* field;
    const WriteRule* rule;
    Bus::WriteHow how;
};

}  // namespace fieldgate::southbound
