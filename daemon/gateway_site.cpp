// How a running gateway becomes another site's.
#include <algorithm>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "base/log.h"
#include "daemon/gateway.h"

using namespace std::chrono_literals;

namespace fieldgate {

struct Gateway::Reloading {
    Reloading(const asio::any_io_executor& loop, std::string its_who)
        : who(std::move(its_who)), changed(loop) {}
    std::string who;
    Event changed;
    std::optional<SiteKeeper::Report> report;
};

// Whoever asks may hang up; half a change is none.
asio::awaitable<SiteKeeper::Report> Gateway::reload(std::string who) {
    const auto reloading = std::make_shared<Reloading>(loop_, std::move(who));
    changes_.spawn("reload", reload_apart(reloading));
    while (!reloading->report)
        (void)co_await reloading->changed.wait_until(Event::Clock::now() + longest_wait);
    co_return *reloading->report;
}

asio::awaitable<void> Gateway::reload_apart(std::shared_ptr<Reloading> reloading) {
    SiteKeeper::Report report = co_await keeper_.reload();
    note(report, reloading->who);
    reloading->report = std::move(report);
    reloading->changed.notify();
}

void Gateway::note(const SiteKeeper::Report& report, const std::string& who) {
    const std::size_t errors = error_count(report.problems);
    if (errors > 0 || report.exit == Exit::configuration)
        does_not_load_ = std::max<std::size_t>(1, errors);
    for (const Problem& problem : report.problems)
        if (problem.severity == Problem::Severity::error)
            log::error("configuration not taken over", {{"problem", describe_briefly(problem)}});
    for (const std::string& line : report.changes) log::notice("site changed", {{"what", line}});
    for (const std::string& line : report.failures) log::error("not applied", {{"what", line}});
    for (const std::string& line : report.remarks)
        log::warning("to be known of the configuration", {{"what", line}});
    if (report.exit == Exit::well && report.changes.empty())
        log::notice("configuration read again: nothing has changed");
    storage::AuditEntry entry;
    entry.who = storage::AuditEntry::Who::local;
    entry.what = "reload";
    entry.target = "gateway";
    entry.detail = who;
    for (const std::string& line : report.changes) entry.detail += "; " + line;
    entry.result = report.exit == Exit::well            ? "done"
                   : report.exit == Exit::configuration ? "refused: the files have errors"
                                                        : "not all of it could be applied";
    requests_.audit(std::move(entry));
}

// Nobody begins on what is gone, then nobody is asked about it, then it is forgotten; what is new
// is known before it says anything. Lines that are not named are not touched.
asio::awaitable<std::vector<std::string>> Gateway::apply(SitePtr site, const SiteChange& change) {
    std::vector<std::string> failures;
    if (!stopping_) failures = co_await plant_.retire(change, parts_);
    if (stopping_) failures.emplace_back("the gateway stops");
    if (stopping_) co_return failures;
    const SitePtr before = std::exchange(site_, site);
    does_not_load_ = 0;
    requests_.serve(site_);
    apply_devices(*before, change);
    plant_.renew(change, *site_, parts_);
    for (const SiteChange::Redeviced& bus : change.redeviced)
        if (Line* const line = plant_.find(bus.bus)) lessons_.teach(line->bus());
    safe_writes_.serve(site_);
    parts_.plan.clear();
    if (change.platform) apply_platform();
    co_return failures;
}

void Gateway::apply_devices(const Site& before, const SiteChange& change) {
    for (const DeviceIndex device : change.gone) {
        mapping_.drop(device);
        latest_.drop(device);
        if (before.directory.position(device)) devices_.drop(device);
    }
    for (const auto* devices : {&change.fresh, &change.remapped})
        for (const DeviceIndex device : *devices) put(*site_, device);
}

// What was learned of the old platform may not hold for the new one.
void Gateway::apply_platform() {
    const northbound::Limits& limits = site_->config.platform.limits;
    std::shared_ptr<Road::Mqtt> old = cloud_.replace(site_);
    pacer_ = northbound::Pacer(limits);
    sizes_ = northbound::PayloadLimit(limits.payload_bytes);
    goodput_ = northbound::Goodput(limits);
    suspicion_.forget();
    timers_.spawn("leave road", leave_road(std::move(old)));
}

// Its library's threads end in their own time: nobody waits for them on the loop.
asio::awaitable<void> Gateway::leave_road(std::shared_ptr<Road::Mqtt> old) {
    asio::steady_timer timer(loop_, 30s);
    co_await timer.async_wait(asio::use_awaitable);
    old.reset();
}

}  // namespace fieldgate
