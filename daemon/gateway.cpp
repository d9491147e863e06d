#include "daemon/gateway.h"

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "base/log.h"
#include "daemon/build_date.h"
#include "daemon/clock.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

std::vector<std::string> device_ids(const Config& config) {
    std::vector<std::string> ids;
    for (const DeviceConfig& device : config.devices) ids.push_back(device.device_id);
    return ids;
}

std::string endpoint(const northbound::PlatformSettings& platform) {
    return platform.host + ":" + std::to_string(platform.port);
}

}  // namespace

// The gateway itself is the last device of the mapping.
std::vector<Mapping::Device> Gateway::mapped(const Config& config) {
    std::vector<Mapping::Device> devices;
    for (const DeviceConfig& device : config.devices)
        devices.push_back(
            {device.name, device.device_id, config.templates[device.device_template].points});
    if (config.gateway_template)
        devices.push_back({"gateway", config.platform.device_id,
                           config.templates[*config.gateway_template].points});
    return devices;
}

std::vector<std::size_t> Gateway::point_counts(const Config& config) {
    std::vector<std::size_t> counts;
    for (const Mapping::Device& device : mapped(config)) counts.push_back(device.points->size());
    return counts;
}

Gateway::Gateway(const asio::any_io_executor& loop, Config config)
    : loop_(loop),
      config_(std::move(config)),
      started_(Pulses::Clock::now()),
      clock_(build_date()),
      mapping_(mapped(config_), series_),
      devices_(loop, device_ids(config_)),
      uplink_(loop, system_clock_now()),
      outbox_(loop, config_.store, series_, boot_id(), build_date()),
      control_store_(loop, config_.store.path, config_.store.commit),
      latest_(point_counts(config_)),
      requests_(loop, config_, clock_, control_store_),
      pacer_(config_.platform.limits),
      sizes_(config_.platform.limits.payload_bytes),
      goodput_(config_.platform.limits),
      suspicion_(sizes_),
      cloud_(loop, config_.platform, pacer_, sizes_, goodput_, [this] { return judged_time(); }),
      control_(loop, "\n",
               [this](const std::string& question) { return answer_control(question); }),
      metrics_(loop, "\r\n\r\n",
               [this](const std::string& question) { return answer_http(question); }),
      deliveries_(loop),
      timers_(loop),
      log_level_(loop),
      flows_(loop),
      closing_(loop),
      parts_{
          config_,     series_, clock_,    mapping_,       devices_,   outbox_,
          cloud_,      pacer_,  sizes_,    goodput_,       suspicion_, uplink_,
          time_sync_,  latest_, requests_, control_store_, buses_,     [this] { return status(); },
          deliveries_, timers_, pulses_,   log_level_} {
    for (std::size_t i = 0; i < config_.buses.size(); ++i)
        buses_.push_back(
            std::make_unique<southbound::Bus>(loop, config_.buses[i], devices_of(config_, i)));
}

Gateway::~Gateway() = default;

// Polling matters more than being asked about it.
void Gateway::listen() {
    const auto tell = [](const char* key, const Result<void>& listening) {
        if (!listening)
            log::warning("nobody can ask", {{"key", key}, {"why", listening.error().what}});
    };
    tell("local.control", control_.listen_local(config_.local.control));
    if (const auto& at = config_.local.metrics)
        tell("local.metrics", metrics_.listen_tcp(at->host, at->port));
}

Result<void> Gateway::start() {
    if (clock_.observe(Pulses::Clock::now(), system_clock_now(), system_clock_synchronised()))
        outbox_.restamp(clock_.offset());
    const Result<void> locked = outbox_.open();
    if (!locked) return locked;
    control_store_.open();
    listen();
    flows_.spawn("keep_time", keep_time(parts_));
    for (auto& bus : buses_) flows_.spawn("collect " + bus->name(), collect(parts_, *bus));
    for (std::size_t i = 0; i < buses_.size(); ++i)
        flows_.spawn("obey " + buses_[i]->name(), obey(parts_, *buses_[i], requests_.orders(i)));
    if (config_.gateway_template) {
        flows_.spawn("report_self", report_self());
        flows_.spawn("obey_own", obey_own(parts_, requests_.orders(buses_.size())));
    }
    flows_.spawn("fail_safe", fail_safe(parts_));
    flows_.spawn("reply", reply(parts_));
    flows_.spawn("connect", connect());
    flows_.spawn("upload", upload(parts_));
    flows_.spawn("notify", notify(parts_));
    flows_.spawn("refresh", refresh(parts_));
    if (control_.listening()) flows_.spawn("control", control_.serve(pulses_.add("control")));
    if (metrics_.listening()) flows_.spawn("metrics", metrics_.serve(pulses_.add("metrics")));
    return {};
}

