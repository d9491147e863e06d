#include "daemon/connection.h"

#include <asio/this_coro.hpp>
#include <limits>
#include <memory>
#include <optional>
#include <random>

#include "base/log.h"
#include "daemon/clock.h"
#include "daemon/deliver.h"
#include "daemon/notices.h"
#include "northbound/reconnect.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

constexpr std::size_t heard_at_once = 100;  // between two steps of a greeting

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
            (void)co_await sent->changed.wait_until(Event::Clock::now() + longest_wait);
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

// Data with a guess of the time could carry the very time that a later record is put right to. So
// it waits for the platform's word, as long as that can prove anything.
asio::awaitable<Result<void>> await_time(Parts& parts, Pulses::Pulse& pulse) {
    const Instant until = Event::Clock::now() + northbound::TimeSync::round_trip_max;
    while (!parts.clock.proven() && Event::Clock::now() < until) {
        pulse.beat();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Event::Clock::now());
        const Result<northbound::Downlink> came = co_await parts.cloud.next(left);
        if (came)
            hear(parts, *came);
        else if (came.error().code != Errc::timeout)
            co_return came.error();
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
    (void)co_await ask_time(parts, pulse);
    const Result<void> kept = co_await await_time(parts, pulse);
    if (!kept) co_return kept;
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
        const Result<northbound::Downlink> came = co_await parts.cloud.next(longest_wait);
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
        co_await parts.cloud.replaced(std::min(until, Event::Clock::now() + longest_wait));
    }
}

}  // namespace

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

}  // namespace fieldgate
