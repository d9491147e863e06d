#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace fieldgate::storage {

/// A damaged database `STEM.db` is kept as `STEM.bad-<n>`, the newest of them only.

/// 3 of "outbox.bad-3" and of "outbox.bad-3-wal"; 0: no such name of `stem`.
int bad_number(const std::string& name, std::string_view stem);

/// Renames `folder`/STEM.db and its WAL to the next free number, and returns the new name; the
/// older ones go. Errors: io.
Result<std::string> move_aside(const std::string& folder, const std::string& stem);

}  // namespace fieldgate::storage
