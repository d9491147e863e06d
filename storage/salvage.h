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

/// The next free name of that kind: "outbox.bad-3".
std::string next_bad_name(const std::string& folder);
/// Renames the database and its WAL; the older bad ones go. Errors: io.
Result<void> move_aside(const std::string& folder, const std::string& database,
                        const std::string& bad_name);
/// Copies what can still be read, row by row with its check sum, into `target`, in one transaction
/// per thousand rows: same numbers, same times. Errors are those of `target` alone.
Result<Salvaged> salvage(const std::string& bad_file, Database& target);

}  // namespace fieldgate::storage
