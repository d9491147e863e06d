#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/reading.h"
#include "southbound/bus_status.h"
#include "southbound/settings.h"

namespace fieldgate::southbound {

/// What became of a write that has left. It is never sent twice.
struct Written {
    enum class Outcome : std::uint8_t {
        written,   ///< The device said so; with `verify: readback` it also reads so.
        refused,   ///< The device said no: `exception` (Application Protocol V1.1b3, 7).
        mismatch,  ///< The device said yes, and reads otherwise: `read_back`.
        unknown,   ///< No true answer, or one that leaves it open (exceptions 5 and 11).
    };
    Outcome outcome = Outcome::unknown;
    int exception = 0;  ///< 0: none.
    std::optional<Value> read_back;
    std::string what;  ///< Why not, for people; empty if written.
};

/// One wire with its devices: protocol + link + schedule. Runs on the loop.
class Bus {
public:
    /// `settings.wire` decides the link; every device's points are planned here. Nothing is opened
    /// before next().
    Bus(const asio::any_io_executor& loop, BusSettings settings,
        std::vector<DeviceSettings> devices);
    ~Bus();

    /// Sleeps until a scan is due, performs it, and returns what it read: no `values` if it failed.
    /// nullopt after at most 10 s without a scan, so that the caller turns. The wire is taken for
    /// one transaction at a time. Throws operation_aborted when cancelled.
    asio::awaitable<std::optional<Readings>> next();

    /// From now on these are its devices: next() takes them over between two scans, one plan a turn
    /// of the loop. One whose index, unit and register map (the very same object) are as before
    /// keeps what was learned of it, its health and its ticks, whatever else has changed. What is
    /// asked of another edition is refused; what is under way with the old ones ends with them.
    void serve(std::vector<DeviceSettings> devices);

    /// What `device` has taught before a restart (DeviceHealth::learned): next() takes it over
    /// between two scans, after serve(). Nothing happens if it has taught something by then, or is
    /// not here.
    void teach(DeviceRef device, modbus::Lessons lessons);
    /// BusStatus::latency of before a restart, as long as nothing was measured.
    void expect_latency(std::chrono::nanoseconds latency);

    /// Writes `value` to a point of a device on this bus, once, by FC 5, 6, 16 or 22; bits without
    /// `mask` by reading, changing and writing back in one turn. Waits for one scan at most. Then,
    /// if the template says so, reads the point until it is as wanted or `within` is over. What was
    /// written is due to be read and returned by next() at once, and no older sample of it is.
    ///
    /// Any error says that no write has left: unsupported (no such device or point, or not to be
    /// written), busy (being taken over, or suspended), out_of_range and bad_data
    /// (modbus::encode), closed (no wire, or the device is offline), and what went wrong with the
    /// reading before (timeout, refused, bad_data). Throws operation_aborted when cancelled; then
    /// nobody knows.
    /// `not_after`: no byte of it leaves from then on (timeout). `insists`: also while the bus is
    /// suspended, if the device answers a question first.
    struct WriteHow {
        WriteHow(Instant latest = Instant::max(), bool also_suspended = false)
            : not_after(latest), insists(also_suspended) {}
        Instant not_after;
        bool insists;
    };
    asio::awaitable<Result<Written>> write(DeviceRef device, PointIndex point, Value value,
                                           WriteHow how = WriteHow());

    /// Reads points of one device now, in the requests of its plan, between the scans: at least one
    /// turn in four is theirs (turns.h). A point that
    /// cannot be read is not in the answer; `at` is that of the first request. Errors, if there is
    /// nothing at all: unsupported (no such device, or none of the points is read), closed (no
    /// wire, or the device is offline), busy (suspended), timeout, bad_data, refused.
    asio::awaitable<Result<Readings>> read(DeviceRef device, std::vector<PointIndex> points);

    /// Reads what nobody has planned: 1 to 125 registers, or up to 2000 bits as 0 and 1. Errors:
    /// out_of_range (no such range or unit), else as read().
    asio::awaitable<Result<std::vector<std::uint16_t>>> read_raw(std::uint8_t unit,
                                                                 modbus::Table table,
                                                                 std::uint16_t first,
                                                                 std::uint16_t count);

    /// No scan begins from now on, and what is asked for is refused as busy. At `until`, or with
    /// resume(), the scans go on with their next ticks, and what was due meanwhile is read once.
    void suspend(Instant until);
    void resume();
    /// Every scan is due now, and every offline device is asked.
    void scan_now();
    /// Reads all points of one device, or of all, every `period` until then; alarms never more
    /// slowly than they are read anyway, and no point more than `times` faster or slower (0: no
    /// limit). Errors: unsupported (no such device), out_of_range (less than 1 ms, or beyond the
    /// limits of every point).
    Result<void> set_period(std::optional<DeviceRef> device, std::chrono::milliseconds period,
                            Instant until, unsigned times = 0);

    /// What suspend() and set_period() have ordered for a time, and no file says.
    struct Ordered {
        struct Period {
            DeviceIndex device;
            std::uint8_t unit;
            std::shared_ptr<const modbus::RegisterMap> map;
            std::chrono::milliseconds period;
            Instant until;
            unsigned times;
        };
        std::optional<Instant> suspended_until;
        std::vector<Period> periods;
    };
    Ordered ordered() const;
    /// The same for this bus, before its first next(), in place of the one that it was ordered of:
    /// of devices that keep index, unit and register map, as with serve().
    void take_over(const Ordered& ordered);

    bool suspended() const;
    const std::string& name() const;
    BusStatus status() const;
    /// When next() last turned: now, as long as a transaction takes no longer than its time limit
    /// and what has to be waited for before it allow.
    Instant turned() const;
    /// The same for write(), read() and read_raw(): when one of them last had the wire, or now, as
    /// long as those that wait do not wait longer than their turn can be away.
    Instant served() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace fieldgate::southbound