asio::awaitable<bool> Gateway::stop() {
    const Instant end = Pulses::Clock::now() + 4500ms;
    // A worker may hold a flow: on a serial line, or on a disk that stalls. It is left behind.
    const bool unwound = co_await flows_.stop(Pulses::Clock::now() + 1s);
    if (!unwound) log::warning("a wire or a disk holds a flow");
    // What is under way may still be acknowledged: a duplicate less after the next start.
    co_await deliveries_.ended(Pulses::Clock::now() + 1s);
    co_await deliveries_.stop();
    co_await timers_.stop();
    co_await control_.stop();
    co_await metrics_.stop();
    store_all();
    deliveries_.spawn("goodbye", say_goodbye());
    const bool told = co_await deliveries_.ended(Pulses::Clock::now() + 1500ms);
    if (!told) log::warning("devices not reported offline", {{"why", "no PUBACK in time"}});
    co_await deliveries_.stop();
    deliveries_.spawn("disconnect", cloud_.disconnect());
    co_await deliveries_.ended(end);
    const bool closed = co_await closing_.ended(end);
    co_return all_stored(closed);
}

// At the same time: one of them may be in the middle of a rescue.
void Gateway::store_all() {
    requests_.audit_counts(Instant::max());
    closing_.spawn("control store", control_store_.close());
    closing_.spawn("store", outbox_.close());
}

asio::awaitable<void> Gateway::say_goodbye() {
    if (!cloud_.session().up()) co_return;  // connected, and they may have been told already
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

asio::awaitable<void> Gateway::report_self() {
    auto& pulse = pulses_.add("report_self");
    const auto self = static_cast<DeviceIndex>(config_.devices.size());
    SelfReport report(config_.templates[*config_.gateway_template], self, Pulses::Clock::now());
    asio::steady_timer timer(loop_);
    std::vector<Record> records;
    for (;;) {
        pulse.beat();
        timer.expires_at(std::min(report.next_due(), Pulses::Clock::now() + 10s));
        co_await timer.async_wait(asio::use_awaitable);
        const Readings readings = report.due(Pulses::Clock::now(), status());
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
    status.config_hash = config_.hash;
    status.uptime =
        std::chrono::duration_cast<std::chrono::seconds>(Pulses::Clock::now() - started_);
    status.link.up = uplink_.is_open();
    status.link.endpoint = endpoint(config_.platform);
    status.link.since = uplink_.since();
    status.link.why = uplink_.why();
    status.link.reconnects = uplink_.reconnects();
    status.link.in_flight = uplink_.in_flight();
    status.link.payload_bytes = sizes_.bytes();
    status.link.goodput = goodput_.bytes_per_second();
    status.link.window_bytes = goodput_.window_bytes();
    status.link.dropped = cloud_.session().messages_dropped();
    status.link.unanswered = cloud_.session().urgent_refused() + requests_.answers().given_up();
    status.link.passed_over = cloud_.passed_over();
    status.link.certificate = cloud_.certificate();
    status.clock.proven = clock_.proven();
    status.clock.held = clock_.held(Pulses::Clock::now(), config_.require_sync);
    status.clock.system_off = system_clock_now() - clock_.stamp(Pulses::Clock::now()).at;
    status.clock.round_trip = time_sync_.round_trip();
    status.store = outbox_.status();
    status.mapping = mapping_.counters();
    status.requests = requests_.counters();
    status.requests_late = requests_.answers().late();
    status.devices.resize(config_.devices.size());
    for (const auto& bus : buses_) {
        status.buses.push_back({bus->name(), bus->status()});
        for (const southbound::DeviceHealth& health : status.buses.back().now.devices) {
            const DeviceConfig& device = config_.devices[health.index];
            status.devices[health.index] = {device.name,
                                            device.device_id,
                                            bus->name(),
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

std::string Gateway::answer_control(const std::string& question) const {
    if (question == "status") return status_json(status()) + "\n";
    return R"({"error":"unknown question; known: status"})"
           "\n";
}

std::string Gateway::answer_http(const std::string& question) const {
    const auto response = [](std::string_view line, const std::string& body) {
        return "HTTP/1.1 " + std::string(line) +
               "\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: "
               "close\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    };
    if (question.starts_with("GET /metrics ")) return response("200 OK", status_metrics(status()));
    return response("404 Not Found", "only GET /metrics is here\n");
}

}  // namespace fieldgate
