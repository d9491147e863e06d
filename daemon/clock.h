#pragma once
#include <string>

#include "model/record.h"

namespace fieldgate {

/// True if the kernel says that the system clock is disciplined (adjtimex, STA_UNSYNC clear).
bool system_clock_synchronised();

/// UTC by the system clock, right or wrong.
Utc system_clock_now();

/// This boot's id: CLOCK_MONOTONIC means something only together with it. Empty if unknown.
std::string boot_id();

}  // namespace fieldgate
