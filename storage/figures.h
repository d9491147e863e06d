#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace fieldgate::storage {

class Database;

/// Numbers of the control store under a name, each with a check sum: `meta`. Errors: those of
/// Database.

/// nullopt if there is none, or if its check sum is wrong.
Result<std::optional<std::int64_t>> load_figure(Database& database, std::string_view name);
Result<void> save_figure(Database& database, std::string_view name, std::int64_t value);

}  // namespace fieldgate::storage
