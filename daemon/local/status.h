#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/gate/requests.h"
#include "model/mapping.h"
#include "model/record.h"
#include "northbound/iotda/cloud.h"
#include "southbound/bus.h"
#include "storage/outbox.h"

namespace fieldgate {

/// Everything the gateway says of itself, at one moment: the JSON has it all, /metrics nearly all,
/// the table what a person looks at first, the gateway's own properties what its template names.
struct Status {
    std::string version;
    std::string config_hash;
    /// Problems that the configuration has: the last good one runs, without powers that it does not
    /// grant. 0: it loads.
    std::size_t does_not_load = 0;
    std::chrono::seconds uptime{0};

    struct Link {
        bool up = false;
        std::string endpoint;
        Utc since;
        std::string why;  ///< Why it ended, or did not begin; told while it is down.
        std::uint64_t reconnects = 0;
        std::size_t in_flight = 0;
        std::size_t payload_bytes = 0;  ///< Of a publish now: less where the platform takes less.
        double goodput = 0;             ///< What the link carries, bytes/s; 0: not known yet.
        std::size_t window_bytes = 0;   ///< May be under way at one time.
        std::uint64_t dropped = 0;      ///< Messages of the platform: more than could be kept.
        std::uint64_t unanswered = 0;   ///< Answers: too many waited, or no link in time.
        std::uint64_t passed_over = 0;  ///< Messages and events of no use to us.
        northbound::iotda::Certificate certificate = northbound::iotda::Certificate::none;
    } link;

    struct Clock {
        bool proven = false;
        bool held = false;
        std::chrono::milliseconds system_off{0};  ///< The system clock is ahead of event times.
        /// Of the platform's last time answer; none came: nullopt.
        std::optional<std::chrono::milliseconds> round_trip;
        const char* quality() const { return held ? "held" : proven ? "proven" : "unproven"; }
    } clock;

    storage::OutboxStatus store;
    Mapping::Counters mapping;
    Requests::Counters requests;
    std::uint64_t requests_late = 0;  ///< Answered because time ran out.

    struct Bus {
        std::string name;
        southbound::BusStatus now;
    };
    std::vector<Bus> buses;

    struct Device {
        std::string name;
        std::string device_id;
        std::string bus;
        DeviceStatus status = DeviceStatus::unknown;
        std::string platform;  ///< What the platform says to it: Devices::platform().
        southbound::DeviceHealth health;
    };
    std::vector<Device> devices;

    std::size_t count(DeviceStatus status) const;
    std::size_t refused() const;  ///< Devices that the platform does not take.
    std::size_t buses_up() const;
    southbound::WireErrors wire_errors() const;
};

const char* to_string(DeviceStatus status);

/// One JSON object, one line.
std::string status_json(const Status& status);
/// The same without the devices, which may be thousands: for an answer of one message.
std::string status_summary_json(const Status& status);

/// For people, a few lines and two tables; made from the JSON, since it comes from another process.
std::string status_text(const std::string& json);

/// Prometheus text exposition format 0.0.4.
std::string status_metrics(const Status& status);

}  // namespace fieldgate
