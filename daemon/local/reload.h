#pragma once
#include <string>

#include "daemon/exit.h"

namespace fieldgate {

/// `fieldgate reload`: asks the running gateway to read its configuration again, and prints what
/// `check` would print, then what has changed. `control` empty: as the configuration says. Ends as
/// SiteKeeper::Report::exit says; failed, too, if nobody answers.
Exit reload(const std::string& config_file, std::string control);

}  // namespace fieldgate
