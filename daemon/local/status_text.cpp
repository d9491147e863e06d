// How a status looks to people (from its JSON) and to Prometheus.
#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "daemon/local/learned_report.h"
#include "daemon/local/status.h"

namespace fieldgate {
namespace {

// A member of an object of an object, as text; "" where there is none.
std::string text_of(const json::Value& root, std::initializer_list<std::string_view> path) {
    const json::Value* at = &root;
    for (const std::string_view key : path) {
        at = at->get(key);
        if (!at) return "";
    }
    if (const std::string* text = at->string()) return *text;
    std::string text;
    json::append_value(text, *at);
    return text;
}

using Row = std::vector<std::string>;

std::string table(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths(rows.front().size(), 0);
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string text;
    for (const Row& row : rows) {
        text += "  ";
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += row[i];
            if (i + 1 < row.size()) text.append(widths[i] - row[i].size() + 2, ' ');
        }
        text += '\n';
    }
    return text;
}

std::string list(const json::Value& root, std::string_view name, const Row& titles,
                 const std::vector<std::vector<std::string_view>>& columns) {
    std::vector<Row> rows{titles};
    const json::Value* all = root.get(name);
    if (!all || !all->array()) return "";
    for (const json::Value& item : *all->array()) {
        Row row;
        for (const auto& column : columns) {
            if (column.size() == 1)
                row.push_back(text_of(item, {column[0]}));
            else
                row.push_back(text_of(item, {column[0], column[1]}));
        }
        rows.push_back(std::move(row));
    }
    return table(rows);
}

class Metrics {
public:
    void add(const char* name, const char* type, const char* help, double value) {
        head(name, type, help);
        sample(name, "", value);
    }
    void head(const char* name, const char* type, const char* help) {
        text_ +=
            std::string("# HELP ") + name + ' ' + help + "\n# TYPE " + name + ' ' + type + '\n';
    }
    void sample(const char* name, const std::string& labels, double value) {
        text_ += name;
        if (!labels.empty()) text_ += '{' + labels + '}';
        text_ += ' ';
        json::append_double(text_, value);
        text_ += '\n';
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

std::string label(const char* name, const std::string& value) {
    std::string quoted;
    json::append_string(quoted, value);  // the same escapes: \\ \" \n
    return std::string(name) + '=' + quoted;
}

double number(std::uint64_t value) { return static_cast<double>(value); }

void add_store(Metrics& out, const storage::OutboxStatus& store) {
    const storage::Books& books = store.books;
    out.add("fieldgate_records_accepted_total", "counter", "Records taken into the outbox.",
            number(books.accepted));
    out.add("fieldgate_records_acknowledged_total", "counter",
            "Records the platform has acknowledged.", number(books.acknowledged));
    out.add("fieldgate_records_pending", "gauge", "Records waiting to be acknowledged.",
            number(books.pending));
    out.add("fieldgate_records_evicted_total", "counter",
            "Records dropped because the store was full.", number(books.evicted));
    out.add("fieldgate_records_quarantined_total", "counter",
            "Records set aside: they can never be delivered.", number(books.quarantined));
    out.add("fieldgate_store_bytes", "gauge", "Size of the store on disk.",
            number(store.store_bytes));
    out.add("fieldgate_store_written_bytes_total", "counter", "Bytes written to disk, estimated.",
            number(store.written_bytes));
    out.add("fieldgate_store_backlog", "gauge", "Pending records of before the connection of now.",
            number(store.backlog));
    out.add("fieldgate_store_buffered", "gauge", "Records in memory that are not on disk.",
            number(store.buffered));
    out.add("fieldgate_store_ok", "gauge", "1: the disk takes records; 0: they are kept in memory.",
            store.disk_ok ? 1 : 0);
    out.add("fieldgate_store_open", "gauge", "0: the store has not been read yet, or cannot be.",
            store.open ? 1 : 0);
}

void add_buses(Metrics& out, const std::vector<Status::Bus>& buses) {
    out.head("fieldgate_bus_up", "gauge", "1: the port or connection is open.");
    for (const auto& bus : buses)
        out.sample("fieldgate_bus_up", label("bus", bus.name), bus.now.up ? 1 : 0);
    out.head("fieldgate_bus_suspended", "gauge", "1: by SUSPEND_BUS, nothing is read.");
    for (const auto& bus : buses)
        out.sample("fieldgate_bus_suspended", label("bus", bus.name), bus.now.suspended ? 1 : 0);
    out.head("fieldgate_bus_requests_total", "counter", "Requests sent.");
    for (const auto& bus : buses)
        out.sample("fieldgate_bus_requests_total", label("bus", bus.name),
                   number(bus.now.requests));
    out.head("fieldgate_bus_overruns_total", "counter", "Scans skipped because the wire was late.");
    for (const auto& bus : buses)
        out.sample("fieldgate_bus_overruns_total", label("bus", bus.name),
                   number(bus.now.overruns));
    out.head("fieldgate_bus_errors_total", "counter", "Wire errors by kind.");
    for (const auto& bus : buses) {
        const auto one = [&](const char* kind, std::uint64_t count) {
            out.sample("fieldgate_bus_errors_total",
                       label("bus", bus.name) + ',' + label("kind", kind), number(count));
        };
        one("timeout", bus.now.errors.timeout);
        one("bad_data", bus.now.errors.bad_data);
        one("exception", bus.now.errors.exception);
        one("closed", bus.now.errors.closed);
        one("stale", bus.now.errors.stale);
    }
    out.head("fieldgate_bus_not_sent_total", "counter", "Values read that became no reading.");
    for (const auto& bus : buses) {
        const auto one = [&](const char* why, std::uint64_t count) {
            out.sample("fieldgate_bus_not_sent_total",
                       label("bus", bus.name) + ',' + label("why", why), number(count));
        };
        one("absent", bus.now.absent);
        one("unlisted", bus.now.unlisted);
        one("invalid", bus.now.invalid);
        one("outdated", bus.now.outdated);
    }
}

void add_devices(Metrics& out, const std::vector<Status::Device>& devices) {
    const auto all = [&](const char* name, const char* type, const char* help, auto value) {
        out.head(name, type, help);
        for (const Status::Device& device : devices)
            out.sample(name, label("device", device.name), number(value(device)));
    };
    all("fieldgate_device_online", "gauge", "1: the device answers.",
        [](const Status::Device& device) {
            return device.status == DeviceStatus::online ? 1U : 0U;
        });
    all("fieldgate_device_refused", "gauge", "1: the platform does not take the device.",
        [](const Status::Device& device) {
            return device.platform.starts_with("refused") ? 1U : 0U;
        });
    all("fieldgate_device_scans_total", "counter", "Scans of the device.",
        [](const Status::Device& device) { return device.health.scans; });
    all("fieldgate_device_failed_scans_total", "counter", "Scans without an answer.",
        [](const Status::Device& device) { return device.health.failed_scans; });
}

void add_requests(Metrics& out, const Status& status) {
    const Requests::Counters& requests = status.requests;
    out.add("fieldgate_requests_received_total", "counter", "What the platform has asked for.",
            number(requests.received));
    out.head("fieldgate_requests_total", "counter", "What became of it.");
    const auto one = [&](const char* outcome, std::uint64_t count) {
        out.sample("fieldgate_requests_total", label("outcome", outcome), number(count));
    };
    one("done", requests.done);
    one("refused", requests.refused);
    one("malformed", requests.malformed);
    one("failed", requests.failed);
    one("unknown", requests.unknown);
    one("busy", requests.busy);
    one("copy", requests.copies);
    out.add("fieldgate_requests_late_total", "counter", "Answered because time ran out.",
            number(status.requests_late));
}

std::string requests_line(const json::Value& s) {
    return "requests " + text_of(s, {"requests", "received"}) + " received: done " +
           text_of(s, {"requests", "done"}) + ", refused " + text_of(s, {"requests", "refused"}) +
           ", malformed " + text_of(s, {"requests", "malformed"}) + ", failed " +
           text_of(s, {"requests", "failed"}) + ", unknown " + text_of(s, {"requests", "unknown"}) +
           ", busy " + text_of(s, {"requests", "busy"}) + ", copies " +
           text_of(s, {"requests", "copies"}) + "\n";
}

std::string does_not_load_line(const json::Value& s) {
    const std::string problems = text_of(s, {"configuration_problems"});
    if (problems == "0" || problems.empty() || problems == "-") return "";
    return "THE CONFIGURATION DOES NOT LOAD (" + problems +
           (problems == "1" ? " problem" : " problems") +
           ": fieldgate check): the last good one runs, after a start without powers that the "
           "files do not grant\n";
}

}  // namespace

std::string status_text(const std::string& json_text) {
    json::Limits wide;
    wide.bytes = json_text.size();
    const Result<json::Value> parsed = json::parse(json_text, wide);
    if (!parsed) return json_text;
    const json::Value& s = *parsed;
    std::string text = "fieldgate " + text_of(s, {"version"}) + ", up " + text_of(s, {"uptime_s"}) +
                       " s, configuration " + text_of(s, {"config_hash"}).substr(0, 12) + "\n";
    text += does_not_load_line(s);
    const bool up = text_of(s, {"link", "up"}) == "true";
    text += "link     " + std::string(up ? "up" : "DOWN") + "  " +
            text_of(s, {"link", "endpoint"}) + " since " + text_of(s, {"link", "since"}) +
            (up ? "" : ": " + text_of(s, {"link", "why"})) + ", reconnects " +
            text_of(s, {"link", "reconnects"}) + ", certificate " +
            text_of(s, {"link", "certificate"}) + "\n";
    text += "clock    " + text_of(s, {"clock", "quality"}) + ", system clock off by " +
            text_of(s, {"clock", "system_off_ms"}) + " ms\n";
    text += "books    accepted " + text_of(s, {"books", "accepted"}) + " = acknowledged " +
            text_of(s, {"books", "acknowledged"}) + " + pending " +
            text_of(s, {"books", "pending"}) + " + evicted " + text_of(s, {"books", "evicted"}) +
            " + quarantined " + text_of(s, {"books", "quarantined"}) + "\n";
    const bool opening = text_of(s, {"store", "open"}) == "false";
    const bool ok = text_of(s, {"store", "ok"}) == "true";
    text += "store    " +
            std::string(!ok       ? "MEMORY ONLY, see the log"
                        : opening ? "opening, MEMORY ONLY until then"
                                  : "ok") +
            ", " + text_of(s, {"store", "bytes"}) + " bytes\n";
    text += "readings " + text_of(s, {"readings", "read"}) + " read, " +
            text_of(s, {"readings", "thinned"}) + " within their report rule, " +
            text_of(s, {"readings", "not_fitting"}) + " outside the product model\n";
    text += requests_line(s);
    text += list(s, "buses",
                 {"BUS", "UP", "SUSPENDED", "REQUESTS", "OVERRUNS", "TIMEOUT", "BAD", "EXCEPTION",
                  "CLOSED", "STALE", "ABSENT", "UNLISTED", "INVALID", "LAST ERROR"},
                 {{"name"},
                  {"up"},
                  {"suspended"},
                  {"requests"},
                  {"overruns"},
                  {"errors", "timeout"},
                  {"errors", "bad_data"},
                  {"errors", "exception"},
                  {"errors", "closed"},
                  {"errors", "stale"},
                  {"not_sent", "absent"},
                  {"not_sent", "unlisted"},
                  {"not_sent", "invalid"},
                  {"last_error"}});
    text += list(
        s, "devices", {"DEVICE", "STATUS", "BUS", "SCANS", "FAILED", "PLATFORM", "LAST ERROR"},
        {{"name"}, {"status"}, {"bus"}, {"scans"}, {"failed_scans"}, {"platform"}, {"last_error"}});
    for (const LearnedLines& device : learned_of(s))
        for (const std::string& line : device.lines)
            text += "learned  " + device.device + "  " + line + "\n";
    return text;
}

std::string status_metrics(const Status& status) {
    Metrics out;
    out.head("fieldgate_info", "gauge", "What runs here.");
    out.sample("fieldgate_info",
               label("version", status.version) + ',' + label("config", status.config_hash), 1);
    out.add("fieldgate_configuration_problems", "gauge",
            "Problems of the files, as last read; more than 0: the last good configuration runs.",
            static_cast<double>(status.does_not_load));
    out.add("fieldgate_uptime_seconds", "gauge", "Time since start.",
            static_cast<double>(status.uptime.count()));
    out.add("fieldgate_link_up", "gauge", "1: connected to the platform.", status.link.up ? 1 : 0);
    out.add("fieldgate_link_certificate_tolerated", "gauge",
            "1: the platform's certificate is not yet valid by our clock, which is not proven.",
            status.link.certificate == northbound::iotda::Certificate::early ? 1 : 0);
    out.add("fieldgate_reconnects_total", "counter", "Connections after the first.",
            number(status.link.reconnects));
    out.add("fieldgate_downlinks_dropped_total", "counter",
            "Messages of the platform dropped: more at once than can be kept.",
            number(status.link.dropped));
    out.add("fieldgate_answers_dropped_total", "counter",
            "Answers to the platform given up: too many waited, or no link took them in time.",
            number(status.link.unanswered));
    out.add("fieldgate_downlinks_passed_over_total", "counter",
            "Messages and events of the platform that are of no use here.",
            number(status.link.passed_over));
    out.add("fieldgate_publishes_in_flight", "gauge", "Not acknowledged yet.",
            number(status.link.in_flight));
    out.add("fieldgate_publish_bytes_limit", "gauge",
            "Payload of a publish at most now: less where the platform takes less.",
            number(status.link.payload_bytes));
    out.add("fieldgate_link_goodput_bytes_per_second", "gauge",
            "What the link carries, as far as it was seen; 0: not known yet.", status.link.goodput);
    out.add("fieldgate_link_window_bytes", "gauge", "Bytes that may be on their way at one time.",
            number(status.link.window_bytes));
    out.add("fieldgate_clock_held", "gauge", "1: records wait for a clock that is right.",
            status.clock.held ? 1 : 0);
    out.add("fieldgate_clock_proven", "gauge", "1: event times rest on a clock known to be right.",
            status.clock.proven ? 1 : 0);
    add_store(out, status.store);
    out.add("fieldgate_readings_total", "counter", "Values read.", number(status.mapping.readings));
    out.add("fieldgate_readings_thinned_total", "counter", "Values within their report rule.",
            number(status.mapping.thinned));
    out.add("fieldgate_readings_not_fitting_total", "counter",
            "Values outside the product model, not sent.", number(status.mapping.not_fitting));
    add_requests(out, status);
    out.add("fieldgate_devices_online", "gauge", "Devices that answer.",
            number(status.count(DeviceStatus::online)));
    out.add("fieldgate_devices_offline", "gauge", "Devices that do not.",
            number(status.count(DeviceStatus::offline)));
    out.add("fieldgate_devices_refused", "gauge",
            "Devices that the platform does not take: it does not know them.",
            number(status.refused()));
    add_buses(out, status.buses);
    add_devices(out, status.devices);
    return out.take();
}

}  // namespace fieldgate
