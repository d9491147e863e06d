#pragma once
#include <string>

namespace fieldgate {

/// Exit codes of every command (config README).
enum class Exit : int { well = 0, failed = 1, usage = 2, already_running = 3, configuration = 78 };

/// `fieldgate run`: the daemon, until SIGTERM or SIGINT. Does not return to threads that hang: it
/// ends the process by itself once everything is stored, or 5 s after the signal (then `failed`, if
/// something is not stored).
Exit run(const std::string& config_file);

}  // namespace fieldgate
