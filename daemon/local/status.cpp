#include "daemon/local/status.h"

#include <algorithm>
#include <cmath>

#include "base/json_writer.h"
#include "model/event_time.h"

namespace fieldgate {
namespace {

void write_store(json::Writer& out, const storage::OutboxStatus& store) {
    const storage::Books& books = store.books;
    out.key("books").open_object();
    out.member("accepted", books.accepted).member("acknowledged", books.acknowledged);
    out.member("pending", books.pending).member("evicted", books.evicted);
    out.member("quarantined", books.quarantined).close_object();
    out.key("store").open_object();
    out.member("ok", store.disk_ok).member("open", store.open);
    out.member("bytes", store.store_bytes);
    out.member("written_bytes", store.written_bytes).member("backlog", store.backlog);
    out.member("buffered", store.buffered).close_object();
}

void write_clock(json::Writer& out, const Status::Clock& clock) {
    out.key("clock").open_object().member("quality", clock.quality());
    out.member("system_off_ms", clock.system_off.count());
    if (clock.round_trip) out.member("platform_round_trip_ms", clock.round_trip->count());
    out.close_object();
}

void write_requests(json::Writer& out, const Status& status) {
    const Requests::Counters& requests = status.requests;
    out.key("requests").open_object().member("received", requests.received);
    out.member("done", requests.done).member("refused", requests.refused);
    out.member("malformed", requests.malformed);
    out.member("failed", requests.failed).member("unknown", requests.unknown);
    out.member("busy", requests.busy).member("copies", requests.copies);
    out.member("late", status.requests_late).close_object();
}

void write_errors(json::Writer& out, const southbound::WireErrors& errors) {
    out.key("errors").open_object();
    out.member("timeout", errors.timeout).member("bad_data", errors.bad_data);
    out.member("exception", errors.exception).member("closed", errors.closed);
    out.member("stale", errors.stale).close_object();
}

void write_buses(json::Writer& out, const std::vector<Status::Bus>& buses) {
    out.key("buses").open_array();
    for (const Status::Bus& bus : buses) {
        out.open_object().member("name", bus.name).member("up", bus.now.up);
        out.member("suspended", bus.now.suspended);
        out.member("requests", bus.now.requests).member("overruns", bus.now.overruns);
        write_errors(out, bus.now.errors);
        out.key("not_sent").open_object().member("absent", bus.now.absent);
        out.member("unlisted", bus.now.unlisted).member("invalid", bus.now.invalid);
        out.member("outdated", bus.now.outdated).close_object();
        out.member("last_error", bus.now.last_error);
        if (bus.now.latency)
            out.member("latency_ms",
                       std::chrono::duration<double, std::milli>(*bus.now.latency).count());
        out.close_object();
    }
    out.close_array();
}

void write_devices(json::Writer& out, const std::vector<Status::Device>& devices) {
    out.key("devices").open_array();
    for (const Status::Device& device : devices) {
        out.open_object().member("name", device.name).member("device_id", device.device_id);
        out.member("bus", device.bus).member("status", to_string(device.status));
        out.member("platform", device.platform);
        out.member("scans", device.health.scans).member("failed_scans", device.health.failed_scans);
        out.member("last_error", device.health.last_error);
        if (!device.health.learned.empty()) {
            out.key("learned");
            write_json(out, device.health.learned);
        }
        out.close_object();
    }
    out.close_array();
}

}  // namespace

std::size_t Status::refused() const {
    const auto is = [](const Device& device) { return device.platform.starts_with("refused"); };
    return static_cast<std::size_t>(std::count_if(devices.begin(), devices.end(), is));
}

std::size_t Status::count(DeviceStatus wanted) const {
    const auto is = [&](const Device& device) { return device.status == wanted; };
    return static_cast<std::size_t>(std::count_if(devices.begin(), devices.end(), is));
}

std::size_t Status::buses_up() const {
    const auto up = [](const Bus& bus) { return bus.now.up; };
    return static_cast<std::size_t>(std::count_if(buses.begin(), buses.end(), up));
}

southbound::WireErrors Status::wire_errors() const {
    southbound::WireErrors sum;
    for (const Bus& bus : buses) {
        sum.timeout += bus.now.errors.timeout;
        sum.bad_data += bus.now.errors.bad_data;
        sum.exception += bus.now.errors.exception;
        sum.closed += bus.now.errors.closed;
        sum.stale += bus.now.errors.stale;
    }
    return sum;
}

const char* to_string(DeviceStatus status) {
    switch (status) {
        case DeviceStatus::unknown:
            return "unknown";
        case DeviceStatus::online:
            return "online";
        case DeviceStatus::offline:
            return "offline";
    }
    return "?";
}

namespace {

void write_summary(json::Writer& out, const Status& status) {
    out.member("version", status.version).member("config_hash", status.config_hash);
    out.member("configuration_problems", status.does_not_load);
    out.member("uptime_s", status.uptime.count());
    std::string since;
    append_event_time(since, status.link.since);
    out.key("link")
        .open_object()
        .member("up", status.link.up)
        .member("endpoint", status.link.endpoint);
    out.member("since", since);
    if (!status.link.up) out.member("why", status.link.why);
    out.member("certificate", to_string(status.link.certificate));
    out.member("reconnects", status.link.reconnects).member("in_flight", status.link.in_flight);
    out.member("dropped", status.link.dropped)
        .member("payload_bytes", status.link.payload_bytes)
        .member("goodput", std::llround(status.link.goodput))
        .member("window_bytes", status.link.window_bytes)
        .member("unanswered", status.link.unanswered)
        .member("passed_over", status.link.passed_over)
        .close_object();
    write_clock(out, status.clock);
    write_store(out, status.store);
    out.key("readings").open_object().member("read", status.mapping.readings);
    out.member("thinned", status.mapping.thinned).member("not_fitting", status.mapping.not_fitting);
    out.close_object();
    write_requests(out, status);
    write_buses(out, status.buses);
}

}  // namespace

std::string status_json(const Status& status) {
    std::string text;
    json::Writer out(text);
    out.open_object();
    write_summary(out, status);
    write_devices(out, status.devices);
    out.close_object();
    return text;
}

std::string status_summary_json(const Status& status) {
    std::string text;
    json::Writer out(text);
    out.open_object();
    write_summary(out, status);
    out.member("devices_online", status.count(DeviceStatus::online));
    out.member("devices_offline", status.count(DeviceStatus::offline));
    out.member("devices_refused", status.refused()).close_object();
    return text;
}

}  // namespace fieldgate
