#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/reading.h"
#include "southbound/modbus/lessons.h"

namespace fieldgate::southbound {

/// Wire errors by kind, since start.
struct WireErrors {
    std::uint64_t timeout = 0;
    std::uint64_t bad_data = 0;   ///< checksum, length, or a reply to something else
    std::uint64_t exception = 0;  ///< the device answered with a Modbus exception
    std::uint64_t closed = 0;     ///< connection or port lost, or not to be had
    std::uint64_t stale = 0;      ///< late replies that were recognised and dropped
    std::uint64_t total() const { return timeout + bad_data + exception + closed; }
};

struct DeviceHealth {
    DeviceIndex index = 0;
    DeviceStatus status = DeviceStatus::unknown;
    std::uint32_t failures_in_a_row = 0;
    std::uint64_t scans = 0;
    std::uint64_t failed_scans = 0;
    std::string last_error;  ///< Of the last scan; empty if it was answered.
    modbus::Lessons learned;
};

struct BusStatus {
    bool up = false;             ///< The port or connection is open.
    bool suspended = false;      ///< By suspend().
    std::uint64_t requests = 0;  ///< All that have left.
    std::uint64_t writes = 0;    ///< Requests that change something, and have left.
    std::uint64_t overruns = 0;  ///< Scans skipped because the wire was late.
    WireErrors errors;
    /// Raw values that became no reading: they mean "absent", `values` does not list them, or they
    /// are none of their type.
    std::uint64_t absent = 0;
    std::uint64_t unlisted = 0;
    std::uint64_t invalid = 0;
    std::uint64_t outdated = 0;  ///< Samples dropped: their point was written after them.
    std::string last_error;      ///< Of the port or connection; empty while it is up.
    /// What is not time on the wire (modbus::CostModel); nullopt until measured.
    std::optional<std::chrono::nanoseconds> latency;
    std::vector<DeviceHealth> devices;
};

}  // namespace fieldgate::southbound
