#include "daemon/gateway.h"

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "base/expect.h"
#include "base/log.h"
#include "daemon/build_date.h"
#include "daemon/clock.h"
#include "daemon/connection.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

SitePtr first_site(Config config, DeviceTable& table) {
    const Result<SitePtr> site = make_site(std::move(config), table);
    expect(site.has_value(), "a first site that fits an empty table: the reader has counted");
    return *site;
}

std::string endpoint(const northbound::PlatformSettings& platform) {
    return platform.host + ":" + std::to_string(platform.port);
}

}  // namespace

Orders* Gateway::orders_of(const std::string& bus) {
    if (bus.empty()) return &own_orders_;
    Line* const line = plant_.find(bus);
    return line ? &line->orders() : nullptr;
}

void Gateway::put(const Site& site, DeviceIndex device) {
    const Directory& directory = site.directory;
    const DeviceConfig* const configured = directory.config_of(device);
    const std::shared_ptr<const std::vector<Point>> points = directory.template_of(device).points;
    latest_.put(directory.ref(device), points->size());
    if (!configured) {
        mapping_.put(directory.ref(device), {"gateway", site.config.platform.device_id, points});
        return;
    }
    mapping_.put(directory.ref(device), {configured->name, configured->device_id, points});
    devices_.put(device, configured->device_id);
}

Gateway::Gateway(const asio::any_io_executor& loop, std::string main_file, Config config,
                 std::size_t does_not_load)
    : loop_(loop),
      site_(first_site(std::move(config), device_table_)),
      does_not_load_(does_not_load),
      started_(Pulses::Clock::now()),
      clock_(build_date()),
      mapping_(series_),
      devices_(loop),
      farewells_(loop, site_->config.store.path + "/" + Farewells::file_name, devices_,
                 device_table_),
      uplink_(loop, system_clock_now()),
      outbox_(loop, site_->config.store, series_, boot_id(), build_date()),
      control_store_(loop, site_->config.store.path, site_->config.store.commit),
      plant_(loop),
      lessons_(loop, control_store_.learned(), clock_, plant_, site_),
      own_orders_(loop),
      safe_writes_(loop, site_->config.store.path + "/" + storage::outage_file),
      requests_(loop, site_, clock_, control_store_,
                [this](const std::string& bus) { return orders_of(bus); }),
      pacer_(site_->config.platform.limits),
      sizes_(site_->config.platform.limits.payload_bytes),
      goodput_(site_->config.platform.limits),
      suspicion_(sizes_),
      cloud_(loop, {pacer_, sizes_, goodput_, [this] { return judged_time(); }}, site_),
      keeper_(loop, std::move(main_file), device_table_, site_,
              [this](SitePtr site, const SiteChange& change) {
                  return apply(std::move(site), change);
              }),
      control_(loop, "\n",
               [this](std::string question, std::optional<uid_t> user) {
                   return answer_control(std::move(question), user);
               }),
      metrics_(loop, "\r\n\r\n",
               [this](std::string question, std::optional<uid_t>) {
                   return answer_http(std::move(question));
               }),
      deliveries_(loop),
      timers_(loop),
      log_level_(loop),
      flows_(loop),
      closing_(loop),
      changes_(loop),
      parts_{site_,
             site_->config.store.durability,
             series_,
             clock_,
             mapping_,
             devices_,
             outbox_,
             cloud_,
             pacer_,
             sizes_,
             goodput_,
             suspicion_,
             uplink_,
             time_sync_,
             latest_,
             requests_,
             control_store_,
             plant_,
             lessons_,
             safe_writes_,
             [this] { return status(); },
             deliveries_,
             timers_,
             pulses_,
             log_level_,
             [this](std::string who) { return reload(std::move(who)); }} {
    for (std::size_t i = 0; i < site_->config.devices.size(); ++i)
        put(*site_, site_->directory.at(i).index);
    if (site_->config.gateway_template) put(*site_, DeviceTable::gateway);
    safe_writes_.serve(site_);
    for (std::size_t i = 0; i < site_->config.buses.size(); ++i) plant_.add(*site_, i);
}

Gateway::~Gateway() = default;

// Polling matters more than being asked about it.
void Gateway::listen() {
    const auto tell = [](const char* key, const Result<void>& listening) {
        if (!listening)
            log::warning("nobody can ask", {{"key", key}, {"why", listening.error().what}});
    };
    tell("local.control", control_.listen_local(site_->config.local.control));
    if (const auto& at = site_->config.local.metrics)
        tell("local.metrics", metrics_.listen_tcp(at->host, at->port));
}

