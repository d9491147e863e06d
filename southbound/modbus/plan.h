#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "southbound/modbus/cost.h"
#include "southbound/modbus/field.h"
#include "southbound/modbus/scan.h"
#include "southbound/settings.h"

namespace fieldgate::southbound::modbus {

/// How one device is read: its fields in the cheapest requests, and what the device has taught us.
///
/// Points of one table and one period are cut into blocks by dynamic programming over the cost
/// model; slower points ride along in a faster block where that is cheaper. Never across
/// `forbidden`, never more than max_registers. What a device refuses is learned here, by the rules
/// at refused() and timed_out(); nothing that was learned from one device is used for another.
class DevicePlan {
public:
    DevicePlan(const DeviceSettings& device, const CostModel& cost);

    /// In order of table, period and address. Positions are those of Schedule::Due::scan, and are
    /// valid until a call below returns true.
    const std::vector<Scan>& scans() const { return scans_; }
    std::vector<Scan>& scans() { return scans_; }
    const RegisterMap& map() const { return *map_; }

    // Each of these returns true if the scans have changed: hand them to Schedule::set() again.

    /// A good answer to scan `scan`. Proves its length; brings a refused field back.
    bool answered(std::size_t scan);
    /// Exception `code` to scan `scan`. With 2 (and 3, if such a length was answered before) the
    /// block is cut in halves until the hole is known, then read up to it and behind it; with 3,
    /// the longest block is halved. A refused single field is tried again once an hour.
    bool refused(std::size_t scan, int code);
    /// All tries of scan `scan` timed out. When a length that was never answered stays without
    /// answer three times, though the device answers others, the longest block is halved.
    bool timed_out(std::size_t scan);
    /// The device answered something else than a scan: a probe.
    void alive() { ++answers_; }

    /// Fields that are not read, because the device refuses them or they lie in `forbidden`.
    std::size_t unreadable() const;

private:
    /// A place that no block may cross, before register `at`.
    struct Barrier {
        Table table = Table::holding;
        std::uint32_t at = 0;
        bool proven = false;
    };
    /// What is known of a block by its place; survives replanning.
    struct Trial {
        Table table = Table::holding;
        std::uint16_t first = 0;
        std::uint16_t count = 0;
        bool good = false;
        std::uint32_t timeouts = 0;
        std::uint64_t answers = 0;  ///< answers_ at the first of them
    };

    void rebuild();
    bool bisect(const Scan& scan);
    bool shorten(const Scan& scan);
    void give_up(const Scan& scan);
    bool settle_barriers();
    Trial& trial(const Scan& scan);
    bool ends_good(Table table, std::uint32_t at) const;

    std::shared_ptr<const RegisterMap> map_;
    const CostModel& cost_;
    std::uint8_t unit_;
    std::vector<std::chrono::milliseconds> every_;

    std::array<std::uint16_t, 4> longest_;     ///< By table: the most that is asked for at once.
    std::array<std::uint16_t, 4> answered_{};  ///< By table: the most that was ever answered.
    std::vector<Barrier> barriers_;
    std::vector<bool> refused_;  ///< By field.
    std::vector<Trial> trials_;
    std::uint64_t answers_ = 0;
    std::vector<Scan> scans_;
};

/// One block of a plan, for people.
struct BlockCost {
    DeviceIndex device = 0;
    std::uint8_t unit = 0;
    Table table = Table::holding;
    std::uint16_t first = 0;
    std::uint16_t count = 0;
    std::chrono::milliseconds period{0};
    std::size_t fields = 0;
    std::size_t bytes = 0;             ///< On the wire, request and answer.
    std::chrono::nanoseconds time{0};  ///< Silences, latency and turnaround included.
};

/// What a bus will do all day.
struct PlanSummary {
    std::vector<BlockCost> blocks;
    std::chrono::nanoseconds cycle{0};  ///< Every block once.
    double load_percent = 0;            ///< Over 100: periods cannot be met.
    /// The same with one, two, ... (up to 3) devices silent: while they do not count as offline
    /// yet, and from then on, when they are probed only.
    struct Dead {
        std::size_t devices = 0;
        double dying_percent = 0;
        double offline_percent = 0;
    };
    std::vector<Dead> dead;
    double requests_per_second = 0;
    double bytes_per_second = 0;
    std::vector<std::string> messages;  ///< What an operator should know; no names of files.
};

/// The plan of a bus as it starts, before anything is learned.
PlanSummary summarize(const BusSettings& bus, const std::vector<DeviceSettings>& devices);

}  // namespace fieldgate::southbound::modbus
