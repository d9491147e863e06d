#include "southbound/bus.h"

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "base/log.h"
#include "southbound/modbus/cost.h"
#include "southbound/modbus/pdu.h"
#include "southbound/modbus/plan.h"
#include "southbound/modbus/registers.h"
#include "southbound/modbus/rtu_link.h"
#include "southbound/modbus/tcp_link.h"
#include "southbound/schedule.h"

namespace fieldgate::southbound {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto longest_wait = 10s;  // every wait counts as a turn of the flow
constexpr auto look_for_port = 1s;  // a serial port that is gone

std::unique_ptr<Link> make_link(const asio::any_io_executor& loop, const BusSettings& settings) {
    if (const auto* line = std::get_if<SerialSettings>(&settings.wire))
        return std::make_unique<modbus::RtuLink>(loop, *line, settings.turnaround);
    return std::make_unique<modbus::TcpLink>(loop, std::get<TcpSettings>(settings.wire));
}

// The wire itself, not one device on it, is at fault.
bool is_wire_lost(Errc code) {
    return code == Errc::closed || code == Errc::busy || code == Errc::io ||
           code == Errc::unsupported;
}

}  // namespace

class Bus::State {
public:
    State(const asio::any_io_executor& loop, BusSettings settings,
          std::vector<DeviceSettings> devices);

    asio::awaitable<Readings> next();
    BusStatus status() const;
    const std::string& name() const { return settings_.name; }

private:
    struct Device {
        DeviceSettings settings;
        modbus::DevicePlan plan;
        DeviceHealth health;
    };

    asio::awaitable<Readings> scan(Schedule::Due due);
    asio::awaitable<Result<Reply>> ask(const Request& request, int tries);
    asio::awaitable<void> look_for_wire();
    asio::awaitable<void> sleep_until(Instant when);
    void decode(Device& device, const Schedule::Due& due, const Reply& reply, Readings& readings);
    void finish(Device& device, const Schedule::Due& due, const Result<Reply>& reply,
                Readings& readings);
    void learn(Device& device, const Schedule::Due& due, const Result<Reply>& reply);
    void count(const Error& error);
    void note_wire(const Result<Reply>& reply);

    BusSettings settings_;
    bool serial_;
    modbus::CostModel cost_;
    std::vector<Device> devices_;
    Schedule schedule_;
    std::unique_ptr<Link> link_;
    asio::steady_timer timer_;
    BusStatus status_;
    bool known_ = false;  // whether status_.up says anything yet
    Instant next_look_{};
    modbus::NoValues none_;
};

Bus::State::State(const asio::any_io_executor& loop, BusSettings settings,
                  std::vector<DeviceSettings> devices)
    : settings_(std::move(settings)),
      serial_(std::holds_alternative<SerialSettings>(settings_.wire)),
      cost_(settings_),
      schedule_(Clock::now()),
      link_(make_link(loop, settings_)),
      timer_(loop) {
    devices_.reserve(devices.size());
    const Instant now = Clock::now();
    for (DeviceSettings& device : devices) {
        DeviceHealth health;
        health.index = device.index;
        modbus::DevicePlan plan(device, cost_);
        schedule_.set(devices_.size(), device.offline, modbus::timings(plan.scans()), now);
        devices_.push_back({std::move(device), std::move(plan), std::move(health)});
    }
}

asio::awaitable<void> Bus::State::sleep_until(Instant when) {
    timer_.expires_at(when);
    co_await timer_.async_wait(asio::use_awaitable);
}

asio::awaitable<Readings> Bus::State::next() {
    const Instant turn = Clock::now() + longest_wait;
    for (;;) {
        const Instant now = Clock::now();
        const bool lost = serial_ && known_ && !status_.up && !devices_.empty();
        if (lost && now >= next_look_) {
            co_await look_for_wire();
            continue;
        }
        const std::optional<Schedule::Due> due = schedule_.take(now);
        if (due) {
            Readings readings = co_await scan(*due);
            co_return readings;
        }
        if (now >= turn) co_return Readings();
        link_->idle();
        Instant wake = std::min(schedule_.next().value_or(turn), turn);
        if (lost) wake = std::min(wake, next_look_);
        co_await sleep_until(wake);
    }
}

// A port that is unplugged takes all its devices with it. They are asked as soon as it is back, not
// when their own pauses, which have grown meanwhile, are over.
asio::awaitable<void> Bus::State::look_for_wire() {
    next_look_ = Clock::now() + look_for_port;
    const std::vector<modbus::Scan>& scans = devices_.front().plan.scans();
    if (scans.empty()) co_return;
    const Request request = scans.front().request;
    const auto timeout = cost_.timeout(request);
    const Result<Reply> reply = co_await link_->transact(request, timeout);
    if (link_->up()) note_wire(reply);
}

// Asks again as often as the settings say, where asking again can help.
asio::awaitable<Result<Reply>> Bus::State::ask(const Request& request, int tries) {
    for (int left = tries;; --left) {
        ++status_.requests;
        const auto timeout = cost_.timeout(request);
        Result<Reply> reply = co_await link_->transact(request, timeout);
        note_wire(reply);
        if (reply) {
            cost_.observe(request, reply->took);
            co_return reply;
        }
        count(reply.error());
        const Errc code = reply.error().code;
        const bool again = code == Errc::timeout || code == Errc::bad_data;
        if (!again || left <= 1) co_return reply;
    }
}

