#include "daemon/flows.h"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <optional>

#include "base/log.h"
#include "daemon/clock.h"
#include "daemon/deliver.h"
#include "daemon/gate/carry_out.h"
#include "daemon/gate/operate.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

constexpr auto debounce = 1s;
constexpr auto lessons_awaited = 300ms;  // a sound store is open by then

asio::awaitable<void> ask_time(Parts& parts) {
    const northbound::Announcement question =
        parts.time_sync.ask(Event::Clock::now(), system_clock_now());
    // What went wrong shows in the link; the question is put again anyway.
    (void)co_await parts.cloud.tell(question);
}

asio::awaitable<void> answer(Parts& parts, Answers::Ready ready) {
    (void)co_await send_answer(parts, std::move(ready));
}

// What a line of before says of a device that has another edition now is no news.
void note_status(Parts& parts, DeviceRef device, DeviceStatus status) {
    const Directory& directory = parts.site->directory;
    if (!directory.config_of(device.index) || directory.ref(device.index) != device) return;
    parts.devices.set(device.index, status);
    if (status == DeviceStatus::online) parts.safe_writes.online(device.index);
}

}  // namespace

asio::awaitable<void> collect(Parts& parts, southbound::Bus& bus) {
    const bool strict = parts.durability == storage::Durability::strict;
    Pulses::Local pulse(parts.pulses, "collect " + bus.name(), [&bus] { return bus.turned(); });
    std::vector<Record> records;
    co_await parts.lessons.opened(Event::Clock::now() + lessons_awaited);
    parts.lessons.teach(bus);
    for (;;) {
        pulse.beat();
        const std::optional<Readings> readings = co_await bus.next();
        if (!readings) continue;
        if (readings->changed) note_status(parts, readings->device, *readings->changed);
        parts.latest.set(*readings);
        records.clear();
        parts.mapping.map(*readings, parts.clock, records);
        parts.outbox.append(records);  // never waits; what does not fit any more is counted there
        if (strict && !records.empty()) co_await parts.outbox.flushed();
    }
}

asio::awaitable<void> upload(Parts& parts) {
    auto& pulse = parts.pulses.add("upload");
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        pulse.beat();
        const bool free = co_await parts.uplink.free(parts.goodput);
        if (!free) continue;
        const SitePtr site = parts.site;
        const northbound::PlatformSettings& platform = site->config.platform;
        const std::size_t usual_bytes = northbound::comfortable_payload(platform.limits);
        // The pace first, then the choice, so that what is live by then goes before the backlog.
        const Instant ready = parts.pacer.ready_at(usual_bytes, Event::Clock::now());
        timer.expires_at(std::min(ready, Event::Clock::now() + longest_wait));
        if (ready > Event::Clock::now()) co_await timer.async_wait(asio::use_awaitable);
        parts.sizes.look(Event::Clock::now());
        northbound::Parcel parcel(platform.limits, parts.sizes, parts.series, platform.device_id,
                                  parts.goodput.parcel_bytes());
        const std::function<Fit(const Record&)> fit = [&](const Record& record) {
            return parts.suspicion.add(parcel, record);
        };
        const storage::Lease lease = co_await parts.outbox.take(fit, platform.linger);
        if (lease.records == 0) continue;
        if (site != parts.site) {  // it was filled for a platform that may be gone
            parts.outbox.release(lease);
            continue;
        }
        if (parts.suspicion.trial(parcel)) {
            co_await put_to_trial(parts, pulse, std::move(parcel), lease);
            continue;
        }
        // No data of a device that the platform takes for gone. A link that does not take the one
        // does not take the other.
        (void)co_await tell_statuses(parts, pulse, parts.devices.arrived());
        parts.uplink.sent(parcel.payload_bytes());
        parts.deliveries.spawn("deliver", deliver(parts, std::move(parcel), lease));
    }
}

