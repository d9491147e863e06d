#pragma once
#include <optional>

#include "base/result.h"
#include "model/record.h"

namespace fieldgate::storage {

class Database;
struct Meta;

/// The figures of the outbox as version 1 of its schema had them: without a check sum each, one
/// over all; and over seven, before `accepted` was counted for itself.

/// From the table `table`. A new store has none: all zero. Errors: bad_data (check sum), and the
/// database's own.
Result<Meta> load_meta_1(Database& database, const char* table);
/// The last proven time; nullopt: none, or damaged.
Result<std::optional<Utc>> load_proven_time_1(Database& database, const char* table);
/// From the table `meta_1` to `meta`: a part of the step to version 2.
Result<void> convert_meta_1(Database& database);

}  // namespace fieldgate::storage
