#include "daemon/service.h"

#include <systemd/sd-daemon.h>

#include <cstdlib>

namespace fieldgate::service {

bool supervised() { return std::getenv("NOTIFY_SOCKET") != nullptr; }
void ready() { sd_notify(0, "READY=1"); }
void stopping() { sd_notify(0, "STOPPING=1"); }
void status(const std::string& line) { sd_notify(0, ("STATUS=" + line).c_str()); }
void alive() { sd_notify(0, "WATCHDOG=1"); }

std::optional<std::chrono::microseconds> watchdog() {
    std::uint64_t period_us = 0;
    if (sd_watchdog_enabled(0, &period_us) <= 0) return std::nullopt;
    return std::chrono::microseconds(period_us);
}

}  // namespace fieldgate::service
