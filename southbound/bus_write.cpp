#include <algorithm>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "southbound/bus_state.h"
#include "southbound/modbus/pdu.h"
#include "southbound/modbus/registers.h"

namespace fieldgate::southbound {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds first_look = 20ms;  // then twice as long each time
constexpr std::chrono::milliseconds last_look = 500ms;

constexpr int illegal_function = 1;
constexpr int acknowledge = 5;       // the device is still at it
constexpr int no_answer_there = 11;  // a gateway has sent it on and heard nothing

asio::awaitable<void> sleep_until(Instant when) {
    asio::steady_timer timer(co_await asio::this_coro::executor, when);
    co_await timer.async_wait(asio::use_awaitable);
}

// The registers of `reply` with the bits of `image`.
void merge(const Reply& reply, modbus::Image& image) {
    const auto data = modbus::reply_data(reply.pdu);
    for (std::size_t i = 0; i < image.words.size(); ++i) {
        const unsigned old = static_cast<unsigned>(data[2 * i]) << 8U | data[2 * i + 1];
        const unsigned mask = image.mask[i];
        image.words[i] = static_cast<std::uint16_t>((old & ~mask) | image.words[i]);
        image.mask[i] = 0xFFFF;
    }
}

bool is_single(const Request& request) { return request.pdu.front() == 6; }

bool overlap(const modbus::Field& a, const modbus::Field& b) {
    return a.table == b.table && a.address < b.address + modbus::width(b) &&
           b.address < a.address + modbus::width(a);
}

// What the device's answer to a write that has left says.
Written judge(const Result<Reply>& reply) {
    Written written;
    if (reply) {
        written.outcome = Written::Outcome::written;
        return written;
    }
    const Error& error = reply.error();
    written.what = error.what;
    if (error.code != Errc::refused) return written;
    written.exception = error.detail;
    const bool open = error.detail == acknowledge || error.detail == no_answer_there;
    if (!open) written.outcome = Written::Outcome::refused;
    return written;
}

}  // namespace

Bus::State::DevicePtr Bus::State::find(DeviceRef device) const {
    for (const DevicePtr& one : devices_)
        if (one && one->settings.device == device) return one;
    return nullptr;
}

Result<Bus::State::Target> Bus::State::target(DeviceRef wanted, PointIndex point) const {
    const DevicePtr found = find(wanted);
    if (!found) return no_device(wanted);
    const DeviceSettings& device = found->settings;
    const bool known = point < device.map->fields.size() && device.points;
    if (!known || !device.points->at(point).write)
        return Error(Errc::unsupported, "the point cannot be written");
    const modbus::Field& field = device.map->fields[point];
    if (modbus::width(field) > modbus::write_registers_max)
        return Error(Errc::unsupported, "more registers than one request can write");
    return Target{found,     point, device.points, &field, &*device.points->at(point).write,
                  WriteHow()};
}

asio::awaitable<Result<Written>> Bus::State::write(DeviceRef device, PointIndex point, Value value,
                                                   WriteHow how) {
    Result<Target> found = target(device, point);
    if (!found) co_return found.error();
    found->how = how;
    const Result<modbus::Image> image = modbus::encode(*found->field, value);
    if (!image) co_return image.error();
    Result<Written> written = co_await put(*found, *image);
    if (!written) co_return written;
    hurry(*found);
    if (written->outcome != Written::Outcome::written || !found->rule->readback) co_return written;
    // A float is as near to the value as it can be, and reads so.
    Value wanted = std::move(value);
    const std::vector<std::uint8_t> bytes = modbus::to_bytes(*found->field, *image);
    (void)modbus::decode(*found->field, bytes, 0, wanted);
    co_await verify(*found, wanted, *written);
    co_return written;
}

// From the reading of the other bits to the answer the wire is ours; unless that reading fails,
// then others have it while what the device may still say is waited for.
asio::awaitable<Result<Written>> Bus::State::put(const Target& target, const modbus::Image& image) {
    for (int left = settings_.retries;; --left) {
        const Service service(*this);
        co_await until_ready(target.device->settings.unit, target.how.not_after);
        const Turns::Turn turn = co_await turns_.take(Urgency::command);
        const std::optional<Error> away = co_await reach(target);
        if (away) co_return *away;
        const Result<Request> request = co_await compose(target, image);
        if (!request && left > 0 && may_help(request.error())) continue;
        if (!request) co_return request.error();
        Result<Written> written = co_await send_or_instead(target, image, *request);
        co_return written;
    }
}

// A device looks at the function before anything else (6.6, figure 16): if FC 6 is unknown to it,
// nothing was written, and FC 16 may be.
asio::awaitable<Result<Written>> Bus::State::send_or_instead(const Target& target,
                                                             const modbus::Image& image,
                                                             const Request& first) {
    Result<Written> written = co_await send(target, first);
    const bool unknown_function =
        written && is_single(first) && written->exception == illegal_function;
    if (!unknown_function) co_return written;
    Device& device = *target.device;
    device.no_single_write = true;
    const Result<Request> request = co_await compose(target, image);
    if (!request) co_return request.error();
    written = co_await send(target, *request);
    if (written && written->exception == illegal_function) device.no_single_write = false;
    co_return written;
}

