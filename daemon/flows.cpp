#include "daemon/flows.h"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <limits>
#include <memory>
#include <optional>
#include <random>

#include "base/log.h"
#include "daemon/clock.h"
#include "daemon/deliver.h"
#include "daemon/gate/carry_out.h"
#include "daemon/gate/operate.h"
#include "daemon/notices.h"
#include "northbound/reconnect.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

constexpr auto debounce = 1s;
constexpr auto lessons_awaited = 300ms;     // a sound store is open by then
constexpr auto turn = 10s;                  // the longest wait of a flow (base/pulse.h)
constexpr std::size_t heard_at_once = 100;  // between two steps of a greeting

asio::awaitable<void> ask_time(Parts& parts) {
    const northbound::Announcement question =
        parts.time_sync.ask(Event::Clock::now(), system_clock_now());
    // What went wrong shows in the link; the question is put again anyway.
    (void)co_await parts.cloud.tell(question);
}

// What does not get through goes back to the others, and waits with them for another link.
asio::awaitable<Result<void>> send_answer(Parts& parts, Answers::Ready ready) {
    Answers& answers = parts.requests.answers();
    const std::uint64_t link = answers.link();
    const Result<void> sent =
        co_await parts.cloud.answer(ready.request_id, ready.answer, ready.rank);
    if (!sent && sent.error().code != Errc::busy)
        answers.lost(std::move(ready), link, sent.error().detail, Event::Clock::now());
    else
        answers.sent(ready.rank);
    co_return sent;
}

asio::awaitable<void> answer(Parts& parts, Answers::Ready ready) {
    (void)co_await send_answer(parts, std::move(ready));
}

struct Sent {
    explicit Sent(const asio::any_io_executor& loop) : changed(loop) {}
    Event changed;
    std::optional<Result<void>> how;
};

asio::awaitable<void> answer_apart(Parts& parts, Answers::Ready ready, std::shared_ptr<Sent> sent) {
    const Result<void> how = co_await send_answer(parts, std::move(ready));
    sent->how = how;
    sent->changed.notify();
}

// What links were lost with goes first and alone: if one is lost with it again, it is known why. A
// slow link may take longer for one than a flow may be silent.
asio::awaitable<Result<void>> send_answers_alone(Parts& parts, Pulses::Pulse& pulse) {
    const asio::any_io_executor loop = co_await asio::this_coro::executor;
    for (;;) {
        std::optional<Answers::Ready> ready =
            parts.requests.answers().next_alone(Event::Clock::now());
        if (!ready) co_return Result<void>();
        const auto sent = std::make_shared<Sent>(loop);
        parts.deliveries.spawn("answer", answer_apart(parts, std::move(*ready), sent));
        while (!sent->how) {
            pulse.beat();
            (void)co_await sent->changed.wait_until(Event::Clock::now() + turn);
        }
        pulse.beat();
        if (!*sent->how) co_return *sent->how;
    }
}

void ask(Parts& parts, const northbound::Request& request) {
    std::optional<Order> acts = parts.requests.take(request, request.received);
    if (acts) parts.deliveries.spawn("note", parts.requests.note(std::move(*acts)));
}

// What came is in somebody's hands, or refused, when this returns.
void hear(Parts& parts, const northbound::Downlink& downlink) {
    if (const auto* notice = std::get_if<northbound::Notice>(&downlink))
        take(parts, *notice);
    else if (const auto* malformed = std::get_if<northbound::Malformed>(&downlink))
        parts.requests.take(*malformed, malformed->received);
    else
        ask(parts, std::get<northbound::Request>(downlink));
}

// A configuration that knows what the platform takes saves the links that finding it out costs.
void tell_lesson(Parts& parts) {
    const std::optional<northbound::PayloadLimit::Lesson> lesson = parts.sizes.lesson();
    if (!lesson) return;
    log::warning(
        "the platform takes no large publishes, smaller ones are sent: "
        "set platform.limits.payload",
        {{"taken", std::to_string(lesson->taken)},
         {"closed_at", std::to_string(lesson->closed)},
         {"records", lesson->records ? "as large ones go into quarantine" : "all fit"}});
}

// The platform asks from the first moment on: it does not wait for the greeting to end.
asio::awaitable<void> hear_what_waits(Parts& parts, std::size_t most = heard_at_once) {
    for (std::size_t heard = 0; heard < most; ++heard) {
        const Result<northbound::Downlink> came = co_await parts.cloud.next(0ms);
        if (!came) co_return;
        hear(parts, *came);
    }
}

