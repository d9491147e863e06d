#pragma once
#include <string>

#include "daemon/run.h"

namespace fieldgate {

/// `fieldgate check`: problems to stderr, the plan to stdout; with `as_json` both to stdout as one
/// object (README.md, "Configure").
Exit check(const std::string& config_file, bool with_plan, bool as_json);

}  // namespace fieldgate
