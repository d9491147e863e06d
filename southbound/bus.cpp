#include <algorithm>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "southbound/bus_state.h"
#include "southbound/modbus/pdu.h"
#include "southbound/modbus/rtu_link.h"
#include "southbound/modbus/tcp_link.h"

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

Bus::State::State(const asio::any_io_executor& loop, BusSettings settings,
                  std::vector<DeviceSettings> devices)
    : settings_(std::move(settings)),
      serial_(std::holds_alternative<SerialSettings>(settings_.wire)),
      cost_(settings_),
      // A whole second, so that all buses tick together and wake the loop once, not one by one.
      schedule_(std::chrono::floor<std::chrono::seconds>(Clock::now())),
      link_(make_link(loop, settings_)),
      turns_(loop),
      wake_(loop) {
    devices_.reserve(devices.size());
    coming_.assign(std::move_iterator(devices.rbegin()), std::move_iterator(devices.rend()));
    while (!coming_.empty()) take_in(Clock::now());
}

asio::awaitable<std::optional<Readings>> Bus::State::next() {
    const Instant turn = Clock::now() + longest_wait;
    for (;;) {
        const Instant now = Clock::now();
        turned_ = now;
        if (serve_next_) apply_devices();
        if (!coming_.empty()) {
            take_in(now);
            co_await asio::post(asio::use_awaitable);
            continue;
        }
        if (!taught_.empty()) apply_lessons(now);
        if (is_suspended()) {
            if (now >= *suspended_until_) resume();
            if (now >= turn) co_return std::nullopt;
            if (is_suspended()) co_await wake_.wait_until(std::min(*suspended_until_, turn));
            continue;
        }
        if (now >= periods_change_) apply_periods(now);
        const bool lost = serial_ && known_ && !status_.up;
        if (lost && now >= next_look_) {
            co_await look_for_wire();
            continue;
        }
        const std::optional<Schedule::Due> due = schedule_.take(now);
        if (due) {
            std::optional<Readings> readings = co_await scan(*due);
            if (readings) co_return readings;
            continue;
        }
        if (now >= turn) co_return std::nullopt;
        if (!turns_.taken()) link_->idle();
        Instant wake = std::min(schedule_.next().value_or(turn), turn);
        wake = std::min(wake, periods_change_);
        if (lost) wake = std::min(wake, next_look_);
        co_await wake_.wait_until(wake);
    }
}

// A port that is unplugged takes all its devices with it. They are asked as soon as it is back, not
// when their own pauses, which have grown meanwhile, are over.
asio::awaitable<void> Bus::State::look_for_wire() {
    next_look_ = Clock::now() + look_for_port;
    const auto any = std::find_if(devices_.begin(), devices_.end(), [](const DevicePtr& device) {
        return device && !device->plan.scans().empty();
    });
    if (any == devices_.end()) co_return;
    const Request request = (*any)->plan.scans().front().request;
    const Turns::Turn turn = co_await turns_.take(Urgency::scan);
    const Result<Reply> reply = co_await on_the_wire(request);
    if (link_->up()) note_wire(reply);
}

// A serial line may have to wait for what is owed, prove, wait again, and only then ask.
std::chrono::milliseconds Bus::State::longest(std::chrono::milliseconds timeout) const {
    return 10 * timeout + 2 * cost_.turnaround();
}

asio::awaitable<Result<Reply>> Bus::State::on_the_wire(const Request& request) {
    const std::chrono::milliseconds timeout = cost_.timeout(request);
    patient_until_ = Clock::now() + longest(timeout);
    Result<Reply> reply = co_await link_->transact(request, timeout);
    patient_until_ = Instant();
    turned_ = Clock::now();
    co_return reply;
}

// One transaction; the wire is the caller's.
asio::awaitable<Result<Reply>> Bus::State::transact(const Request& request) {
    Result<Reply> reply = co_await on_the_wire(request);
    note_wire(reply);
    if (!reply) hold(request.unit);
    // What a write takes says nothing about reads: the device may have to burn it into flash.
    if (!reply)
        count(reply.error());
    else if (!modbus::is_write(request))
        cost_.observe(request, reply->took);
    co_return reply;
}

// What a unit still owes is waited for while others are asked.
void Bus::State::hold(std::uint8_t unit) {
    const Instant ready = link_->ready_at(unit);
    if (ready <= Clock::now()) return;
    for (const DevicePtr& device : devices_)
        if (device && device->settings.unit == unit) schedule_.hold(device->slot, ready);
}

// Once: who waits must have his turn some day, and then waits on the wire.
asio::awaitable<void> Bus::State::until_ready(std::uint8_t unit, Instant not_after) {
    const Instant ready = std::min(link_->ready_at(unit), not_after);
    if (ready <= Clock::now()) co_return;
    asio::steady_timer timer(co_await asio::this_coro::executor, ready);
    co_await timer.async_wait(asio::use_awaitable);
}