Result<void> Gateway::start() {
    if (clock_.observe(Pulses::Clock::now(), system_clock_now(), system_clock_synchronised()))
        outbox_.restamp(clock_.offset());
    const Result<void> locked = outbox_.open();
    if (!locked) return locked;
    control_store_.open();
    listen();
    if (does_not_load_ == 0) changes_.spawn("keep", keeper_.keep());
    flows_.spawn("keep_time", keep_time(parts_));
    plant_.start(parts_);
    flows_.spawn("report_self", report_self());
    flows_.spawn("obey_own", obey_own(parts_, own_orders_));
    flows_.spawn("fail_safe", safe_writes_.write(parts_));
    flows_.spawn("outage", safe_writes_.remember());
    flows_.spawn("farewells", farewells_.keep());
    flows_.spawn("lessons", lessons_.keep());
    flows_.spawn("reply", reply(parts_));
    flows_.spawn("connect", connect());
    flows_.spawn("upload", upload(parts_));
    flows_.spawn("notify", notify(parts_));
    flows_.spawn("refresh", refresh(parts_));
    if (control_.listening()) flows_.spawn("control", control_.serve(pulses_.add("control")));
    if (metrics_.listening()) flows_.spawn("metrics", metrics_.serve(pulses_.add("metrics")));
    return {};
}

// A worker may hold a flow: on a serial line, or on a disk that stalls. It is left behind.
asio::awaitable<bool> Gateway::stop() {
    const Instant begin = Pulses::Clock::now();
    const Instant end = begin + 4500ms;
    stopping_ = true;  // no other site from now on
    co_await changes_.ended(begin + 1s);
    const bool still = co_await plant_.stop(parts_, "busy: the gateway stops", begin + 1s);
    co_await answer_what_is_owed(begin + 1500ms);
    const bool unwound = co_await flows_.stop(begin + 2s);
    if (!still || !unwound) log::warning("a wire or a disk holds a flow");
    // What is under way may still be acknowledged: a duplicate less after the next start.
    co_await deliveries_.ended(begin + 2s);
    co_await deliveries_.stop(begin + 2500ms);
    co_await timers_.stop();
    co_await control_.stop();
    co_await metrics_.stop();
    store_all();
    deliveries_.spawn("goodbye", say_goodbye());
    const bool told = co_await deliveries_.ended(begin + 4s);
    if (!told) log::warning("devices not reported offline", {{"why", "no PUBACK in time"}});
    co_await deliveries_.stop(end);
    deliveries_.spawn("disconnect", cloud_.disconnect());
    co_await deliveries_.ended(end);
    const bool closed = co_await closing_.ended(end);
    co_return all_stored(closed);
}

