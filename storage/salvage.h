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
/// file: same numbers, same times. All of it or nothing: put_in_place() is what follows
/// (replacement.h). Errors: out_of_range (no room for a copy), io.
Result<Salvaged> salvage(const std::string& folder);

}  // namespace fieldgate::storage
