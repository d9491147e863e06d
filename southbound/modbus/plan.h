#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "southbound/modbus/blocks.h"
#include "southbound/modbus/cost.h"
#include "southbound/modbus/field.h"
#include "southbound/modbus/lessons.h"
#include "southbound/modbus/scan.h"
#include "southbound/modbus/search.h"
#include "southbound/schedule.h"
#include "southbound/settings.h"

namespace fieldgate::southbound::modbus {

/// How one device is read: its fields in the cheapest requests, and what the device has taught us.
///
/// Points of one table and one period are cut into blocks by dynamic programming over the cost
/// model; slower points ride along in a faster block where that is cheaper. Never across
/// `forbidden`, never more than max_registers. What a device refuses is learned here, by the rules
/// at refused() and timed_out(); nothing that was learned from one device is used for another, but
/// by teach() for the same one after a restart.
class DevicePlan {
public:
    DevicePlan(const DeviceSettings& device, const CostModel& cost);
    /// The same for less, by a plan that suits() it and has learned nothing yet.
    DevicePlan(const DevicePlan& fresh, const DeviceSettings& device);

    /// The device's fields are these, each as often.
    bool suits(const DeviceSettings& device) const {
        return device.map == map_ && device.every == every_;
    }

    /// Positions are those of Schedule::Due::scan, and are
    /// valid until a call below returns true.
    const std::vector<Scan>& scans() const { return scans_; }
    std::vector<Scan>& scans() { return scans_; }
    const RegisterMap& map() const { return *map_; }

    /// The same for all points.
    void want_all();
    /// Other periods, one for each field; what was learned stays. The scans have changed.
    void set_periods(std::vector<std::chrono::milliseconds> every);

    /// The scans that hold `points`, without all other points: for a reading out of turn, whose
    /// answers teach nothing and take nobody's turn. Points that are not read are in none.
    std::vector<Scan> scans_of(const std::vector<PointIndex>& points) const;

    // Each of these returns true if the scans have changed: hand timings() to Schedule::set()
    // again.

    /// A good answer to scan `scan`. Proves its length; brings a refused point back, and then
    /// lengths and holes of its table are learned anew.
    bool answered(std::size_t scan);
    // What follows teaches by one rule: what a device does not give is searched for by cutting the
    // block where it reads something along, or else in halves, until the hole is known; from then
    // on it is read up to there and from behind it. Two good halves with nothing between them were
    // too long together. What is not given by itself is asked for after 15 s, and ever more rarely,
    // up to once an hour.

    /// Exception `code` to scan `scan`. With 2 and 3 the search begins at once (with 3 the longest
    /// block is halved first, if no such length was answered before); with others if the block was
    /// never answered, with the second in a row; with 5 and 6 ("not now") with
    /// the tenth. 10 and 11 are a gateway's, and teach nothing.
    bool refused(std::size_t scan, int code);
    /// All tries of scan `scan` got an answer that cannot be true (empty, too short), or timed out,
    /// or the connection was lost over it. With the third time in a row the search begins, if the
    /// scan is_suspect() each time; a point by itself counts as refused after ten silences.
    bool untrue(std::size_t scan);
    bool timed_out(std::size_t scan);
    /// Scan `scan` was never answered, and something else of the device was since it failed last:
    /// if it fails now it is to blame, and not the device.
    bool is_suspect(std::size_t scan) const;
    /// It is a part of what was refused, and some part must be again: no reason to ask twice.
    bool is_searched(std::size_t scan) const;
    /// A question whose answer says that the device lives: less than `scan`. Where that was never
    /// answered, what it asks for may be what the device does not give: then every other time one
    /// of its points by itself, in turn.
    Request probe(std::size_t scan);
    /// It was answered.
    void alive() { ++answers_; }

    /// `point` is wanted with the next answer, though its turn may have passed. Returns the scan
    /// that reads it; nullopt if none does.
    std::optional<std::size_t> want(PointIndex point);

    /// What is known for sure; what a search has not ended on is not in it.
    Lessons lessons() const;
    /// A refusal is being searched for its reason: lessons() will change with it.
    bool searching() const;
    /// `lessons` of the same unit and registers (layout_digest), from before a restart. Returns
    /// true if the scans have changed; changes nothing once something was learned otherwise.
    bool teach(const Lessons& lessons);

    /// Fields that are not read, because the device refuses them or they lie in `forbidden`.
    std::size_t unreadable() const;

private:
    void rebuild();
    void plan_table(Table table);
    void add_retries(Table table);
    bool failed(std::size_t scan, const Failure& failure);
    bool bisect(std::size_t scan);
    bool shorten(std::size_t scan);
    bool give_up(std::size_t scan, int exception);
    bool settle(Table table);
    bool restore(std::size_t scan);
    bool prove(Cut& cut, const std::vector<Cut>& all);
    Extent extent(PointIndex point) const;
    Scan alone(PointIndex point, std::chrono::milliseconds period) const;
    std::uint16_t widest(Table table) const;
    std::uint16_t longest(Table table) const { return longest_[index_of(table)]; }
    std::uint16_t most_answered(Table table) const { return answered_[index_of(table)]; }
    /// How long after the `refusals`th refusal a point is asked for again.
    static std::chrono::milliseconds retry_period(std::uint32_t refusals);
    bool is_readable(PointIndex point) const;

    std::shared_ptr<const RegisterMap> map_;
    const CostModel* cost_;
    std::uint8_t unit_;
    std::vector<std::chrono::milliseconds> every_;

    std::array<std::uint16_t, 4> longest_{};   ///< By table: the most that is asked for at once.
    std::array<std::uint16_t, 4> answered_{};  ///< By table: the most that was ever answered.
    std::vector<Cut> cuts_;
    std::vector<bool> refused_;             ///< By point.
    std::vector<std::uint32_t> refusals_;   ///< By point: how often; its retries get rarer.
    std::vector<std::uint8_t> exceptions_;  ///< By point: the last refusal; 0: silence.
    std::vector<bool> forbidden_;           ///< By point: never read.
    std::vector<Scan> scans_;
    std::vector<Trial> trials_;  ///< By scan.
    std::uint64_t answers_ = 0;
    std::size_t probes_ = 0;
};

/// `scans` as Schedule::set() wants them.
std::vector<Schedule::Timing> timings(const std::vector<Scan>& scans);

}  // namespace fieldgate::southbound::modbus
