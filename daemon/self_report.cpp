#include "daemon/self_report.h"

#include <algorithm>

namespace fieldgate {
namespace {

Value count(std::uint64_t number) { return static_cast<std::int64_t>(number); }

Value value_of(SelfValue what, const Status& status) {
    const storage::Books& books = status.store.books;
    switch (what) {
        case SelfValue::uptime:
            return std::int64_t{status.uptime.count()};
        case SelfValue::outbox_accepted:
            return count(books.accepted);
        case SelfValue::outbox_acknowledged:
            return count(books.acknowledged);
        case SelfValue::outbox_pending:
            return count(books.pending);
        case SelfValue::outbox_evicted:
            return count(books.evicted);
        case SelfValue::outbox_quarantined:
            return count(books.quarantined);
        case SelfValue::devices_online:
            return count(status.count(DeviceStatus::online));
        case SelfValue::devices_offline:
            return count(status.count(DeviceStatus::offline));
        case SelfValue::buses_up:
            return count(status.buses_up());
        case SelfValue::wire_errors:
            return count(status.wire_errors().total());
        case SelfValue::reconnects:
            return count(status.link.reconnects);
        case SelfValue::store_bytes:
            return count(status.store.store_bytes);
        case SelfValue::clock_quality:
            return std::string(status.clock.quality());
        case SelfValue::version:
            return status.version;
        case SelfValue::config_hash:
            return status.config_hash;
    }
    return false;
}

}  // namespace

SelfReport::SelfReport(const Template& tmpl, DeviceRef device, Instant start) : device_(device) {
    for (std::size_t i = 0; i < tmpl.self_values.size(); ++i) {
        const auto every = (*tmpl.points)[i].every.value_or(tmpl.every);
        items_.push_back({tmpl.self_values[i], every, start + every});
    }
}

Instant SelfReport::next_due() const {
    Instant next = Instant::max();
    for (const Item& item : items_) next = std::min(next, item.at);
    return next;
}

Readings SelfReport::due(Instant now, const Status& status) {
    Readings readings;
    readings.device = device_;
    readings.at = now;
    for (std::size_t i = 0; i < items_.size(); ++i) {
        Item& item = items_[i];
        if (item.at > now) continue;
        readings.values.push_back({static_cast<PointIndex>(i), value_of(item.what, status)});
        while (item.at <= now) item.at += item.every;
    }
    return readings;
}

Readings self_readings(const Template& tmpl, DeviceRef device, Instant now, const Status& status) {
    Readings readings;
    readings.device = device;
    readings.at = now;
    for (std::size_t i = 0; i < tmpl.self_values.size(); ++i)
        readings.values.push_back(
            {static_cast<PointIndex>(i), value_of(tmpl.self_values[i], status)});
    return readings;
}

}  // namespace fieldgate