asio::awaitable<Result<Request>> Bus::State::compose(const Target& target,
                                                     const modbus::Image& wanted) {
    modbus::Image image = wanted;
    const Device& device = *target.device;
    const std::uint8_t unit = device.settings.unit;
    const std::uint16_t address = target.field->address;
    if (target.field->table == modbus::Table::coil)
        co_return modbus::write_coil_request(unit, address, image.words[0] != 0);
    const std::size_t count = image.words.size();
    if (!image.whole() && target.rule->mask && count == 1)
        co_return modbus::mask_register_request(unit, address, image.words[0], image.mask[0]);
    if (!image.whole()) {
        const Request question = modbus::read_request(unit, modbus::Table::holding, address,
                                                      static_cast<std::uint16_t>(count));
        const Result<Reply> old = co_await transact(question);
        if (!old) co_return old.error();
        merge(*old, image);
    }
    if (count == 1 && !device.no_single_write)
        co_return modbus::write_register_request(unit, address, image.words[0]);
    co_return modbus::write_registers_request(unit, address, image.words);
}

asio::awaitable<Result<Written>> Bus::State::send(const Target& target, Request request) {
    request.not_after = target.how.not_after;
    if (Clock::now() >= request.not_after)
        co_return Error(Errc::timeout, "the bus was not free in time");
    note_write(target);
    const Result<Reply> reply = co_await transact(request);
    if (!reply && !link_->sent()) co_return reply.error();
    ++status_.writes;
    note_write(target);
    co_return judge(reply);
}

std::optional<Error> Bus::State::unreachable(const Device& device) const {
    if (is_suspended()) return suspended();
    const std::string name = "device " + device.settings.name;
    if (!is_here(device))
        return Error(Errc::unsupported, name + " is no more on bus " + settings_.name);
    if (schedule_.status(device.slot) != DeviceStatus::offline) return std::nullopt;
    return Error(Errc::closed, name + " is offline");
}

// Who insists is let through a suspension, in which nobody else asks how the device is: if it
// answers now, for of a write that is sent to a dead one nobody knows.
asio::awaitable<std::optional<Error>> Bus::State::reach(const Target& target) {
    const Device& device = *target.device;
    std::optional<Error> away = unreachable(device);
    if (!away || !target.how.insists || !is_here(device) || !is_suspended()) co_return away;
    if (device.plan.scans().empty()) co_return std::nullopt;
    const Request question = device.plan.scans().front().request;
    const Result<Reply> answer = co_await transact(question);
    if (!answer && !modbus::device_answered(answer.error())) co_return away;
    co_return std::nullopt;
}

// What shares a register with the point is as new as the point.
void Bus::State::note_write(const Target& target) {
    Device& device = *target.device;
    const std::vector<modbus::Field>& fields = device.settings.map->fields;
    const Instant now = Clock::now();
    for (PointIndex point = 0; point < fields.size(); ++point)
        if (overlap(fields[point], *target.field)) device.last_writes.note(point, now);
}

void Bus::State::hurry(const Target& target) {
    if (!is_here(*target.device)) return;
    const auto scan = target.device->plan.want(target.point);
    if (!scan) return;
    schedule_.hurry(target.device->slot, *scan, Clock::now());
    wake_.notify();
}

bool Bus::State::matches(const Target& target, const Reply& reply, const Value& wanted,
                         Written& written) {
    Value value;
    const auto data = modbus::reply_data(reply.pdu);
    if (modbus::decode(*target.field, data, 0, value) != modbus::Decoded::value) {
        written.what = "it reads as no value";
        return false;
    }
    written.what = "it reads as " + to_string(value);
    written.read_back = std::move(value);
    return close_to(*written.read_back, wanted, target.rule->tolerance.value_or(Decimal()));
}

asio::awaitable<void> Bus::State::verify(const Target& target, const Value& wanted,
                                         Written& written) {
    const Request request =
        modbus::read_request(target.device->settings.unit, target.field->table,
                             target.field->address, modbus::width(*target.field));
    const Instant deadline = Clock::now() + target.rule->within;
    auto pause = first_look;
    for (bool first = true;; first = false) {
        const Result<Reply> reply = co_await ask(request, 1, Urgency::command, target.how.insists);
        if (!reply) written.what = "not read back: " + reply.error().what;
        if (reply && matches(target, *reply, wanted, written)) {
            written.what.clear();
            if (!first) hurry(target);
            co_return;
        }
        const Instant now = Clock::now();
        if (now >= deadline) break;
        co_await sleep_until(std::min(now + pause, deadline));
        pause = std::min(2 * pause, last_look);
    }
    written.outcome = written.read_back ? Written::Outcome::mismatch : Written::Outcome::unknown;
    hurry(target);
}

asio::awaitable<Result<Readings>> Bus::State::read(DeviceRef wanted,
                                                   std::vector<PointIndex> points) {
    const DevicePtr found = find(wanted);
    if (!found) co_return no_device(wanted);
    Device& device = *found;
    if (auto why = unreachable(device)) co_return *why;
    std::optional<Error> failure;
    std::vector<Readings> parts;
    std::vector<modbus::Scan> scans = device.plan.scans_of(points);
    for (modbus::Scan& scan : scans) {
        const Result<Reply> reply =
            co_await ask(scan.request, 1 + settings_.retries, Urgency::read);
        if (!reply) {
            failure = reply.error();
            if (modbus::device_answered(*failure)) continue;
            break;
        }
        Readings& part = parts.emplace_back();
        part.at = reply->at;
        modbus::decode(device.plan.map(), scan, 0, reply->pdu, part.values, none_);
    }
    if (parts.empty() && failure) co_return *failure;
    if (parts.empty()) co_return Error(Errc::unsupported, "none of the points is read");
    Readings readings;
    readings.device = wanted;
    readings.at = parts.front().at;
    for (Readings& part : parts) {
        // A write may have come in between two requests.
        status_.outdated += device.last_writes.drop_older(part.at, part.values);
        std::move(part.values.begin(), part.values.end(), std::back_inserter(readings.values));
    }
    co_return readings;
}

}  // namespace fieldgate::southbound
