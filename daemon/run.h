#pragma once
#include <string>

#include "daemon/exit.h"

namespace fieldgate {

/// `fieldgate run`: the daemon, until SIGTERM or SIGINT. Does not return to threads that hang: it
/// ends the process by itself once everything is stored, or 5 s after the signal (then `failed`, if
/// something is not stored).
Exit run(const std::string& config_file);

}  // namespace fieldgate
