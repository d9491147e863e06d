#pragma once
#include "base/result.h"
#include "storage/database.h"

namespace fieldgate::storage {

/// The version that this program writes.
inline constexpr int schema_version = 1;

/// Brings the store to schema_version, each step in a transaction of its own, so that a power cut
/// leaves the old or the new one. Errors: unsupported (made by a newer program), and the database's
/// own.
Result<void> migrate(Database& database);

}  // namespace fieldgate::storage