// Asks again as often as the settings say, where asking again can help; a turn for each.
asio::awaitable<Result<Reply>> Bus::State::ask(const Request& request, int tries, Urgency urgency,
                                               bool insists) {
    for (int left = tries;; --left) {
        std::optional<Service> service;
        if (urgency != Urgency::scan) {
            service.emplace(*this);
            co_await until_ready(request.unit);
        }
        const Turns::Turn turn = co_await turns_.take(urgency);
        if (is_suspended() && urgency != Urgency::scan && !insists) co_return suspended();
        Result<Reply> reply = co_await transact(request);
        const bool last = left <= 1 || (is_suspended() && !insists);
        if (reply || last || !may_help(reply.error())) co_return reply;
    }
}

// Ahead of a question are, at worst, what is on the wire, its share of scans and one command; then
// it is asked itself, and a write may read before and be sent in two ways.
Bus::State::Service::Service(State& bus) : bus_(bus) {
    ++bus_.asking_;
    const int transactions = Turns::scans_for_a_read + 5 + bus_.settings_.retries;
    const auto longest = bus_.longest(bus_.cost_.timeout(modbus::pdu_bytes_max));
    bus_.serve_until_ = std::max(bus_.serve_until_, Clock::now() + transactions * longest);
}

Bus::State::Service::~Service() {
    bus_.served_ = Clock::now();
    if (--bus_.asking_ == 0) bus_.serve_until_ = Instant();
}

// nullopt: it failed, and is tried again as soon as its device may be asked; others are asked
// meanwhile.
asio::awaitable<std::optional<Readings>> Bus::State::scan(Schedule::Due due) {
    Device& device = *devices_[due.device];  // it leaves under next() only, as the plan changes
    Readings readings;
    readings.device = device.settings.device;
    const Request request =
        due.probe ? device.plan.probe(due.scan) : device.plan.scans()[due.scan].request;
    const bool once = due.probe || device.plan.is_searched(due.scan);
    Result<Reply> reply = Error(Errc::timeout, "not asked");
    for (int left = once ? 0 : settings_.retries - due.tries;; --left) {
        reply = co_await ask(request, 1, Urgency::scan);
        if (reply || left <= 0 || is_suspended() || !may_help(reply.error())) break;
        if (link_->ready_at(request.unit) <= Clock::now()) continue;
        schedule_.again(due);
        co_return std::nullopt;
    }
    readings.at = reply ? reply->at : Clock::now();
    ++device.health.scans;
    device.health.last_error.clear();
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
    modbus::decode(device.plan.map(), scan, due.tick, reply.pdu, readings.values, none_);
    status_.outdated += device.last_writes.drop_older(reply.at, readings.values);
}

void Bus::State::finish(Device& device, const Schedule::Due& due, const Result<Reply>& reply,
                        Readings& readings) {
    const Instant now = Clock::now();
    const bool answered = reply || modbus::device_answered(reply.error());
    if (!answered && !due.probe && device.plan.is_suspect(due.scan))
        schedule_.done_for_nothing(due);
    else
        readings.changed = schedule_.done(due, answered, now);
    if (readings.changed == DeviceStatus::offline)
        log::warning("device offline", {{"bus", settings_.name},
                                        {"device", device.settings.name},
                                        {"why", device.health.last_error}});
    if (readings.changed == DeviceStatus::online)
        log::notice("device online", {{"bus", settings_.name}, {"device", device.settings.name}});
    learn(device, due, reply);
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

Instant Bus::State::turned() const {
    return std::max(turned_, std::min(patient_until_, Clock::now()));
}

Instant Bus::State::served() const {
    return std::max(served_, std::min(serve_until_, Clock::now()));
}

BusStatus Bus::State::status() const {
    BusStatus status = status_;
    status.suspended = is_suspended();
    status.overruns = schedule_.overruns();
    status.requests = link_->requests();
    if (cost_.observed()) status.latency = cost_.latency();
    status.errors.stale = link_->stale();
    status.absent = none_.absent;
    status.unlisted = none_.unlisted;
    status.invalid = none_.invalid;
    status.devices.reserve(devices_.size());
    for (const DevicePtr& device : devices_) {
        if (!device) continue;
        status.devices.push_back(device->health);
        status.devices.back().status = schedule_.status(device->slot);
        status.devices.back().failures_in_a_row = schedule_.failures_in_a_row(device->slot);
        status.devices.back().learned = device->plan.lessons();
    }
    return status;
}

Bus::Bus(const asio::any_io_executor& loop, BusSettings settings,
         std::vector<DeviceSettings> devices)
    : state_(std::make_unique<State>(loop, std::move(settings), std::move(devices))) {}

Bus::~Bus() = default;

asio::awaitable<std::optional<Readings>> Bus::next() { return state_->next(); }

asio::awaitable<Result<Written>> Bus::write(DeviceRef device, PointIndex point, Value value,
                                            WriteHow how) {
    Result<Written> written = co_await state_->write(device, point, std::move(value), how);
    co_return written;
}

asio::awaitable<Result<Readings>> Bus::read(DeviceRef device, std::vector<PointIndex> points) {
    Result<Readings> readings = co_await state_->read(device, std::move(points));
    co_return readings;
}

bool Bus::suspended() const { return state_->is_suspended(); }
const std::string& Bus::name() const { return state_->name(); }
BusStatus Bus::status() const { return state_->status(); }
Instant Bus::turned() const { return state_->turned(); }
Instant Bus::served() const { return state_->served(); }

}  // namespace fieldgate::southbound
