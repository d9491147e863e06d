#include "daemon/gate/safe_writes.h"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "daemon/flows.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

constexpr auto look_every = 1s;
constexpr auto memory_within = 5s;  // a disk that takes longer is not waited for

}  // namespace

void SafeWrites::serve(const SitePtr& site) {
    site_ = site;
    if (loss_) loss_->serve(site);
    wake_.notify();
}

bool SafeWrites::settled(const Order& order, bool sent, bool suspended) {
    const bool news = loss_->settled(order, sent, suspended, Event::Clock::now());
    wake_.notify();
    return news;
}

void SafeWrites::not_taken(const Order& order) {
    loss_->not_taken(order, Event::Clock::now());
    wake_.notify();
}

void SafeWrites::link(bool open) {
    if (!loss_) return;
    loss_->look(open, Event::Clock::now());
    wake_.notify();
}

void SafeWrites::online(DeviceIndex device) {
    if (!loss_) return;
    loss_->online(device);
    wake_.notify();
}

asio::awaitable<void> SafeWrites::write(Parts& parts) {
    Pulses::Local pulse(parts.pulses, "fail_safe");
    const Instant start = Event::Clock::now();
    while (!memory_ && Event::Clock::now() < start + memory_within)
        co_await wake_.wait_until(start + memory_within);
    loss_.emplace(memory_.value_or(storage::Outage()), start);
    loss_->serve(site_);
    for (;;) {
        pulse.beat();
        const Instant now = Event::Clock::now();
        loss_->look(parts.uplink.is_open(), now);
        for (Order& order : loss_->due(now)) {
            const DeviceConfig& device = *order.site->directory.config_of(order.device);
            Line* const line = parts.plant.find(order.site->config.buses[device.bus].name);
            if (line && line->orders().push(order)) continue;
            not_taken(order);
        }
        co_await wake_.wait_until(std::min(loss_->next(now), now + look_every));
    }
}

asio::awaitable<void> SafeWrites::remember() {
    memory_ = co_await worker_.run([this] { return storage::read_outage(file_); });
    wake_.notify();
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        timer.expires_after(look_every);
        co_await timer.async_wait(asio::use_awaitable);
        if (!loss_) continue;
        const std::optional<storage::Outage> note = loss_->to_note(Event::Clock::now());
        if (note) co_await keep(*note);
    }
}

asio::awaitable<void> SafeWrites::remember_last() {
    if (!loss_) co_return;
    const std::optional<storage::Outage> note = loss_->to_note(Event::Clock::now(), true);
    if (note) co_await keep(*note);
}

asio::awaitable<void> SafeWrites::keep(storage::Outage outage) {
    (void)co_await worker_.run([&] {
        storage::keep_outage(file_, outage);
        return true;
    });
}

}  // namespace fieldgate