asio::awaitable<void> notify(Parts& parts) {
    auto& pulse = parts.pulses.add("notify");
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        pulse.beat();
        const bool changed = co_await parts.devices.changed();
        parts.devices.look(Event::Clock::now());
        if (!changed && parts.devices.due(Event::Clock::now()).empty()) continue;
        timer.expires_after(
            debounce);  // a device that comes and goes within it is not worth a word
        co_await timer.async_wait(asio::use_awaitable);
        if (!parts.uplink.is_open()) continue;  // after the connect all are told
        std::vector<northbound::SubDeviceStatus> statuses = parts.devices.due(Event::Clock::now());
        if (statuses.empty()) continue;
        // If they are not told, the link is as good as gone, or we try again.
        (void)co_await tell_statuses(parts, pulse, std::move(statuses));
    }
}

asio::awaitable<void> refresh(Parts& parts) {
    auto& pulse = parts.pulses.add("refresh");
    for (;;) {
        pulse.beat();
        const bool gone = co_await parts.outbox.backlog_gone();
        if (gone) parts.mapping.refresh();
    }
}

asio::awaitable<void> obey(Parts& parts, southbound::Bus& bus, Orders& orders) {
    Pulses::Local pulse(parts.pulses, "obey " + bus.name(), [&bus] { return bus.served(); });
    for (;;) {
        pulse.beat();
        const std::optional<Order> order = co_await orders.next();
        if (!order && orders.closed()) co_return;
        if (!order) continue;
        if (order->origin == Order::Origin::cloud_loss) {
            co_await write_safe(parts, bus, *order);
        } else if (order->own || order->acts()) {
            co_await carry_out(parts, &bus, *order);
        } else {
            northbound::GetAnswer values;
            if (is_in_time(*order)) values = co_await read_order(parts, bus, *order);
            parts.requests.settle(*order, std::move(values));
        }
    }
}

asio::awaitable<void> obey_own(Parts& parts, Orders& orders) {
    auto& pulse = parts.pulses.add("obey_own");
    for (;;) {
        pulse.beat();
        const std::optional<Order> order = co_await orders.next();
        pulse.beat();
        if (!order) continue;
        // A change of the site may take as long as its files and wires do.
        if (order->own && order->own->kind == OwnCommand::Kind::reload)
            parts.deliveries.spawn("reload", carry_out_apart(parts, *order));
        else if (order->own)
            co_await carry_out(parts, nullptr, *order);
        else
            parts.requests.settle(*order, own_properties(parts, *order));
    }
}

asio::awaitable<void> reply(Parts& parts) {
    auto& pulse = parts.pulses.add("reply");
    for (;;) {
        pulse.beat();
        std::optional<Answers::Ready> ready = co_await parts.requests.answers().next();
        parts.requests.audit_counts(Event::Clock::now());
        if (ready) parts.deliveries.spawn("answer", answer(parts, std::move(*ready)));
    }
}

asio::awaitable<void> keep_time(Parts& parts) {
    auto& pulse = parts.pulses.add("keep_time");
    asio::steady_timer timer(co_await asio::this_coro::executor);
    bool held = false;
    for (;;) {
        pulse.beat();
        const Instant now = Event::Clock::now();
        const bool proven = parts.clock.proven();
        const auto before = parts.clock.offset();
        if (parts.clock.observe(now, system_clock_now(), system_clock_synchronised()))
            parts.outbox.restamp(parts.clock.offset());
        if (parts.clock.proven())
            parts.outbox.note_proven_time(parts.clock.stamp(now).at);
        else if (const std::optional<Utc> last = parts.outbox.proven_time())
            parts.clock.remember(*last);
        const auto step = parts.clock.offset() - before;
        if (proven && std::chrono::abs(step) > 1s)
            log::notice("clock put right", {{"ms", std::to_string(step.count())}});
        const bool hold = parts.clock.held(now, parts.site->config.require_sync);
        if (hold != held)
            log::notice(hold ? "records held: the clock is not known to be right"
                             : "records released");
        held = hold;
        parts.outbox.set_held(hold);
        if (!hold && !parts.clock.proven()) parts.outbox.guess(parts.clock.offset());
        if (parts.uplink.is_open() && parts.time_sync.due(now))
            parts.deliveries.spawn("ask_time", ask_time(parts));
        timer.expires_after(1s);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

}  // namespace fieldgate
