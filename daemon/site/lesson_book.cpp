#include "daemon/site/lesson_book.h"

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdlib>
#include <set>
#include <utility>
#include <variant>

#include "base/json_writer.h"
#include "base/log.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

using southbound::modbus::Lessons;

constexpr auto looked_at_every = 60s;
constexpr auto confirmed_every = std::chrono::milliseconds(1h);
constexpr auto pause_until_open = 10ms;

std::string of_device(const DeviceConfig& device) { return "device " + device.device_id; }
std::string of_bus(const std::string& name) { return "bus " + name; }

std::string wire_of(const southbound::BusSettings& bus) {
    const auto* line = std::get_if<southbound::SerialSettings>(&bus.wire);
    return place_of(bus) + (line ? ' ' + std::to_string(line->baud) : "");
}

// What answers under the same unit at another place is another device, whatever it is called.
std::string layout_of(const Config& config, const DeviceConfig& device) {
    const std::string registers = southbound::modbus::layout_digest(
        device.unit, *config.templates[device.device_template].registers);
    return registers + ' ' + wire_of(config.buses[device.bus]);
}

std::string text_of(const Lessons& lessons) {
    std::string text;
    json::Writer out(text);
    write_json(out, lessons);
    return text;
}

std::string text_of(std::chrono::nanoseconds latency) {
    return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(latency).count());
}

std::chrono::microseconds latency_of(const std::string& text) {
    return std::chrono::microseconds(std::strtoll(text.c_str(), nullptr, 10));
}

// It wanders all day: what is a fifth off serves as well.
bool is_near(const std::string& kept, std::chrono::nanoseconds now) {
    const std::chrono::nanoseconds before = latency_of(kept);
    return now >= before * 4 / 5 && now <= before * 5 / 4;
}

}  // namespace

asio::awaitable<void> LessonBook::opened(Instant deadline) {
    asio::steady_timer timer(loop_);
    while (!store_.known() && Instant::clock::now() < deadline) {
        timer.expires_after(pause_until_open);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

std::int64_t LessonBook::now_ms() const {
    if (!clock_.proven()) return 0;
    return clock_.stamp(Instant::clock::now()).at.time_since_epoch().count();
}

bool LessonBook::is_old(const storage::LearnedRow& row) const {
    const std::int64_t now = now_ms();
    if (now == 0 || row.at_ms == 0) return false;
    return std::abs(now - row.at_ms) > std::chrono::milliseconds(believed_for).count();
}

const storage::LearnedRow* LessonBook::kept(const std::string& what,
                                            const std::string& version) const {
    const auto row = store_.all().find(what);
    const bool there = row != store_.all().end() && row->second.version == version;
    return there && !is_old(row->second) ? &row->second : nullptr;
}

void LessonBook::teach(southbound::Bus& bus) const {
    const Config& config = site_->config;
    for (const southbound::BusSettings& settings : config.buses) {
        if (settings.name != bus.name()) continue;
        if (const auto* row = kept(of_bus(settings.name), wire_of(settings)))
            bus.expect_latency(latency_of(row->text));
    }
    for (std::size_t i = 0; i < config.devices.size(); ++i) {
        const DeviceConfig& device = config.devices[i];
        if (config.buses[device.bus].name != bus.name()) continue;
        if (!store_.all().contains(of_device(device))) continue;
        const auto* row = kept(of_device(device), layout_of(config, device));
        if (!row) continue;
        Result<Lessons> lessons = southbound::modbus::lessons_of(row->text);
        if (lessons) bus.teach(site_->directory.at(i), std::move(*lessons));
    }
}

std::vector<storage::LearnedRow> LessonBook::learned() const {
    const Config& config = site_->config;
    std::vector<storage::LearnedRow> rows;
    for (const southbound::BusSettings& settings : config.buses) {
        const Line* const line = plant_.find(settings.name);
        if (!line) continue;
        const southbound::BusStatus status = line->bus().status();
        if (status.latency) {
            const auto* row = kept(of_bus(settings.name), wire_of(settings));
            const bool same = row && is_near(row->text, *status.latency);
            rows.push_back({of_bus(settings.name), wire_of(settings),
                            same ? row->text : text_of(*status.latency), now_ms()});
        }
        for (const southbound::DeviceHealth& health : status.devices) {
            const DeviceConfig* const device = site_->directory.config_of(health.index);
            if (device && !health.learned.empty())
                rows.push_back({of_device(*device), layout_of(config, *device),
                                text_of(health.learned), now_ms()});
        }
    }
    return rows;
}

LessonBook::Change LessonBook::change() const {
    Change change;
    std::set<std::string> there;
    for (storage::LearnedRow& row : learned()) {
        there.insert(row.what);
        const auto* old = kept(row.what, row.version);
        const bool same = old && old->text == row.text;
        const bool confirmed =
            row.at_ms == 0 || (old && row.at_ms - old->at_ms < confirmed_every.count());
        if (!same || !confirmed) change.rows.push_back(std::move(row));
    }
    // Of a device that is here and needs no lesson there is none; of others it may come back.
    for (const DeviceConfig& device : site_->config.devices) {
        const std::string what = of_device(device);
        if (store_.all().contains(what) && there.insert(what).second)
            change.forgotten.push_back(what);
    }
    for (const auto& [what, row] : store_.all())
        if (!there.contains(what) && (row.text.empty() || is_old(row)))
            change.forgotten.push_back(what);
    return change;
}

asio::awaitable<void> LessonBook::keep() {
    asio::steady_timer timer(loop_);
    while (!store_.known()) {
        timer.expires_after(1s);
        co_await timer.async_wait(asio::use_awaitable);
    }
    for (const auto& [name, line] : plant_.lines()) teach(line->bus());
    for (;;) {
        timer.expires_after(looked_at_every);
        co_await timer.async_wait(asio::use_awaitable);
        co_await keep_last();
    }
}

asio::awaitable<void> LessonBook::keep_last() {
    if (!store_.known()) co_return;
    Change what = change();
    if (what.rows.empty() && what.forgotten.empty()) co_return;
    const Result<void> done = co_await store_.keep(std::move(what.rows), std::move(what.forgotten));
    // The disk's errors are told by the store.
    if (!done && done.error().code == Errc::out_of_range)
        log::warning("not all that was learned of the devices is kept",
                     {{"why", done.error().what}});
}

}  // namespace fieldgate
