#pragma once
#include <asio/awaitable.hpp>

#include "base/pulse.h"
#include "base/task_group.h"
#include "daemon/config.h"
#include "daemon/gate/requests.h"
#include "daemon/gate/safe_writes.h"
#include "daemon/local/status.h"
#include "daemon/log_level.h"
#include "daemon/site/devices.h"
#include "daemon/site/latest.h"
#include "daemon/site/lesson_book.h"
#include "daemon/site/plant.h"
#include "daemon/site/road.h"
#include "daemon/site/site_keeper.h"
#include "daemon/uplink.h"
#include "model/event_time.h"
#include "model/mapping.h"
#include "northbound/cloud.h"
#include "northbound/goodput.h"
#include "northbound/pacer.h"
#include "northbound/payload_limit.h"
#include "northbound/suspicion.h"
#include "northbound/time_sync.h"
#include "southbound/bus.h"
#include "storage/control_store.h"
#include "storage/outbox.h"

namespace fieldgate {

/// What the flows work on. Gateway owns all of it and outlives them.
struct Parts {
    const SitePtr& site;             ///< Of now: who waits holds his own.
    storage::Durability durability;  ///< As the store was opened with.
    SeriesTable& series;
    EventClock& clock;
    Mapping& mapping;
    Devices& devices;
    storage::Outbox& outbox;
    Road& cloud;
    northbound::Pacer& pacer;
    northbound::PayloadLimit& sizes;
    northbound::Goodput& goodput;
    northbound::Suspicion& suspicion;
    Uplink& uplink;
    northbound::TimeSync& time_sync;
    Latest& latest;
    Requests& requests;
    storage::ControlStore& control;
    Plant& plant;
    LessonBook& lessons;
    SafeWrites& safe_writes;
    std::function<Status()> status;
    TaskGroup& deliveries;
    TaskGroup& timers;  ///< What ends by itself, or when we do.
    Pulses& pulses;
    LogLevel& log_level;
    std::function<asio::awaitable<SiteKeeper::Report>(std::string who)> reload;
    std::string plan{};  ///< As GET_PLAN tells it, once somebody has asked.
};

// Each flow runs until it is cancelled, on the loop, and cuts its waits to 10 s (base/pulse.h).

/// Wire to disk; one for each bus.
asio::awaitable<void> collect(Parts& parts, southbound::Bus& bus);

/// Disk to cloud. A record leaves the disk only after the platform has acknowledged it, so the
/// platform may see one twice and never misses one.
asio::awaitable<void> upload(Parts& parts);

/// Tells the platform when a device has come or gone.
asio::awaitable<void> notify(Parts& parts);

/// After a replay the platform's shadow shows the past: lets every point say what it is now.
asio::awaitable<void> refresh(Parts& parts);

/// Cloud to wire: carries out what was asked of the devices of one bus, one after the other, each
/// write at most once.
asio::awaitable<void> obey(Parts& parts, southbound::Bus& bus, Orders& orders);

/// Answers what the gateway is asked about itself, and obeys its own commands.
asio::awaitable<void> obey_own(Parts& parts, Orders& orders);

/// Sends the answers to what the platform has asked.
asio::awaitable<void> reply(Parts& parts);

/// Keeps event times true to the best clock there is; asks the platform for its own.
asio::awaitable<void> keep_time(Parts& parts);

}  // namespace fieldgate
