#pragma once
#include <cstdint>

#include "base/result.h"
#include "storage/database.h"

namespace fieldgate::storage {

enum class Schema : std::uint8_t { outbox, control };

/// Brings a file to the version that this program writes, each step in a transaction of its own, so
/// that a power cut leaves the old or the new one. Errors: unsupported (made by a newer program),
/// bad_data (not the tables that its version has), and the database's own.
Result<void> migrate(Database& database, Schema schema);

}  // namespace fieldgate::storage
