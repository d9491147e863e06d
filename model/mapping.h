#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "model/event_time.h"
#include "model/point.h"
#include "model/reading.h"
#include "model/record.h"
#include "model/series.h"

namespace fieldgate {

/// Readings -> records: report rules, the model's types and limits, event times. Runs on the loop,
/// waits for nothing. One record per service and wire answer; a record with an alarm point in it is
/// an alarm.
class Mapping {
public:
    /// What there is to map of one device.
    struct Device {
        std::string name;       ///< for the log
        std::string device_id;  ///< on the platform
        std::shared_ptr<const std::vector<Point>> points;
    };
    struct Counters {
        std::uint64_t readings = 0;
        std::uint64_t thinned = 0;      ///< within the report rule: not sent
        std::uint64_t not_fitting = 0;  ///< outside the model: not sent
    };

    /// `series` must outlive it; names are interned there.
    explicit Mapping(SeriesTable& series);
    ~Mapping();
    Mapping(Mapping&&) noexcept;
    Mapping& operator=(Mapping&&) = delete;

    /// From now on the device has these points, in place of those of another edition. What its
    /// series had is remembered, whatever comes and goes: their times go on rising.
    void put(DeviceRef ref, Device device);
    /// It has none any more.
    void drop(DeviceIndex device);

    /// Appends the records that `readings` make to `out` (none, if nothing is worth sending, or the
    /// device is not here in that edition). A point stands in `readings` once.
    ///
    /// `at` and `since_boot` rise strictly per series, across steps of the clock as well: a record
    /// that would not be later than the one before is moved by 1 ms. `at` falls in two cases: with
    /// the first proof, when the records of before are to be stamped anew (EventClock::observe),
    /// and when the clock is set back by more than a minute: better some times twice than wrong
    /// ones until it has caught up.
    void map(const Readings& readings, const EventClock& clock, std::vector<Record>& out);

    /// The next reading of every point is sent whatever its report rule says: after a replay, so
    /// that the platform's shadow shows "now".
    void refresh();
    /// The same for one point: after a write, so that the platform sees what became of it.
    void refresh(DeviceRef device, PointIndex point);

    const Counters& counters() const { return counters_; }

private:
    struct PointState;
    struct DeviceState;
    struct ServiceState;
    struct SeriesClock;

    DeviceState* find(DeviceRef device);
    SeriesClock* clock_of(SeriesId series);
    static const PropertyModel* model_of(const Point& point);
    const Value* select(const DeviceState& device, PointState& state, const Value& value,
                        Instant at, Value& room);
    static void log_transition(const DeviceState& device, const PointState& state,
                               const Value& value);
    static Record begin(const ServiceState& service, const EventClock::Stamp& stamp);

    SeriesTable& series_;
    std::vector<DeviceState> devices_;  // by DeviceIndex
    std::deque<SeriesClock> clocks_;    // by SeriesId
    Counters counters_;
};

/// True if `value` is to be sent, given the last value sent (nullptr: none yet) and when (pure;
/// ReportRule). A change of exactly the amount is one; of bools and strings any
/// change is; in percent of a 0, too. `min` and `max` may be missed by a twentieth, 50 ms at most,
/// so that a schedule that trembles does not double them.
bool worth_sending(const ReportRule& rule, const Value& value, Instant now, const Value* last_sent,
                   Instant last_sent_at);

/// `value` as the model wants it, appended as JSON: its data type, its step, inside min/max,
/// max_length, enum (model/fit.h has the rules). False, with nothing appended, if it does not fit;
/// without a model every value fits, but floats that are not finite.
bool append_fitted(std::string& out, const Value& value, const FieldModel* model);

}  // namespace fieldgate
