#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/point.h"
#include "model/reading.h"
#include "southbound/modbus/field.h"

namespace fieldgate::southbound {

/// RS-485 direction by the kernel (TIOCSRS485): how long the driver is on around a frame.
struct KernelRs485 {
    std::chrono::microseconds before{0};
    std::chrono::microseconds after{0};
    bool operator==(const KernelRs485&) const = default;
};

/// A serial line; `line: 9600 8E1`.
struct SerialSettings {
    std::string path;  ///< Any device file or link to one; opened by path every time.
    std::uint32_t baud = 9600;
    std::uint8_t data_bits = 8;
    char parity = 'E';  ///< 'N', 'E', 'O'
    std::uint8_t stop_bits = 1;
    std::optional<KernelRs485> rs485;  ///< Absent: the adapter does it by itself.
    bool operator==(const SerialSettings&) const = default;
};

struct TcpSettings {
    std::string host;
    std::uint16_t port = 502;
    bool persistent = true;  ///< connection: persistent | per_cycle
    bool operator==(const TcpSettings&) const = default;
};

/// One wire. Defaults are those of the configuration page.
struct BusSettings {
    std::string name;
    std::variant<SerialSettings, TcpSettings> wire;
    std::optional<std::chrono::milliseconds>
        timeout;  ///< Absent: auto (serial); TCP always has one, 500 ms.
    std::chrono::milliseconds turnaround{
        20};  ///< Serial: silence before another unit is addressed.
    std::uint8_t retries = 1;
    bool operator==(const BusSettings&) const = default;
};

/// Where it is: "/dev/ttyS1", "10.0.0.5:502".
std::string place_of(const TcpSettings& wire);
std::string place_of(const BusSettings& bus);

/// offline: { after: N, probe: A..B }
struct OfflinePolicy {
    std::uint32_t after = 3;                     ///< Failed scans in a row.
    std::chrono::milliseconds probe_from{1000};  ///< Pause between probes, doubling
    std::chrono::milliseconds probe_to{60000};   ///< up to this.
    bool operator==(const OfflinePolicy&) const = default;
};

/// One device on a wire.
struct DeviceSettings {
    DeviceRef device;
    std::string name;
    std::uint8_t unit = 1;
    std::shared_ptr<const modbus::RegisterMap> map;
    /// Parallel to `map`: which points may be written, and how that is verified. Absent: none.
    std::shared_ptr<const std::vector<Point>> points;
    std::vector<std::chrono::milliseconds> every;  ///< Period of each field of `map`.
    OfflinePolicy offline;
    bool operator==(const DeviceSettings&) const = default;
};

}  // namespace fieldgate::southbound
