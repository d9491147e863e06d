#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/reading.h"
#include "southbound/modbus/field.h"
#include "southbound/settings.h"

namespace fieldgate::southbound::modbus {

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
