#pragma once
#include <cstdint>
#include <string>

#include "daemon/run.h"

namespace fieldgate {

/// `fieldgate audit`: prints the rows from number `since` on, oldest first, and then whether the
/// chain of all rows is whole; `as_json`: one object. Exit::failed: it is broken, or cannot be
/// read.
///
/// Reads the store's file itself, whether the gateway runs or not: that is one way instead of two,
/// it needs nothing of a gateway that may be stuck, and the chain is checked by another process
/// than the one that wrote it. The user must be allowed to write the store's folder, where SQLite
/// keeps the locks of its readers: root, or the service's own user.
Exit audit(const std::string& config_file, bool as_json, std::uint64_t since);

}  // namespace fieldgate
