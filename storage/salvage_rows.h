#pragma once
#include <array>

#include "storage/patience.h"
#include "storage/salvage.h"

namespace fieldgate::storage {

/// Copies the rows of a damaged outbox that can be read and whose check sum holds; of each table
/// the newest `share`, and never those again that `target` has. `source` that is not open has none.
/// Returns the number after the last row of each table. Errors: those of `target`, closed.
Result<std::array<Seq, 2>> copy_rows(Database& source, Database& target, double share,
                                     Patience& patience, Salvaged& salvaged);

}  // namespace fieldgate::storage
