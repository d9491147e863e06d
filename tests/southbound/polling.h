#pragma once
// A bus that polls certified values of a plant, and what comes of it.
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "base/log.h"
#include "base/task_group.h"
#include "southbound/bus.h"
#include "tests/southbound/wire.h"

namespace fieldgate::southbound::polling {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using modbus::Field;
using modbus::RegisterMap;
using modbus::Table;
using std::chrono::milliseconds;

// The registers of `blocks` certified blocks from 0 on, each a point.
inline std::shared_ptr<const RegisterMap> certified_map(std::size_t blocks) {
    auto map = std::make_shared<RegisterMap>();
    for (std::size_t i = 0; i < blocks * lab::certified_block; ++i) {
        Field field;
        field.address = static_cast<std::uint16_t>(i);
        map->fields.push_back(field);
    }
    return map;
}

inline DeviceSettings device(DeviceIndex index, std::uint8_t unit,
                             std::shared_ptr<const RegisterMap> map, milliseconds every) {
    DeviceSettings settings;
    settings.device = index;
    settings.name = "device-" + std::to_string(index);
    settings.unit = unit;
    settings.every.assign(map->fields.size(), every);
    settings.map = std::move(map);
    return settings;
}

// What arrived, and when.
struct Seen {
    std::map<DeviceIndex, std::vector<Instant>> at;
    std::map<DeviceIndex, std::vector<DeviceStatus>> changes;
    int wrong = 0;
    std::map<DeviceIndex, std::uint64_t> edition;  // of the last
    std::size_t values = 0;
};

// Whole certified blocks only: registers of one answer that prove each other.
inline void check(const Readings& readings, std::uint8_t unit, Seen& seen) {
    std::map<PointIndex, std::uint16_t> words;
    for (const Reading& reading : readings.values) {
        const std::optional<double> number = as_number(reading.value);
        words[reading.point] = static_cast<std::uint16_t>(number.value_or(0));
    }
    for (const auto& [point, word] : words) {
        if (point % lab::certified_block != 0) continue;
        std::vector<std::uint16_t> block;
        for (PointIndex i = point; i < point + lab::certified_block; ++i)
            if (words.contains(i)) block.push_back(words[i]);
        std::uint32_t seq = 0;
        if (block.size() != lab::certified_block) continue;
        const auto address = static_cast<std::uint16_t>(point);
        if (!lab::is_certified(block, unit, address, seq)) ++seen.wrong;
    }
}

inline asio::awaitable<void> collect(Bus& bus, Seen& seen) {
    for (;;) {
        const std::optional<Readings> scanned = co_await bus.next();
        if (!scanned) continue;
        const Readings& readings = *scanned;
        if (readings.changed) seen.changes[readings.device.index].push_back(*readings.changed);
        if (readings.values.empty()) continue;
        seen.at[readings.device.index].push_back(readings.at);
        seen.edition[readings.device.index] = readings.device.edition;
        seen.values += readings.values.size();
        // In these tests a device's unit is its index and one.
        check(readings, static_cast<std::uint8_t>(readings.device.index + 1), seen);
    }
}

class BusTest : public testing::Test {
protected:
    BusTest() : flows_(loop_.get_executor()) { log::set_level(log::Level::error); }
    ~BusTest() override {
        run(loop_, stop(flows_));
        log::set_level(log::Level::info);
    }

    BusSettings tcp(const std::string& site, std::uint16_t port) const {
        BusSettings settings;
        settings.name = site;
        settings.wire = TcpSettings{"127.0.0.1", port, true};
        return settings;
    }
    BusSettings line(const std::string& path, std::uint32_t baud, milliseconds timeout) const {
        BusSettings settings;
        settings.name = "line";
        SerialSettings serial = fast_line(path);
        serial.baud = baud;
        settings.wire = serial;
        settings.timeout = timeout;
        settings.turnaround = 0ms;
        return settings;
    }
    Bus& add(BusSettings settings, std::vector<DeviceSettings> devices, Seen& seen) {
        buses_.push_back(
            std::make_unique<Bus>(loop_.get_executor(), std::move(settings), std::move(devices)));
        flows_.spawn("collect", collect(*buses_.back(), seen));
        return *buses_.back();
    }
    void run_for(milliseconds time) {
        loop_.restart();
        loop_.run_for(time);
    }
    template <class Condition>
    bool run_until(Condition condition, milliseconds at_most) {
        const auto deadline = Clock::now() + at_most;
        loop_.restart();
        while (!condition() && Clock::now() < deadline) loop_.run_one_for(20ms);
        return condition();
    }
    static asio::awaitable<int> stop(TaskGroup& flows) {
        co_await flows.stop();
        co_return 0;
    }

    asio::io_context loop_{1};
    lab::Plant plant_;
    Seen seen_;
    std::vector<std::unique_ptr<Bus>> buses_;
    TaskGroup flows_;
};

}  // namespace fieldgate::southbound::polling