// As tell_statuses(), and hears between two requests.
asio::awaitable<Result<void>> tell_all_statuses(Parts& parts, Pulses::Pulse& pulse) {
    const std::vector<northbound::SubDeviceStatus> all = parts.devices.all();
    for (std::size_t i = 0; i < all.size(); i += statuses_at_once) {
        const auto from = all.begin() + static_cast<std::ptrdiff_t>(i);
        const auto count = std::min(statuses_at_once, all.size() - i);
        std::vector<northbound::SubDeviceStatus> part(from,
                                                      from + static_cast<std::ptrdiff_t>(count));
        const Result<void> told = co_await tell_statuses(parts, pulse, std::move(part));
        if (!told) co_return told;
        co_await hear_what_waits(parts);
    }
    co_return Result<void>();
}

// Connects, and says how every device is before any data follows.
asio::awaitable<Result<void>> connect(Parts& parts, Pulses::Pulse& pulse) {
    parts.requests.answers().close();
    const std::function<void()> alive = [&] { pulse.beat(); };
    const Result<void> connected = co_await parts.cloud.connect(alive);
    if (!connected) co_return connected;
    const Result<void> answered = co_await send_answers_alone(parts, pulse);
    if (!answered) co_return answered;
    parts.requests.answers().open();
    parts.devices.connected();
    co_await hear_what_waits(parts);
    const Result<void> told = co_await tell_all_statuses(parts, pulse);
    if (!told) co_return told;
    parts.time_sync.connected();
    // Before the data: it may wait for the answer.
    (void)co_await ask_time(parts, pulse);
    parts.outbox.mark_backlog();
    parts.suspicion.connected(Event::Clock::now());
    tell_lesson(parts);
    parts.uplink.open(system_clock_now());
    parts.safe_writes.link(true);
    log::notice("connected", {{"endpoint", parts.site->config.platform.host}});
    co_return told;
}

asio::awaitable<Error> watch_link(Parts& parts, Pulses::Pulse& pulse) {
    for (;;) {
        const Result<northbound::Downlink> came = co_await parts.cloud.next(turn);
        pulse.beat();
        if (came)
            hear(parts, *came);
        else if (came.error().code != Errc::timeout)
            co_return came.error();
    }
}

// The link may be lost for what we have sent, and not for a twin of ours.
bool is_explained(const Parts& parts) {
    return parts.sizes.suspected() || parts.requests.answers().suspected();
}

// Not before another road, if there is one meanwhile.
asio::awaitable<void> pause_before_connect(Parts& parts, Pulses::Pulse& pulse, std::uint64_t road,
                                           std::chrono::milliseconds wait) {
    const auto until = Event::Clock::now() + wait;
    while (road == parts.cloud.number() && Event::Clock::now() < until) {
        pulse.beat();
        co_await parts.cloud.replaced(std::min(until, Event::Clock::now() + turn));
    }
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
        timer.expires_at(std::min(ready, Event::Clock::now() + turn));
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

asio::awaitable<void> stay_connected(Parts& parts) {
    auto& pulse = parts.pulses.add("connect");
    std::minstd_rand chance{std::random_device()()};
    std::uniform_real_distribution<double> uniform(0, 1);
    std::uint64_t road = parts.cloud.number();
    northbound::Reconnect pace(parts.site->config.platform.reconnect);
    co_await pause_before_connect(parts, pulse, road, pace.start(uniform(chance)));
    for (;;) {
        pulse.beat();
        if (std::exchange(road, parts.cloud.number()) != parts.cloud.number())
            pace = northbound::Reconnect(parts.site->config.platform.reconnect);
        const Result<void> connected = co_await connect(parts, pulse);
        northbound::Reconnect::Pause pause;
        if (connected) {
            pace.connected(Event::Clock::now());
            const Error lost = co_await watch_link(parts, pulse);
            parts.uplink.close(lost.what, system_clock_now());
            parts.safe_writes.link(false);
            log::warning("connection lost", {{"why", lost.what}});
            pause = pace.lost(Event::Clock::now(), uniform(chance), is_explained(parts));
        } else {
            if (parts.uplink.why() != connected.error().what)
                log::warning("not connected", {{"why", connected.error().what}});
            parts.uplink.close(connected.error().what, system_clock_now());
            pause = pace.failed(connected.error(), uniform(chance), is_explained(parts));
            // The platform takes it for delivered, all of it. Nothing more comes.
            co_await hear_what_waits(parts, std::numeric_limits<std::size_t>::max());
        }
        if (pause.twin)
            log::warning("connections are lost at once: does another client use this device id?");
        co_await pause_before_connect(parts, pulse, road, pause.wait);
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
