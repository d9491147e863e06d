#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/reading.h"
#include "southbound/settings.h"

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
    std::string last_error;
};

struct BusStatus {
    bool up = false;  ///< The port or connection is open.
    std::uint64_t requests = 0;
    std::uint64_t overruns = 0;  ///< Scans skipped because the wire was late.
    WireErrors errors;
    /// Raw values that became no reading: they mean "absent", `values` does not list them, or they
    /// are none of their type.
    std::uint64_t absent = 0;
    std::uint64_t unlisted = 0;
    std::uint64_t invalid = 0;
    std::string last_error;  ///< Of the port or connection; empty while it is up.
    std::vector<DeviceHealth> devices;
};

/// One wire with its devices: protocol + link + schedule. Runs on the loop.
class Bus {
public:
    /// `settings.wire` decides the link; every device's points are planned here. Nothing is opened
    /// before next().
    Bus(const asio::any_io_executor& loop, BusSettings settings,
        std::vector<DeviceSettings> devices);
    ~Bus();

    /// Sleeps until a scan is due, performs it, and returns what it read. Nothing (an empty
    /// `values`, no `changed`) after a scan that failed, and after at most 10 s without one, so
    /// that the caller turns. The wire is taken for one transaction at a time. Throws
    /// operation_aborted when cancelled.
    asio::awaitable<Readings> next();

    const std::string& name() const;
    BusStatus status() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace fieldgate::southbound
