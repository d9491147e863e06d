#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"
#include "storage/database.h"
#include "storage/patience.h"
#include "storage/row.h"

namespace fieldgate::storage {

struct Salvaged {
    std::uint64_t rows = 0;  ///< saved
    std::uint64_t lost = 0;  ///< known to have been there
    bool lost_known = false;
};

/// Copies what can still be read of `folder`/outbox.db, row by row with its check sum, into a new
/// file: same numbers, same times. All of it or nothing: put_in_place() is what follows
/// (replacement.h). What a kill has interrupted goes on where it was. Errors: out_of_range (no room
/// for a copy), io, closed (`patience` is over: it goes on with the next start).
Result<Salvaged> salvage(const std::string& folder, Patience& patience);

/// The same for the newest rows, as many as half of the room that is left holds: alarms first.
Result<Salvaged> salvage_newest(const std::string& folder, Patience& patience);

}  // namespace fieldgate::storage
