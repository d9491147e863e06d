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

/// Copies what can still be read of `folder`/outbox.db, row by row with its check sum, into a new
/// file: same numbers, same times. All of it or nothing: the new file gets its name, by which
/// put_in_place() knows it, when it is complete; until then the damaged one stays as it is.
/// Errors: out_of_range (no room for a copy), io.
Result<Salvaged> salvage(const std::string& folder);
/// Puts a complete copy in the place of outbox.db, which is kept as outbox.bad-<n>; older ones go.
/// Returns that name; empty if there was nothing to do. Goes on where a crash has stopped it.
/// Errors: io.
Result<std::string> put_in_place(const std::string& folder);

}  // namespace fieldgate::storage
