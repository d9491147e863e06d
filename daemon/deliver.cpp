#include "daemon/deliver.h"

#include <algorithm>
#include <asio/this_coro.hpp>
#include <memory>
#include <optional>

#include "base/log.h"
#include "daemon/clock.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

void quarantine(Parts& parts, const northbound::Parcel& parcel, const storage::Lease& lease,
                const std::string& why) {
    const std::string& first =
        parts.series[parcel.devices().front().entries.front().series].device_id;
    log::error("records refused",
               {{"records", std::to_string(lease.records)}, {"device", first}, {"why", why}});
    parts.suspicion.settled(parcel);
    parts.outbox.quarantine(lease, why);
}

struct Told {
    explicit Told(const asio::any_io_executor& loop) : changed(loop) {}
    Event changed;
    std::optional<Result<void>> answer;
};

asio::awaitable<void> tell_apart(Parts& parts, northbound::Announcement what,
                                 std::shared_ptr<Told> told) {
    const Result<void> answer = co_await parts.cloud.tell(what);
    told->answer = answer;
    told->changed.notify();
}

// Lets as many messages through as are asked for: innocent ones, what the platform knows anyway,
// and without devices the question for the time.
asio::awaitable<bool> others_get_through(Parts& parts, Pulses::Pulse& pulse, int count) {
    for (int i = 0; i < count; ++i) {
        std::vector<northbound::SubDeviceStatus> all = parts.devices.all();
        Result<void> told;
        if (all.empty())
            told = co_await ask_time(parts, pulse);
        else
            told = co_await tell_statuses(parts, pulse, std::move(all));
        if (!told) co_return false;
    }
    co_return true;
}

// Until it is acknowledged, or its link is gone. A broker that ignores it answers what is sent
// behind it, again and again, and one that hangs does not: the question for the time, which is
// small, and urgent, or it would wait for the very PUBACK that does not come (Goodput).
asio::awaitable<void> await_the_one_on_trial(Parts& parts, Pulses::Pulse& pulse) {
    Instant follow = Event::Clock::now() + northbound::Suspicion::prompt;
    while (parts.uplink.in_flight() > 0) {
        pulse.beat();
        const Instant until = std::min(follow, Event::Clock::now() + longest_wait);
        co_await parts.uplink.turned(until);
        if (parts.uplink.in_flight() == 0 || Event::Clock::now() < follow) continue;
        (void)co_await ask_time(parts, pulse);
        follow = Event::Clock::now() + northbound::Suspicion::prompt;
    }
}

}  // namespace

asio::awaitable<Result<void>> tell(Parts& parts, Pulses::Pulse& pulse,
                                   northbound::Announcement what) {
    const asio::any_io_executor loop = co_await asio::this_coro::executor;
    const auto told = std::make_shared<Told>(loop);
    parts.deliveries.spawn("tell", tell_apart(parts, std::move(what), told));
    while (!told->answer) {
        pulse.beat();
        (void)co_await told->changed.wait_until(Event::Clock::now() + longest_wait);
    }
    pulse.beat();
    co_return *told->answer;
}

asio::awaitable<Result<void>> tell_statuses(Parts& parts, Pulses::Pulse& pulse,
                                            std::vector<northbound::SubDeviceStatus> statuses) {
    for (std::size_t i = 0; i < statuses.size(); i += statuses_at_once) {
        const auto from = statuses.begin() + static_cast<std::ptrdiff_t>(i);
        const auto count = std::min(statuses_at_once, statuses.size() - i);
        const std::vector<northbound::SubDeviceStatus> part(
            from, from + static_cast<std::ptrdiff_t>(count));
        const std::string event_id = parts.devices.ask(part, Event::Clock::now());
        northbound::Announcement report = northbound::StatusReport{part, event_id};
        const std::uint64_t link = parts.uplink.link();
        const Result<void> told = co_await tell(parts, pulse, std::move(report));
        if (!told) {
            parts.devices.lost(event_id);
            parts.uplink.failed(link, told.error().what, system_clock_now());
            co_return told;
        }
        parts.devices.acknowledged(event_id, Event::Clock::now());
    }
    pulse.beat();
    co_return Result<void>();
}

asio::awaitable<Result<void>> ask_time(Parts& parts, Pulses::Pulse& pulse) {
    northbound::Announcement question =
        parts.time_sync.ask(Event::Clock::now(), system_clock_now());
    const std::uint64_t link = parts.uplink.link();
    const Result<void> told = co_await tell(parts, pulse, std::move(question));
    if (!told) parts.uplink.failed(link, told.error().what, system_clock_now());
    co_return told;
}

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

asio::awaitable<void> deliver(Parts& parts, northbound::Parcel parcel, storage::Lease lease) {
    const std::uint64_t link = parts.uplink.link();
    const Result<void> sent = co_await parts.cloud.publish(parcel);
    parts.uplink.settled(parcel.payload_bytes());
    if (sent) {
        parts.suspicion.acknowledged(parcel);
        parts.outbox.remove(lease);
    } else if (sent.error().code == Errc::refused) {
        quarantine(parts, parcel, lease, sent.error().what);
    } else {
        // Taken again at once, it would fail at once: first the link is gone, then the lease is
        // back.
        parts.uplink.failed(link, sent.error().what, system_clock_now());
        parts.suspicion.failed(parcel, Event::Clock::now(), sent.error().code == Errc::timeout);
        parts.outbox.release(lease);
    }
}

asio::awaitable<void> put_to_trial(Parts& parts, Pulses::Pulse& pulse, northbound::Parcel parcel,
                                   storage::Lease lease) {
    std::optional<northbound::Suspicion::Trial> trial = parts.suspicion.trial(parcel);
    for (;;) {
        pulse.beat();
        const Instant now = Event::Clock::now();
        if (!trial || !parts.uplink.is_open()) co_return parts.outbox.release(lease);
        if (now >= trial->not_before && parts.uplink.in_flight() == 0) break;
        const Instant begin = now < trial->not_before ? trial->not_before : Instant::max();
        co_await parts.uplink.turned(std::min(begin, now + longest_wait));
        trial = parts.suspicion.trial(parcel);
    }
    const bool through = co_await others_get_through(parts, pulse, trial->others);
    if (!through) co_return parts.outbox.release(lease);
    if (trial->guilty) {
        // Of what it says, and perhaps not of its size: then others died of it, too.
        if (parts.sizes.taken_once(parcel.payload_bytes())) parts.sizes.doubt();
        co_return quarantine(parts, parcel, lease,
                             "the platform closes the connection whenever it is sent, or never "
                             "acknowledges it");
    }
    parts.suspicion.tried(parcel, Event::Clock::now());
    parts.uplink.sent(parcel.payload_bytes());
    parts.deliveries.spawn("deliver", deliver(parts, std::move(parcel), lease));
    co_await await_the_one_on_trial(parts, pulse);
}

}  // namespace fieldgate
