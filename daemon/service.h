#pragma once
#include <chrono>
#include <optional>
#include <string>

namespace fieldgate::service {

// What systemd is told and asks (sd_notify(3)); outside of systemd every call does nothing.

void ready();
void stopping();
void status(const std::string& line);
void alive();

/// Somebody starts us again when we end.
bool supervised();

/// The watchdog's period; absent: nobody watches.
std::optional<std::chrono::microseconds> watchdog();

}  // namespace fieldgate::service