asio::awaitable<Readings> Bus::State::scan(Schedule::Due due) {
    Device& device = devices_[due.device];
    Readings readings;
    readings.device = device.settings.index;
    // The plan may change under a later scan only: this one is the bus's only flow.
    const Request& regular = device.plan.scans()[due.scan].request;
    std::optional<Request> sign_of_life;
    if (due.probe) sign_of_life = modbus::probe_of_other_length(regular);
    const Request& request = sign_of_life ? *sign_of_life : regular;
    const int tries = due.probe ? 1 : 1 + settings_.retries;

    const Result<Reply> reply = co_await ask(request, tries);
    readings.at = reply ? reply->at : Clock::now();
    ++device.health.scans;
    if (!reply) {
        ++device.health.failed_scans;
        device.health.last_error = reply.error().what;
    } else if (!due.probe) {
        decode(device, due, *reply, readings);
    }
    finish(device, due, reply, readings);
    co_return readings;
}

void Bus::State::decode(Device& device, const Schedule::Due& due, const Reply& reply,
                        Readings& readings) {
    modbus::Scan& scan = device.plan.scans()[due.scan];
    readings.values.reserve(scan.fields.size());
    modbus::decode(device.plan.map(), scan, due.tick, reply.pdu, readings.values, none_);
}

void Bus::State::finish(Device& device, const Schedule::Due& due, const Result<Reply>& reply,
                        Readings& readings) {
    const Instant now = Clock::now();
    const bool answered = reply || modbus::device_answered(reply.error());
    readings.changed = schedule_.done(due, answered, now);
    if (readings.changed == DeviceStatus::offline)
        log::warning("device offline", {{"bus", settings_.name},
                                        {"device", device.settings.name},
                                        {"why", device.health.last_error}});
    if (readings.changed == DeviceStatus::online)
        log::notice("device online", {{"bus", settings_.name}, {"device", device.settings.name}});
    learn(device, due, reply);
}

void Bus::State::learn(Device& device, const Schedule::Due& due, const Result<Reply>& reply) {
    if (due.probe) {
        if (reply) device.plan.alive();
        return;
    }
    bool replanned = false;
    if (reply)
        replanned = device.plan.answered(due.scan);
    else if (reply.error().code == Errc::refused)
        replanned = device.plan.refused(due.scan, reply.error().detail);
    else if (reply.error().code == Errc::timeout)
        replanned = device.plan.timed_out(due.scan);
    if (!replanned) return;
    schedule_.set(due.device, device.settings.offline, modbus::timings(device.plan.scans()),
                  Clock::now());
    log::info("device replanned",
              {{"bus", settings_.name},
               {"device", device.settings.name},
               {"blocks", std::to_string(device.plan.scans().size())},
               {"why", reply ? "a block is answered again" : device.health.last_error}});
}

void Bus::State::count(const Error& error) {
    if (error.code == Errc::timeout)
        ++status_.errors.timeout;
    else if (error.code == Errc::bad_data)
        ++status_.errors.bad_data;
    else if (error.code == Errc::refused)
        ++status_.errors.exception;
    else
        ++status_.errors.closed;
}

void Bus::State::note_wire(const Result<Reply>& reply) {
    const bool up = reply || !is_wire_lost(reply.error().code);
    if (known_ && up == status_.up) {
        if (!up) status_.last_error = reply.error().what;
        return;
    }
    const bool was_lost = known_ && !status_.up;
    known_ = true;
    status_.up = up;
    if (up) {
        status_.last_error.clear();
        log::notice("bus up", {{"bus", settings_.name}});
        if (was_lost && serial_) schedule_.ask_all(Clock::now());
        return;
    }
    status_.last_error = reply.error().what;
    next_look_ = Clock::now() + look_for_port;
    log::warning("bus down", {{"bus", settings_.name}, {"why", reply.error().what}});
}

BusStatus Bus::State::status() const {
    BusStatus status = status_;
    status.overruns = schedule_.overruns();
    status.errors.stale = link_->stale();
    status.absent = none_.absent;
    status.unlisted = none_.unlisted;
    status.invalid = none_.invalid;
    status.devices.reserve(devices_.size());
    for (std::size_t i = 0; i < devices_.size(); ++i) {
        status.devices.push_back(devices_[i].health);
        status.devices.back().status = schedule_.status(i);
        status.devices.back().failures_in_a_row = schedule_.failures_in_a_row(i);
    }
    return status;
}

Bus::Bus(const asio::any_io_executor& loop, BusSettings settings,
         std::vector<DeviceSettings> devices)
    : state_(std::make_unique<State>(loop, std::move(settings), std::move(devices))) {}

Bus::~Bus() = default;

asio::awaitable<Readings> Bus::next() {
    Readings readings = co_await state_->next();
    co_return readings;
}

const std::string& Bus::name() const { return state_->name(); }
BusStatus Bus::status() const { return state_->status(); }

}  // namespace fieldgate::southbound
