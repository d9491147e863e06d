#include "daemon/run.h"

#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <thread>

#include "base/event.h"
#include "base/log.h"
#include "daemon/gateway.h"
#include "daemon/service.h"
#include "daemon/site/last_good.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

constexpr auto second_look = 1s;
constexpr auto stuck_after = 40s;  // four waits of 10 s; the unit's WatchdogSec is 60

std::string summary(const Status& status) {
    return std::string(status.link.up ? "connected" : "not connected") + ", " +
           std::to_string(status.count(DeviceStatus::online)) + " of " +
           std::to_string(status.devices.size()) + " devices online, " +
           std::to_string(status.store.books.pending) + " records pending" +
           (status.store.open ? "" : ", the store is not open yet");
}

// Tells systemd that we live, as long as every flow turns.
asio::awaitable<void> watch(Gateway& gateway) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const auto asked = service::watchdog();
    const auto pause = asked ? std::min<std::chrono::microseconds>(*asked / 4, 10s) : 10s;
    std::string stuck_before;
    for (;;) {
        const std::string stuck = gateway.stuck(stuck_after);
        if (stuck.empty()) {
            service::alive();
            service::status(summary(gateway.status()));
        } else if (stuck != stuck_before) {
            log::error("flow stuck, no more watchdog pings", {{"flow", stuck}});
        }
        stuck_before = stuck;
        timer.expires_after(pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// A worker may still hang in a DNS lookup or on a dead disk: nothing waits for it.
[[noreturn]] void leave(Exit exit) {
    std::fflush(nullptr);
    ::_exit(static_cast<int>(exit));
}

// As `fieldgate reload`: the terminal that hangs up is no reason to end.
asio::awaitable<void> reload_on_hangup(Gateway& gateway, asio::signal_set& hangup) {
    for (;;) {
        co_await hangup.async_wait(asio::use_awaitable);
        (void)co_await gateway.reload("SIGHUP");
    }
}

// From the first log line to the last.
asio::awaitable<Exit> live(Gateway& gateway) {
    const auto loop = co_await asio::this_coro::executor;
    asio::signal_set signals(loop, SIGTERM, SIGINT);
    Event asked_to_stop(loop);
    signals.async_wait([&](const std::error_code& gone, int) {
        if (gone) return;
        log::notice("stopping");
        asked_to_stop.notify();
    });
    const Result<void> started = gateway.start();
    if (!started) {
        const bool running = started.error().code == Errc::busy;
        std::string why = started.error().what;
        if (running) why += " (pid " + std::to_string(started.error().detail) + ")";
        log::error(running ? "already running" : "not started", {{"why", why}});
        co_return running ? Exit::already_running : Exit::failed;
    }
    asio::signal_set hangup(loop, SIGHUP);  // to the end: what a hangup does by default is to kill
    TaskGroup watchdog(loop);
    watchdog.spawn("watch", watch(gateway));
    watchdog.spawn("reload", reload_on_hangup(gateway, hangup));
    service::ready();
    log::notice("started", {{"version", FIELDGATE_VERSION}});
    co_await asked_to_stop.wait();
    service::stopping();
    co_await watchdog.stop();
    const bool stored = co_await gateway.stop();
    if (!stored) co_return Exit::failed;
    log::notice("stopped, everything stored");
    co_return Exit::well;
}

}  // namespace

Exit run(const std::string& config_file) {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGHUP, SIG_IGN);  // until somebody listens to it
    LoadedConfig loaded = load_config(config_file);
    if (!loaded.config) {
        // A file may just be replaced. What is given up now is given up for years.
        std::this_thread::sleep_for(second_look);
        loaded = load_config(config_file);
    }
    print_problems(loaded.problems);
    std::size_t does_not_load = 0;
    if (!loaded.config) {
        std::optional<LoadedConfig> last_good =
            LastGood(state_folder(loaded.store_path)).load(config_file);
        if (!last_good) {
            log::error("the configuration does not load, and no last good one of it is kept",
                       {{"folder", state_folder(loaded.store_path)}});
            return exit_of(loaded);
        }
        does_not_load = std::max<std::size_t>(1, error_count(loaded.problems));
        log::error(
            "the configuration does not load: the last good one runs, without powers that "
            "it does not grant",
            {{"problems", std::to_string(does_not_load)}});
        last_good->config->remote = loaded.remote;
        loaded = std::move(*last_good);
    }
    for (const std::string& path : loaded.config->not_yet)
        log::warning("configured, but not in this version yet", {{"key", path}});

    if (!has_a_road(loaded.config->platform)) {
        log::error(no_road);
        return Exit::configuration;
    }

    asio::io_context loop(1);
    Gateway gateway(loop.get_executor(), config_file, std::move(*loaded.config), does_not_load);
    Exit exit = Exit::failed;
    asio::co_spawn(loop, live(gateway), [&](const std::exception_ptr& failure, Exit code) {
        if (failure) std::rethrow_exception(failure);
        exit = code;
        loop.stop();
    });
    loop.run();
    leave(exit);
}

}  // namespace fieldgate
