#include "daemon/carry_out.h"

#include "base/log.h"
#include "daemon/property_answer.h"

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;
using southbound::Written;

// Of what went well; how it ended is told in any case.
constexpr std::size_t told_bytes = 4UL * 1024;

int code_of(Written::Outcome outcome) {
    switch (outcome) {
        case Written::Outcome::written:
            return codes::success;
        case Written::Outcome::refused:
            return codes::device_refused;
        case Written::Outcome::mismatch:
            return codes::mismatch;
        case Written::Outcome::unknown:
            return codes::unknown;
    }
    return codes::unknown;
}

// No write has left.
int code_of(Errc code) {
    const bool value = code == Errc::out_of_range || code == Errc::bad_data;
    return value ? codes::bad_value : codes::not_reached;
}

std::string text_of(const Result<Written>& written) {
    if (!written) return "not written: " + written.error().what;
    switch (written->outcome) {
        case Written::Outcome::written:
            return "written";
        case Written::Outcome::refused:
            return "refused: " + written->what;
        case Written::Outcome::mismatch:
            return "written, but " + written->what;
        case Written::Outcome::unknown:
            return "unknown whether written, not repeated: " + written->what;
    }
    return "unknown";
}

// What the point is afterwards is told, whatever its report rule says; the reading may come before
// the write returns.
asio::awaitable<Result<Written>> write_point(Parts& parts, southbound::Bus& bus, DeviceRef device,
                                             const Order::Write& write) {
    parts.mapping.refresh(device, write.point);
    Result<Written> written = co_await bus.write(device, write.point, write.value);
    parts.mapping.refresh(device, write.point);
    co_return written;
}

}  // namespace

asio::awaitable<Outcome> write_order(Parts& parts, southbound::Bus& bus, const Order& order) {
    const std::vector<Point>& points = *order.device_template().points;
    int code = codes::success;
    std::string text;
    for (const Order::Write& write : order.writes) {
        const Result<Written> written = co_await write_point(parts, bus, order.ref(), write);
        code = written ? code_of(written->outcome) : code_of(written.error().code);
        const bool last = code != codes::success || &write == &order.writes.back();
        if (last || text.size() < told_bytes) {
            if (!text.empty()) text += "; ";
            text += points[write.point].property + ": " + text_of(written);
        } else if (!text.ends_with("...")) {
            text += "; ...";
        }
        if (code != codes::success) break;
    }
    Outcome outcome = outcome_of(order, code, std::move(text));
    co_return outcome;
}

asio::awaitable<void> write_safe(Parts& parts, CloudLoss::Write write) {
    const Directory& directory = parts.site->directory;
    const DeviceConfig& device = *directory.config_of(write.device);
    const Point& point = (*directory.template_of(write.device).points)[write.write.point];
    Line* const line = parts.plant.find(parts.site->config.buses[device.bus].name);
    if (!line) co_return;
    southbound::Bus& bus = line->bus();
    const Result<Written> written =
        co_await write_point(parts, bus, directory.ref(write.device), write.write);
    const std::string result = text_of(written);
    log::warning("written because the cloud is away", {{"device", device.name},
                                                       {"property", point.property},
                                                       {"value", to_string(write.write.value)},
                                                       {"result", result}});
    storage::AuditEntry entry;
    entry.who = storage::AuditEntry::Who::local;
    entry.what = "on_cloud_loss";
    entry.target = device.device_id;
    entry.detail = point.service + "." + point.property + " = " + to_string(write.write.value);
    entry.result = result;
    parts.requests.audit(std::move(entry));
}

asio::awaitable<northbound::GetAnswer> read_order(Parts& parts, southbound::Bus& bus,
                                                  const Order& order) {
    const DeviceConfig& device = *order.site->directory.config_of(order.device);
    const Template& tmpl = order.device_template();
    const Instant now = Event::Clock::now();
    std::vector<PointIndex> fresh;
    std::vector<PointIndex> stale;
    for (const PointIndex point : order.points) {
        const std::optional<Latest::Entry> entry = parts.latest.get(order.ref(), point);
        const bool is_fresh = entry && now - entry->at <= period(tmpl, device, point);
        (is_fresh ? fresh : stale).push_back(point);
    }
    if (!stale.empty()) {
        const Result<Readings> read = co_await bus.read(order.ref(), stale);
        if (read) {
            parts.latest.set(*read);
            for (const Reading& reading : read->values) fresh.push_back(reading.point);
        }
    }
    co_return property_answer(*tmpl.points, order.ref(), fresh, parts.latest, parts.clock);
}

}  // namespace fieldgate
