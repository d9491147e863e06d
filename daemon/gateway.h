#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include "base/pulse.h"
#include "base/task_group.h"
#include "daemon/flows.h"
#include "daemon/local/answering.h"
#include "daemon/local/status.h"
#include "daemon/self_report.h"
#include "daemon/site/farewells.h"
#include "daemon/site/lesson_book.h"
#include "daemon/site/plant.h"
#include "daemon/site/road.h"
#include "daemon/site/site.h"
#include "daemon/site/site_keeper.h"

namespace fieldgate {

/// One running gateway: owns every part, starts the flows, stops them. Runs on the loop.
class Gateway {
public:
    /// `main_file`: what `config` was read from, and will be again.
    /// `does_not_load`: so many problems the files have now, and `config` is the last good one; 0:
    /// they are what it was read from.
    Gateway(const asio::any_io_executor& loop, std::string main_file, Config config,
            std::size_t does_not_load = 0);
    ~Gateway();

    /// Locks the store and starts every flow; needs no network, and does not wait for the disk.
    /// Errors: busy (another fieldgate has this store; `detail` is its pid), io.
    Result<void> start();

    /// Ends the flows, stores everything, tells the platform that the devices are gone: within 5 s,
    /// whatever hangs. False if something is not stored, or nobody knows; the log says what.
    asio::awaitable<bool> stop();

    /// The site is what the files say from now on (SiteKeeper::reload), for `who` asked: logged,
    /// and in the audit. May be cancelled; the change itself goes on.
    asio::awaitable<SiteKeeper::Report> reload(std::string who);

    Status status() const;
    /// The flow that has not turned for `limit`; empty if all have.
    std::string stuck(Pulses::Clock::duration limit) const;

private:
    Orders* orders_of(const std::string& bus);
    void put(const Site& site, DeviceIndex device);
    asio::awaitable<std::string> answer_control(std::string question, std::optional<uid_t> user);
    asio::awaitable<std::string> answer_http(std::string question) const;
    asio::awaitable<std::vector<std::string>> apply(SitePtr site, const SiteChange& change);
    void apply_devices(const Site& before, const SiteChange& change);
    void apply_platform();
    asio::awaitable<void> leave_road(std::shared_ptr<Road::Mqtt> old);
    struct Reloading;
    asio::awaitable<void> reload_apart(std::shared_ptr<Reloading> reloading);
    void note(const SiteKeeper::Report& report, const std::string& who);
    void listen();
    asio::awaitable<void> answer_what_is_owed(Instant deadline);
    void store_all();
    asio::awaitable<void> say_goodbye();
    bool all_stored(bool closed) const;
    asio::awaitable<void> report_self();
    asio::awaitable<void> connect();
    JudgedTime judged_time();

    asio::any_io_executor loop_;
    DeviceTable device_table_;
    SitePtr site_;
    std::size_t does_not_load_;  // problems of the files, when they were last read
    const Instant started_;
    SeriesTable series_;
    EventClock clock_;
    Mapping mapping_;
    Devices devices_;
    Farewells farewells_;
    Uplink uplink_;
    northbound::TimeSync time_sync_;
    Pulses pulses_;
    storage::Outbox outbox_;
    storage::ControlStore control_store_;
    Latest latest_;
    Plant plant_;
    LessonBook lessons_;
    Orders own_orders_;
    SafeWrites safe_writes_;
    Requests requests_;
    northbound::Pacer pacer_;
    northbound::PayloadLimit sizes_;
    northbound::Goodput goodput_;
    northbound::Suspicion suspicion_;
    Road cloud_;
    SiteKeeper keeper_;
    AnsweringServer control_;
    AnsweringServer metrics_;
    TaskGroup deliveries_;
    TaskGroup timers_;
    LogLevel log_level_;
    TaskGroup flows_;
    TaskGroup closing_;
    TaskGroup changes_;  // of the site; never cancelled
    bool stopping_ = false;
    Parts parts_;
};

}  // namespace fieldgate
