#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/value.h"

namespace fieldgate {

/// A device of this gateway, by its position in the site's list of devices. Names are resolved
/// once.
using DeviceIndex = std::uint32_t;
/// A point, by its position in its template's list of points.
using PointIndex = std::uint32_t;
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
    DeviceIndex device = 0;
    Instant at;  ///< When the answer left the wire.
    std::vector<Reading> values;
    std::optional<DeviceStatus> changed;  ///< The device went online or offline with this scan.
};

}  // namespace fieldgate
