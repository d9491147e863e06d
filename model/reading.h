#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/value.h"

namespace fieldgate {

/// A device, by its place in DeviceTable. Names are resolved once.
using DeviceIndex = std::uint32_t;
/// A point, by its position in its template's list of points.
using PointIndex = std::uint32_t;

/// A device with the points that it has at the moment. A site may change while it runs: then the
/// device gets another edition, and a PointIndex of before means nothing any more.
struct DeviceRef {
    DeviceRef(DeviceIndex its_index = 0, std::uint64_t its_edition = 0)
        : index(its_index), edition(its_edition) {}
    DeviceIndex index;
    std::uint64_t edition;
    bool operator==(const DeviceRef&) const = default;
};
/// When, on this machine: neither NTP nor an operator moves it. Becomes UTC in EventClock.
using Instant = std::chrono::steady_clock::time_point;

/// One measured value of one point.
struct Reading {
    PointIndex point = 0;
    Value value;
    bool operator==(const Reading&) const = default;
};

enum class DeviceStatus : std::uint8_t { unknown, online, offline };

/// What one answer from the wire said about one device. A point that could not be read, or whose
/// raw value means "no value", is not in it: there is no reading without a value.
struct Readings {
    DeviceRef device;
    Instant at;  ///< When the answer left the wire.
    std::vector<Reading> values;
    std::optional<DeviceStatus> changed;  ///< The device went online or offline with this scan.
};

}  // namespace fieldgate
