#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "storage/database.h"
#include "storage/figures.h"
#include "storage/row.h"

namespace fieldgate::storage {

/// The outbox's figures about itself (figures.h): written in the transaction that they describe.
struct Meta {
    Counters counters;
    std::array<Seq, 2> next{1, 1};
    std::uint64_t pending = 0;  ///< rows in both tables
    std::int64_t stamps_crc = 0;

    /// A new store has none: all zero. Errors: bad_data (one is missing, or its check sum is
    /// wrong), and the database's own.
    static Result<Meta> load(Database& database);
    /// `set`: prepared from save_sql.
    Result<void> save(Statement& set) const;
    static constexpr const char* save_sql = save_figure_sql;
};

/// The last time known to be right: in the same table, on its own because it is written seldom.
/// nullopt: none, or damaged.
Result<std::optional<Utc>> load_proven_time(Database& database);
/// `set`: prepared from Meta::save_sql.
Result<void> save_proven_time(Statement& set, Utc time);

std::int64_t stamps_checksum(const std::array<Stamps, 2>& stamps);
Result<void> save_stamps(Database& database, const std::array<Stamps, 2>& stamps);
/// Errors: bad_data if they do not have that check sum.
Result<std::array<Stamps, 2>> load_stamps(Database& database, std::int64_t checksum);

}  // namespace fieldgate::storage