// Whoever asked hears what is known by now.
asio::awaitable<void> Gateway::answer_what_is_owed(Instant deadline) {
    Answers& answers = requests_.answers();
    answers.give_up_waiting();
    asio::steady_timer timer(loop_);
    while (uplink_.is_open() && answers.unsent() > 0 && Pulses::Clock::now() < deadline) {
        timer.expires_after(10ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// At the same time: one of them may be in the middle of a rescue.
void Gateway::store_all() {
    requests_.audit_counts(Instant::max());
    closing_.spawn("lessons", lessons_.keep_last());
    closing_.spawn("control store", control_store_.close());
    closing_.spawn("store", outbox_.close());
    closing_.spawn("outage", safe_writes_.remember_last());
    closing_.spawn("farewells", farewells_.keep_last());
}

asio::awaitable<void> Gateway::say_goodbye() {
    if (!cloud_.now().session().up()) co_return;  // connected, and they may have been told already
    const northbound::Announcement gone = northbound::StatusReport{devices_.all_offline()};
    const Result<void> told = co_await cloud_.tell(gone);
    if (!told) log::warning("devices not reported offline", {{"why", told.error().what}});
}

bool Gateway::all_stored(bool closed) const {
    const storage::OutboxStatus store = outbox_.status();
    const std::uint64_t records = store.buffered;
    const std::size_t notes = control_store_.waiting();
    // A store that is still being read may be left so: the disk stands it.
    if ((closed || !store.open) && records == 0 && notes == 0) return true;
    log::error(closed ? "not everything could be stored" : "the disk did not take it all in time",
               {{"records", std::to_string(records)}, {"notes", std::to_string(notes)}});
    return false;
}

// Whoever sees the gateway online may command it, and is not to hear at once that it is busy. And
// the outbox knows a time which certificates are judged by.
asio::awaitable<void> Gateway::connect() {
    const Instant until = Pulses::Clock::now() + 5s;
    co_await control_store_.opened(until);
    co_await outbox_.opened(until);
    co_await stay_connected(parts_);
}

// As the template says that the site has now, if it has one.
asio::awaitable<void> Gateway::report_self() {
    auto& pulse = pulses_.add("report_self");
    std::optional<SelfReport> report;
    SitePtr site;
    asio::steady_timer timer(loop_);
    std::vector<Record> records;
    for (;;) {
        pulse.beat();
        const Instant now = Pulses::Clock::now();
        if (site != site_) {
            site = site_;
            report.reset();
            if (site->config.gateway_template)
                report.emplace(site->directory.template_of(DeviceTable::gateway),
                               site->directory.ref(DeviceTable::gateway), now);
        }
        const Instant next = report ? report->next_due() : now + 1s;
        timer.expires_at(std::min(next, now + longest_wait));
        co_await timer.async_wait(asio::use_awaitable);
        if (!report || site != site_) continue;
        const Readings readings = report->due(Pulses::Clock::now(), status());
        records.clear();
        mapping_.map(readings, clock_, records);
        outbox_.append(records);
    }
}

// For certificates, logins and events. The store may have been read since the clock was last seen
// to.
JudgedTime Gateway::judged_time() {
    const std::optional<Utc> last = outbox_.proven_time();
    if (last && !clock_.proven()) clock_.remember(*last);
    return clock_.judged(Pulses::Clock::now(), system_clock_now());
}

Status Gateway::status() const {
    Status status;
    status.version = FIELDGATE_VERSION;
    status.config_hash = site_->config.hash;
    status.does_not_load = does_not_load_;
    status.uptime =
        std::chrono::duration_cast<std::chrono::seconds>(Pulses::Clock::now() - started_);
    status.link.up = uplink_.is_open();
    status.link.endpoint = endpoint(site_->config.platform);
    status.link.since = uplink_.since();
    status.link.why = uplink_.why();
    status.link.reconnects = uplink_.reconnects();
    status.link.in_flight = uplink_.in_flight();
    status.link.payload_bytes = sizes_.bytes();
    status.link.goodput = goodput_.bytes_per_second();
    status.link.window_bytes = goodput_.window_bytes();
    status.link.dropped = cloud_.now().session().messages_dropped();
    status.link.unanswered =
        cloud_.now().session().urgent_refused() + requests_.answers().given_up();
    status.link.passed_over = cloud_.now().passed_over();
    status.link.certificate = cloud_.now().certificate();
    status.clock.proven = clock_.proven();
    status.clock.held = clock_.held(Pulses::Clock::now(), site_->config.require_sync);
    status.clock.system_off = system_clock_now() - clock_.stamp(Pulses::Clock::now()).at;
    status.clock.round_trip = time_sync_.round_trip();
    status.store = outbox_.status();
    status.mapping = mapping_.counters();
    status.requests = requests_.counters();
    status.requests_late = requests_.answers().late();
    status.devices.resize(site_->config.devices.size());
    for (const southbound::BusSettings& configured : site_->config.buses) {
        const Line* const line = plant_.find(configured.name);
        if (!line) continue;
        status.buses.push_back({line->name(), line->bus().status()});
        for (const southbound::DeviceHealth& health : status.buses.back().now.devices) {
            const std::optional<std::size_t> place = site_->directory.position(health.index);
            if (!place) continue;
            const DeviceConfig& device = site_->config.devices[*place];
            status.devices[*place] = {device.name,
                                      device.device_id,
                                      line->name(),
                                      devices_.status(health.index),
                                      devices_.platform(health.index),
                                      health};
        }
    }
    return status;
}

std::string Gateway::stuck(Pulses::Clock::duration limit) const {
    if (Pulses::Clock::now() - outbox_.status().turned > limit) return "outbox";
    if (Pulses::Clock::now() - control_store_.turned() > limit) return "control store";
    const Pulses::Pulse* pulse = pulses_.stuck(Pulses::Clock::now(), limit);
    return pulse ? pulse->name() : std::string();
}

asio::awaitable<std::string> Gateway::answer_control(std::string question,
                                                     std::optional<uid_t> user) {
    if (question == "status") co_return status_json(status()) + "\n";
    if (question == "reload") {
        const std::string who = user ? "uid " + std::to_string(*user) : "somebody";
        const SiteKeeper::Report report = co_await reload(who);
        co_return report_json(report) + "\n";
    }
    co_return R"({"error":"unknown question; known: status, reload"})"
              "\n";
}

asio::awaitable<std::string> Gateway::answer_http(std::string question) const {
    const auto response = [](std::string_view line, const std::string& body) {
        return "HTTP/1.1 " + std::string(line) +
               "\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: "
               "close\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    };
    const bool known = question.starts_with("GET /metrics ");
    co_return known ? response("200 OK", status_metrics(status()))
                    : response("404 Not Found", "only GET /metrics is here\n");
}

}  // namespace fieldgate
