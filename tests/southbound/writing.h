#pragma once
#include <map>
#include <memory>

#include "base/log.h"
#include "base/task_group.h"
#include "southbound/bus.h"
#include "tests/southbound/wire.h"

namespace fieldgate::southbound::writing {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using lab::Bytes;
using lab::FaultKind;
using modbus::Field;
using modbus::RawType;
using modbus::RegisterMap;
using modbus::Table;
using std::chrono::milliseconds;
using Outcome = Written::Outcome;

enum : PointIndex {
    limit,
    breaker,
    counter,
    mode,
    stage,
    verified,
    missing,
    fixed,
    gain,
    phase,
    points
};

inline Field at(std::uint16_t address, RawType type, Table table = Table::holding) {
    Field field;
    field.address = address;
    field.type = type;
    field.table = table;
    return field;
}

inline DeviceSettings device(milliseconds every) {
    auto map = std::make_shared<RegisterMap>();
    map->fields = {at(10, RawType::i16),  at(3, RawType::boolean, Table::coil),
                   at(20, RawType::u32),  at(30, RawType::u16),
                   at(30, RawType::u16),  at(40, RawType::u16),
                   at(600, RawType::u16), at(50, RawType::u16),
                   at(60, RawType::f32),  at(30, RawType::u16)};
    map->fields[limit].scale = {1, 1};
    map->fields[counter].order.words_swapped = true;
    map->fields[mode].bits = modbus::Bits{4, 7};
    map->fields[stage].bits = modbus::Bits{8, 11};
    map->fields[phase].bits = modbus::Bits{0, 3};
    auto all = std::make_shared<std::vector<Point>>(points);
    for (PointIndex i = 0; i < points; ++i)
        if (i != fixed) (*all)[i].write.emplace();
    (*all)[stage].write->mask = true;
    (*all)[fixed].priority = Priority::alarm;
    for (const PointIndex i : {verified, gain}) {
        (*all)[i].write->readback = true;
        (*all)[i].write->within = 300ms;
    }
    DeviceSettings settings;
    settings.name = "device";
    settings.unit = 7;
    settings.every.assign(points, every);
    settings.map = map;
    settings.points = all;
    return settings;
}

/// A bus with one device that can be written to, over both wires.
class BusWriteTest : public testing::TestWithParam<lab::Framing> {
protected:
    BusWriteTest() : flows_(loop_.get_executor()) { log::set_level(log::Level::error); }
    ~BusWriteTest() override {
        run(loop_, stop());
        log::set_level(log::Level::info);
    }
    asio::awaitable<int> stop() {
        co_await flows_.stop();
        co_return 0;
    }

    void open(milliseconds every = 1h, lab::Plant::MakeValues values = lab::memory_values,
              lab::SlaveLimits limits = {}) {
        BusSettings settings;
        settings.name = "bus";
        settings.timeout = 100ms;
        settings.turnaround = 0ms;
        if (GetParam() == lab::Framing::tcp) {
            const auto port = plant_.add_tcp({"site", {unit}, std::move(values), limits});
            settings.wire = TcpSettings{"127.0.0.1", port, true};
        } else {
            const std::string path = line_path("written");
            plant_.add_rtu({"site", {unit}, std::move(values), limits}, path);
            settings.wire = fast_line(path);
        }
        bus_.emplace(loop_.get_executor(), settings, std::vector<DeviceSettings>{device(every)});
    }
    void poll() { flows_.spawn("collect", collect()); }
    asio::awaitable<void> collect() {
        for (;;) {
            const Readings readings = (co_await bus_->next()).value_or(Readings());
            if (!readings.values.empty()) ++scans_;
            for (const Reading& reading : readings.values) last_[reading.point] = reading.value;
        }
    }
    template <class Condition>
    bool run_until(Condition condition, milliseconds at_most = 5s) {
        const auto deadline = Clock::now() + at_most;
        for (; !condition(); loop_.run_one_for(20ms)) {
            if (Clock::now() >= deadline) return false;
            loop_.restart();
        }
        return true;
    }

    Result<Written> write(PointIndex point, Value value) {
        return run(loop_, bus_->write(0, point, std::move(value)));
    }
    Outcome outcome(PointIndex point, Value value) {
        const Result<Written> written = write(point, std::move(value));
        EXPECT_TRUE(written) << written.error().what;
        return written ? written->outcome : Outcome::unknown;
    }
    std::vector<Bytes> seen() {
        std::vector<Bytes> pdus;
        for (const lab::WriteSeen& write : plant_.writes("site", unit)) pdus.push_back(write.pdu);
        return pdus;
    }
    std::uint16_t word(std::uint16_t address) { return plant_.holding("site", unit, address); }

    static constexpr std::uint8_t unit = 7;
    asio::io_context loop_{1};
    lab::Plant plant_;
    std::optional<Bus> bus_;
    std::map<PointIndex, Value> last_;
    std::size_t scans_ = 0;
    TaskGroup flows_;
};

inline std::string wire_name(const testing::TestParamInfo<lab::Framing>& wire) {
    return wire.param == lab::Framing::tcp ? "tcp" : "rtu";
}

}  // namespace fieldgate::southbound::writing
