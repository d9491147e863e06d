#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace fieldgate::storage {

class Database;
class Statement;

/// Numbers under a name, each with a check sum of its own: the table `meta` of both stores. A
/// program that does not know one of them does not miss it. Errors: those of Database.

/// nullopt if there is none, or if its check sum is wrong.
Result<std::optional<std::int64_t>> load_figure(Database& database, std::string_view name);
Result<void> save_figure(Database& database, std::string_view name, std::int64_t value);
/// `set`: prepared from save_figure_sql.
Result<void> save_figure(Statement& set, std::string_view name, std::int64_t value);
inline constexpr const char* save_figure_sql = "INSERT OR REPLACE INTO meta VALUES(?1, ?2, ?3)";

}  // namespace fieldgate::storage
