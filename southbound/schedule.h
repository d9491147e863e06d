#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/reading.h"
#include "southbound/settings.h"

namespace fieldgate::southbound {

/// Which scan is due next on one bus, and which devices are worth asking. Pure: the caller owns the
/// clock. Every call costs O(log scans), set() O(scans of the device).
///
/// Deadlines are start + k * period, whatever happened before: no drift, and scans of equal period
/// share a tick. What is late is skipped and counted, never queued. A device whose scans failed
/// `after` times in a row is offline: instead of its scans one probe is due, after a pause that
/// doubles; one answer brings all its scans back. If none of them is answered then, the pause goes
/// on where it was: a device whose probes alone are answered does not come and go all day.
class Schedule {
public:
    /// One scan as the schedule sees it.
    struct Timing {
        std::chrono::milliseconds period{0};
        /// Says which scan it is when set() replaces scans: one with the same key keeps its turn.
        std::uint64_t key = 0;
        /// Due at once when it is new; else with its next tick.
        bool at_once = true;
    };

    struct Due {
        std::size_t device = 0;  ///< As given to set().
        std::size_t scan = 0;    ///< Position in that device's timings.
        Instant at;              ///< When it should have been taken.
        std::uint64_t tick = 0;  ///< Periods since start; grows by more than 1 over skipped ones.
        /// The device is offline: any answer will do, so ask something short, once, without retry.
        /// `scan` goes round, for one block may be at fault.
        bool probe = false;
        int tries = 0;  ///< How often it was tried already (again()).
    };

    explicit Schedule(Instant start) : start_(start) {}

    /// Adds device number `device` (0, 1, ... in the order of adding) or replaces its scans, when
    /// its plan has changed. May be called between take() and done(), but call done() first.
    void set(std::size_t device, const OfflinePolicy& policy, std::span<const Timing> scans,
             Instant now);

    /// It has no scans any more, and nothing is remembered of it; set() may give its number to
    /// another. Not between take() and done().
    void drop(std::size_t device);

    /// The scan with the earliest deadline, if that has come; its next deadline is the first tick
    /// after `now`. Of equal deadlines the first device goes first, so that units change rarely.
    std::optional<Due> take(Instant now);

    /// How `due` ended; `answered` is true if the device gave any answer, an exception too
    /// (modbus::device_answered). Returns the new status if it has changed.
    std::optional<DeviceStatus> done(const Due& due, bool answered, Instant now);
    /// In place of done(): it failed, and that says something about what was asked for, nothing
    /// about the device.
    void done_for_nothing(const Due& due);

    /// In place of done(): it is to be tried once more, as soon as its device may be asked.
    void again(const Due& due);
    /// Nothing of this device is due before `until`: it is not to be asked.
    void hold(std::size_t device, Instant until);

    /// The scan is due now, and then with its next tick as ever: what it reads has been changed. Of
    /// an offline device nothing is hurried.
    void hurry(std::size_t device, std::size_t scan, Instant now);

    /// As hurry(), for everything but retries.
    void hurry_all(Instant now);
    /// What came due while nobody looked is due once, and was nobody's fault: no overrun.
    void forgive(Instant now);

    /// Probes every offline device at once, and its pauses start anew: what had kept all of them
    /// away (the line itself) is back.
    void ask_all(Instant now);

    /// When take() will next return something; nullopt if there is nothing to do at all.
    std::optional<Instant> next();

    DeviceStatus status(std::size_t device) const { return devices_[device].status; }
    std::uint32_t failures_in_a_row(std::size_t device) const { return devices_[device].failures; }
    /// Entries held, void ones included: bounded by a small multiple of the scans.
    std::size_t queued() const { return queue_.size(); }
    /// Ticks skipped because the wire was late; those of offline devices are not counted.
    std::uint64_t overruns() const { return overruns_; }

private:
    struct Slot {
        Timing timing;
        Instant at;           ///< Its deadline.
        bool failed = false;  ///< The last time; read again as soon as the device is back.
        int tries = 0;        ///< Since it came due.
    };
    struct Device {
        OfflinePolicy policy;
        std::vector<Slot> scans;
        DeviceStatus status = DeviceStatus::unknown;
        std::uint32_t failures = 0;
        std::chrono::milliseconds pause{0};  ///< 0: a scan was answered since it last was offline.
        Instant probe_at;
        Instant held_until{};
        std::size_t probe = 0;         ///< The scan that is the next probe.
        std::uint32_t generation = 0;  ///< Entries of others are void.
    };
    struct Entry {
        Instant at;
        std::size_t device = 0;
        std::size_t scan = 0;
        std::uint32_t generation = 0;
        bool operator>(const Entry& other) const;
    };

    Instant last_tick(std::chrono::milliseconds period, Instant now) const;
    void push(std::size_t device, std::size_t scan, Instant at);
    void pop();
    bool is_void(const Entry& entry) const;
    void drop_void();
    void push_all(std::size_t device);
    Due take_probe(std::size_t device);
    Due take_scan(std::size_t device, std::size_t scan, Instant now);
    void go_offline(Device& device, Instant now);
    void resume(Device& device, Instant now);

    Instant start_;
    std::vector<Device> devices_;
    std::vector<Entry> queue_;  ///< A heap, the earliest in front.
    std::size_t scans_ = 0;
    std::uint64_t overruns_ = 0;
};

}  // namespace fieldgate::southbound
