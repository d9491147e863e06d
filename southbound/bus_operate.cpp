#include <algorithm>
#include <utility>

#include "base/log.h"
#include "southbound/bus_state.h"
#include "southbound/modbus/pdu.h"

namespace fieldgate::southbound {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::uint16_t> words_of(const Reply& reply, bool bits, std::uint16_t count) {
    const auto data = modbus::reply_data(reply.pdu);
    std::vector<std::uint16_t> words(count);
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned bit = unsigned{data[bits ? i / 8 : 0]} >> (i % 8) & 1U;
        const unsigned word = bits ? bit : unsigned{data[2 * i]} << 8U | data[2 * i + 1];
        words[i] = static_cast<std::uint16_t>(word);
    }
    return words;
}

}  // namespace

asio::awaitable<Result<std::vector<std::uint16_t>>> Bus::State::read_raw(std::uint8_t unit,
                                                                         modbus::Table table,
                                                                         std::uint16_t first,
                                                                         std::uint16_t count) {
    const bool bits = table == modbus::Table::coil || table == modbus::Table::discrete;
    if (unit == 0) co_return Error(Errc::out_of_range, "unit 0 is all of them, and none answers");
    if (count < 1 || count > (bits ? 2000 : 125))
        co_return Error(Errc::out_of_range,
                        "1 to 125 registers, or 1 to 2000 bits, in one request");
    if (first + count > 0x10000) co_return Error(Errc::out_of_range, "addresses end at 65535");
    const Request request = modbus::read_request(unit, table, first, count);
    const Result<Reply> reply = co_await ask(request, 1 + settings_.retries, Urgency::read);
    if (!reply) co_return reply.error();
    co_return words_of(*reply, bits, count);
}

void Bus::State::suspend(Instant until) {
    if (!is_suspended()) log::notice("bus suspended", {{"bus", settings_.name}});
    suspended_until_ = until;
    wake_.notify();
}

void Bus::State::resume() {
    if (!is_suspended()) return;
    suspended_until_.reset();
    schedule_.forgive(Clock::now());
    log::notice("bus resumed", {{"bus", settings_.name}});
    wake_.notify();
}

void Bus::State::scan_now() {
    const Instant now = Clock::now();
    for (const DevicePtr& device : devices_)
        if (device) device->plan.want_all();
    schedule_.hurry_all(now);
    schedule_.ask_all(now);
    wake_.notify();
}

namespace {

struct Limits {
    std::chrono::milliseconds least;
    std::chrono::milliseconds most;
};

// How often a point may be read on somebody's word.
Limits limits_of(const DeviceSettings& device, std::size_t point, unsigned times) {
    const std::chrono::milliseconds own = device.every[point];
    const bool alarm = device.points && (*device.points)[point].priority == Priority::alarm;
    Limits limits{std::chrono::milliseconds(1), std::chrono::milliseconds::max()};
    if (times > 0) limits = {std::max(own / times, limits.least), own * times};
    if (alarm) limits.most = own;
    return limits;
}

std::string text_of(const Limits& limits) {
    return std::to_string(limits.least.count()) + " to " + std::to_string(limits.most.count()) +
           " ms";
}

}  // namespace

// A scan may be on the wire: next() makes the change when it is not.
Result<void> Bus::State::set_period(std::optional<DeviceRef> wanted,
                                    std::chrono::milliseconds period, Instant until,
                                    unsigned times) {
    if (period.count() < 1) return Error(Errc::out_of_range, "a period of less than 1 ms");
    if (wanted && !find(*wanted))
        return Error(Errc::unsupported, "no such device on bus " + settings_.name);
    Limits all{std::chrono::milliseconds::max(), std::chrono::milliseconds(0)};
    const auto is_meant = [&](const DevicePtr& device) {
        return device && (!wanted || device->settings.device == *wanted);
    };
    for (const DevicePtr& device : devices_) {
        if (!is_meant(device)) continue;
        for (std::size_t i = 0; i < device->settings.every.size(); ++i) {
            const Limits one = limits_of(device->settings, i, times);
            all = {std::min(all.least, one.least), std::max(all.most, one.most)};
        }
    }
    if (period < all.least || period > all.most)
        return Error(Errc::out_of_range, "the points here may be read every " + text_of(all));
    for (const DevicePtr& device : devices_) {
        if (!is_meant(device)) continue;
        device->period = period;
        device->period_until = until;
        device->period_times = times;
    }
    periods_change_ = Instant::min();
    wake_.notify();
    return {};
}

void Bus::State::apply_periods(Instant now) {
    periods_change_ = Instant::max();
    for (const DevicePtr& each : devices_) {
        if (!each || !each->period) continue;
        Device& device = *each;
        std::vector<std::chrono::milliseconds> every = device.settings.every;
        if (now >= device.period_until) device.period.reset();
        for (std::size_t point = 0; device.period && point < every.size(); ++point) {
            const Limits limits = limits_of(device.settings, point, device.period_times);
            every[point] = std::clamp(*device.period, limits.least, limits.most);
        }
        if (device.period) periods_change_ = std::min(periods_change_, device.period_until);
        device.plan.set_periods(std::move(every));
        schedule_.set(device.slot, device.settings.offline, modbus::timings(device.plan.scans()),
                      now);
    }
}

Bus::Ordered Bus::State::ordered() const {
    Ordered ordered;
    ordered.suspended_until = suspended_until_;
    for (const DevicePtr& device : devices_) {
        if (!device || !device->period) continue;
        const DeviceSettings& settings = device->settings;
        ordered.periods.push_back({settings.device.index, settings.unit, settings.map,
                                   *device->period, device->period_until, device->period_times});
    }
    return ordered;
}

// Its devices may still be on their way (take_in).
void Bus::State::take_over(const Ordered& ordered) {
    suspended_until_ = ordered.suspended_until;
    ordered_ = ordered.periods;
    for (const DevicePtr& device : devices_)
        if (device) take_over(*device);
    if (!serve_next_) ordered_.clear();
}

void Bus::State::take_over(Device& device) {
    const auto is_its = [&](const Ordered::Period& period) {
        return period.device == device.settings.device.index &&
               period.unit == device.settings.unit && period.map == device.settings.map;
    };
    const auto period = std::ranges::find_if(ordered_, is_its);
    if (period == ordered_.end()) return;
    device.period = period->period;
    device.period_until = period->until;
    device.period_times = period->times;
    periods_change_ = Instant::min();
    ordered_.erase(period);
}

asio::awaitable<Result<std::vector<std::uint16_t>>> Bus::read_raw(std::uint8_t unit,
                                                                  modbus::Table table,
                                                                  std::uint16_t first,
                                                                  std::uint16_t count) {
    auto words = co_await state_->read_raw(unit, table, first, count);
    co_return words;
}

void Bus::serve(std::vector<DeviceSettings> devices) { state_->serve(std::move(devices)); }
void Bus::suspend(Instant until) { state_->suspend(until); }
void Bus::resume() { state_->resume(); }
void Bus::scan_now() { state_->scan_now(); }
Bus::Ordered Bus::ordered() const { return state_->ordered(); }
void Bus::take_over(const Ordered& ordered) { state_->take_over(ordered); }

Result<void> Bus::set_period(std::optional<DeviceRef> device, std::chrono::milliseconds period,
                             Instant until, unsigned times) {
    return state_->set_period(device, period, until, times);
}

}  // namespace fieldgate::southbound
