#include "daemon/gate/operate.h"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>

#include "base/json_writer.h"
#include "base/worker.h"
#include "daemon/gate/property_answer.h"
#include "daemon/local/plan_report.h"
#include "daemon/self_report.h"
#include "daemon/service.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;
using Kind = OwnCommand::Kind;

// What fits an answer of one message with all around it (protocol reference 11.5).
constexpr std::size_t detail_bytes_max = 32 * 1024;

// A reading that is younger need not be read again: no wire is asked more often than that.
constexpr auto fresh_for = 1s;

// SET_PERIOD leaves a period within a tenth and ten times of what the file says: less is wear and
// flood, more is a pause by another name.
constexpr unsigned period_times_max = 10;

struct Answered {
    int code = codes::success;
    std::string text;
};

Answered told(std::string text) {
    if (text.size() <= detail_bytes_max) return {codes::success, std::move(text)};
    return {codes::not_reached, "too long for one message: ask on the gateway itself"};
}

Answered told(const Result<void>& done) {
    if (done) return {};
    return {codes::bad_value, done.error().what};
}

Answered not_read(const Error& error) {
    const bool refused = error.code == Errc::refused;
    return {refused ? codes::device_refused : codes::not_reached, error.what};
}

Answered told(Parts& parts, const Latest::Entry& reading) {
    std::string text;
    std::string at;
    append_event_time(at, parts.clock.stamp(reading.at).at);
    json::Writer out(text);
    out.open_object().member("value", to_string(reading.value));
    out.member("event_time", at).close_object();
    return told(std::move(text));
}

// The site may have changed since the request was let in.
Line* line_of(Parts& parts, const Order& order) {
    return parts.plant.find(order.site->config.buses[order.own->bus].name);
}

Answered gone() { return {codes::not_reached, "the bus is not there any more"}; }

asio::awaitable<Answered> read_point(Parts& parts, const Order& order) {
    const OwnCommand& command = *order.own;
    const DeviceRef device = order.site->directory.ref(*command.device);
    const std::optional<Latest::Entry> known = parts.latest.get(device, command.point);
    if (known && Event::Clock::now() - known->at < fresh_for) co_return told(parts, *known);
    const std::vector<PointIndex> wanted(1, command.point);
    Line* const line = line_of(parts, order);
    if (!line) co_return gone();
    const Result<Readings> read = co_await line->bus().read(device, wanted);
    if (!read) co_return not_read(read.error());
    parts.latest.set(*read);
    if (read->values.empty()) {
        Answered none{codes::bad_value, "the raw value means no value"};
        co_return none;
    }
    const Latest::Entry now{read->values.front().value, read->at};
    co_return told(parts, now);
}

asio::awaitable<Answered> read_registers(Parts& parts, const Order& order) {
    const OwnCommand& command = *order.own;
    Line* const line = line_of(parts, order);
    if (!line) co_return gone();
    const auto words =
        co_await line->bus().read_raw(command.unit, command.table, command.first, command.count);
    if (!words) co_return not_read(words.error());
    std::string text = "[";
    for (const std::uint16_t word : *words) {
        if (text.size() > 1) text += ',';
        json::append_unsigned(text, word);
    }
    text += ']';
    co_return told(std::move(text));
}

// The plan of 2,000 devices takes a quarter of a second: once, and not on the loop.
asio::awaitable<Answered> get_plan(Parts& parts) {
    if (!parts.plan.empty()) co_return told(parts.plan);
    const SitePtr site = parts.site;
    Worker worker;
    std::string plan =
        co_await worker.run([&] { return plan_json(site->config, plan_site(site->config)); });
    if (site == parts.site) parts.plan = plan;
    co_return told(std::move(plan));
}

// What has changed, or what is wrong with the files.
asio::awaitable<Answered> reload(Parts& parts) {
    const SiteKeeper::Report report = co_await parts.reload("the platform");
    Answered answered = told(report_json(report));
    if (report.exit == Exit::configuration) answered.code = codes::bad_value;
    if (report.exit == Exit::failed) answered.code = codes::not_reached;
    co_return answered;
}

// Long enough for the answer to get out before the link is closed.
asio::awaitable<void> restart_soon() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1s);
    co_await timer.async_wait(asio::use_awaitable);
    std::raise(SIGTERM);
}

Answered operate_now(Parts& parts, const Order& order) {
    const OwnCommand& command = *order.own;
    std::optional<DeviceRef> device;
    if (command.device) device = order.site->directory.ref(*command.device);
    const bool of_a_bus = command.kind == Kind::scan_now || command.kind == Kind::suspend_bus ||
                          command.kind == Kind::resume_bus || command.kind == Kind::set_period;
    Line* const line = of_a_bus ? line_of(parts, order) : nullptr;
    if (of_a_bus && !line) return gone();
    const Instant until = Event::Clock::now() + command.lasts;
    switch (command.kind) {
        case Kind::get_status:
            return told(status_summary_json(parts.status()));
        case Kind::scan_now:
            line->bus().scan_now();
            return {};
        case Kind::suspend_bus:
            line->bus().suspend(until);
            return {};
        case Kind::resume_bus:
            line->bus().resume();
            return {};
        case Kind::set_period:
            return told(line->bus().set_period(device, command.period, until, period_times_max));
        case Kind::set_log_level:
            parts.log_level.set(command.level, command.lasts);
            return {};
        case Kind::restart:
            if (!service::supervised())
                return {codes::not_reached, "nobody would start it again: not run by systemd"};
            parts.timers.spawn("restart", restart_soon());
            return {};
        case Kind::reload:
        case Kind::get_plan:
        case Kind::read_point:
        case Kind::read_registers:
            break;
    }
    return {codes::unknown, ""};
}

}  // namespace

asio::awaitable<Outcome> operate(Parts& parts, const Order& order) {
    const OwnCommand& command = *order.own;
    Answered answer;
    if (command.kind == Kind::get_plan)
        answer = co_await get_plan(parts);
    else if (command.kind == Kind::read_point)
        answer = co_await read_point(parts, order);
    else if (command.kind == Kind::read_registers)
        answer = co_await read_registers(parts, order);
    else if (command.kind == Kind::reload)
        answer = co_await reload(parts);
    else
        answer = operate_now(parts, order);
    Outcome outcome = outcome_of(order, answer.code, std::move(answer.text));
    co_return outcome;
}

northbound::GetAnswer own_properties(Parts& parts, const Order& order) {
    const Template& tmpl = order.device_template();
    parts.latest.set(self_readings(tmpl, order.ref(), Event::Clock::now(), parts.status()));
    return property_answer(*tmpl.points, order.ref(), order.points, parts.latest, parts.clock);
}

}  // namespace fieldgate
