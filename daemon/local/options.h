#pragma once

namespace fieldgate {

/// The command line: run, check, reload, status, audit, version. Returns the exit code (README.md).
int run_command_line(int argc, char** argv);

}  // namespace fieldgate
