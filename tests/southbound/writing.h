#pragma once
#include <map>
#include <memory>

#include "base/log.h"
#include "base/task_group.h"
#include "southbound/bus.h"
#include "tests/southbound/wire.h"
#include "tests/southbound/writing_device.h"

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
    /// Opens, and lets the link find out whether its adapter echoes, as the first scan does.
    void open_known() {
        open();
        if (GetParam() == lab::Framing::rtu) {
            EXPECT_TRUE(run(loop_, bus_->read_raw(unit, Table::holding, 0, 1)));
        }
        known_after_ = plant_.requests("site", unit);
    }
    std::uint64_t requests() { return plant_.requests("site", unit) - known_after_; }
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
    std::uint64_t known_after_ = 0;
    TaskGroup flows_;
};

inline std::string wire_name(const testing::TestParamInfo<lab::Framing>& wire) {
    return wire.param == lab::Framing::tcp ? "tcp" : "rtu";
}

}  // namespace fieldgate::southbound::writing
