#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"
#include "storage/database.h"
#include "storage/row.h"

namespace fieldgate::storage {

struct Salvaged {
    std::uint64_t rows = 0;  ///< saved
    std::uint64_t lost = 0;  ///< known to have been there
};

/// Renames a database that is damaged, and its WAL: `outbox.db` becomes the next free
/// `outbox.bad-<n>`, which is returned; the older bad ones of `stem` go. Errors: io.
Result<std::string> move_aside(const std::string& folder, const std::string& stem);
/// Copies what can still be read, row by row with its check sum, into `target`, in one transaction
/// per thousand rows: same numbers, same times. Errors are those of `target` alone.
Result<Salvaged> salvage(const std::string& bad_file, Database& target);

}  // namespace fieldgate::storage
