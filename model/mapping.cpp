#include "model/mapping.h"

#include <algorithm>
#include <limits>

#include "base/expect.h"
#include "base/json.h"
#include "base/log.h"
#include "model/fit.h"

namespace fieldgate {

// Small: every reading passes one, which has been out of the cache since the scan before.
struct Mapping::PointState {
    // What a report rule has to remember.
    struct Sent {
        std::optional<Value> value;
        Instant at;
        bool refresh = false;
    };
    const Point* point = nullptr;
    std::string key;  // ,"voltage": as JSON, with comma, quotes and colon
    std::size_t service = 0;
    std::unique_ptr<Sent> last;  // nullptr: no rule, every reading is sent
    bool fits = true;
};

// The last record's times; it has none before the first.
struct Mapping::SeriesClock {
    bool has_record = false;
    Utc at;
    std::chrono::milliseconds since_boot{0};
    bool proven = false;
};

struct Mapping::ServiceState {
    std::string name;
    SeriesId series = 0;
    SeriesClock* clock = nullptr;
    // The record of the answer being mapped: its place in the caller's list, its properties so far
    // (kept for their capacity).
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
    std::size_t open = none;
    std::string properties;
};

struct Mapping::DeviceState {
    std::string name;
    std::uint64_t edition = 0;
    std::shared_ptr<const std::vector<Point>> owner;  // nullptr: it is not here
    std::vector<PointState> points;
    std::vector<ServiceState> services;
};

Mapping::Mapping(SeriesTable& series) : series_(series) {}

Mapping::~Mapping() = default;
Mapping::Mapping(Mapping&&) noexcept = default;

void Mapping::put(DeviceRef ref, Device device) {
    if (ref.index >= devices_.size()) devices_.resize(ref.index + 1);
    DeviceState& state = devices_[ref.index];
    state = DeviceState();
    state.name = std::move(device.name);
    state.edition = ref.edition;
    state.owner = std::move(device.points);
    for (const Point& point : *state.owner) {
        PointState& added = state.points.emplace_back();
        added.point = &point;
        if (point.report != ReportRule()) added.last = std::make_unique<PointState::Sent>();
        added.key = ',';
        json::append_string(added.key, point.property);
        added.key += ':';
        const auto known =
            std::find_if(state.services.begin(), state.services.end(),
                         [&](const ServiceState& s) { return s.name == point.service; });
        added.service = static_cast<std::size_t>(known - state.services.begin());
        if (known != state.services.end()) continue;
        ServiceState& service = state.services.emplace_back();
        service.name = point.service;
        service.series = series_.intern(device.device_id, point.service);
        service.clock = clock_of(service.series);
    }
}

void Mapping::drop(DeviceIndex device) {
    if (device < devices_.size()) devices_[device] = DeviceState();
}

Mapping::SeriesClock* Mapping::clock_of(SeriesId series) {
    if (series >= clocks_.size()) clocks_.resize(series + 1);
    return &clocks_[series];
}

Mapping::DeviceState* Mapping::find(DeviceRef device) {
    if (device.index >= devices_.size()) return nullptr;
    DeviceState& state = devices_[device.index];
    return state.owner && state.edition == device.edition ? &state : nullptr;
}

void Mapping::map(const Readings& readings, const EventClock& clock, std::vector<Record>& out) {
    DeviceState* const found = find(readings.device);
    if (!found) return;
    DeviceState& device = *found;
    const EventClock::Stamp stamp = clock.stamp(readings.at);
    const std::size_t first = out.size();
    Value room;
    for (const Reading& reading : readings.values) {
        expect(reading.point < device.points.size(), "a reading of a point that is mapped");
        PointState& point = device.points[reading.point];
        const Value* value = select(device, point, reading.value, readings.at, room);
        if (!value) continue;
        ServiceState& service = device.services[point.service];
        if (service.open == ServiceState::none) {
            service.open = out.size();
            service.properties.clear();
            out.push_back(begin(service, stamp));
        }
        service.properties += point.key;
        append_as(service.properties, *value, model_of(*point.point));
        if (point.point->priority == Priority::alarm) out[service.open].priority = Priority::alarm;
    }
    if (out.size() == first) return;
    for (ServiceState& service : device.services) {
        if (service.open == ServiceState::none) continue;
        service.properties.front() = '{';  // the first comma
        service.properties += '}';
        out[service.open].properties = service.properties;
        service.open = ServiceState::none;
    }
}

void Mapping::refresh() {
    for (DeviceState& device : devices_)
        for (PointState& point : device.points)
            if (point.last) point.last->refresh = true;
}

void Mapping::refresh(DeviceRef device, PointIndex point) {
    DeviceState* const state = find(device);
    if (!state) return;
    if (PointState::Sent* last = state->points[point].last.get()) last->refresh = true;
}

const PropertyModel* Mapping::model_of(const Point& point) {
    return point.model ? &*point.model : nullptr;
}

// The value to send of one reading; nullptr if there is none. Compared is what would be sent, so
// that a step that rounds a change away sends nothing.
const Value* Mapping::select(const DeviceState& device, PointState& state, const Value& value,
                             Instant at, Value& room) {
    ++counters_.readings;
    const Value* fitted = fit(value, model_of(*state.point), room);
    if (state.fits != (fitted != nullptr)) {
        state.fits = !state.fits;
        log_transition(device, state, value);
    }
    if (!fitted) {
        ++counters_.not_fitting;
        return nullptr;
    }
    if (!state.last) return fitted;
    PointState::Sent& last = *state.last;
    const Value* sent = last.value ? &*last.value : nullptr;
    if (!last.refresh && !worth_sending(state.point->report, *fitted, at, sent, last.at)) {
        ++counters_.thinned;
        return nullptr;
    }
    last = {*fitted, at};
    return fitted;
}

void Mapping::log_transition(const DeviceState& device, const PointState& state,
                             const Value& value) {
    const Point& point = *state.point;
    log::write(state.fits ? log::Level::notice : log::Level::warning,
               state.fits ? "value fits the model again" : "value does not fit the model; not sent",
               {{"device", device.name},
                {"service", point.service},
                {"property", point.property},
                {"value", to_string(value)}});
}

// A record of `service` without properties yet. Later than the one before on both clocks, by a
// millisecond if need be.
Record Mapping::begin(const ServiceState& service, const EventClock::Stamp& stamp) {
    constexpr std::chrono::milliseconds tick{1};
    SeriesClock& last = *service.clock;
    Record record;
    record.series = service.series;
    record.since_boot = stamp.since_boot;
    if (last.has_record) record.since_boot = std::max(record.since_boot, last.since_boot + tick);
    record.at = stamp.at + (record.since_boot - stamp.since_boot);
    // The first proof moves the records of before as well, to offset + since_boot: earlier than
    // this one, wherever they were before.
    // Nor is a clock that is set right by more held up until it has caught up with its error.
    constexpr std::chrono::minutes held_up_at_most{1};
    if (last.has_record && last.proven == stamp.proven && last.at - record.at <= held_up_at_most)
        record.at = std::max(record.at, last.at + tick);
    record.proven = stamp.proven;
    last.has_record = true;
    last.at = record.at;
    last.since_boot = record.since_boot;
    last.proven = record.proven;
    return record;
}

}  // namespace fieldgate
