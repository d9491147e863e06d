#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/record.h"

namespace fieldgate::storage {

class Database;

/// What somebody did to the gateway, or tried to.
struct AuditEntry {
    enum class Who : std::uint8_t { cloud, local };
    Who who = Who::cloud;
    std::string what;    ///< "command", "property set", "refused", ...; at most 64 bytes
    std::string target;  ///< which device, service, file; at most 256 bytes
    std::string detail;  ///< JSON or text, never a secret; at most 1 KiB
    std::string result;  ///< "done", or why not; at most 256 bytes
    Utc at;
    bool proven = false;  ///< the clock was known to be right when `at` was made
};

/// "cloud", "local".
const char* to_string(AuditEntry::Who who);

struct AuditRow {
    std::uint64_t seq = 0;  ///< from 1, without gaps
    std::string who;        ///< as it stands in the file: it is evidence
    AuditEntry entry;       ///< `who` aside
    std::string hash;       ///< SHA-256 (hex) of the hash before it and of its fields
};

/// Rows in order, and what the file says of its chain at the same moment.
struct AuditPage {
    std::vector<AuditRow> rows;
    std::uint64_t dropped = 0;  ///< rows before the first one that is kept
    std::string before;         ///< the hash of the last one dropped; empty: none was
    std::uint64_t last = 0;     ///< the newest row; 0: none
    std::string hash;           ///< of that row
};

/// Whether the chain holds; fed page by page, from the first row to the last. Pure.
///
/// The chain shows every change of a row, and every row that was taken out, put in or moved. It
/// has no key: who may write the file and knows this program can make a chain anew.
class ChainCheck {
public:
    /// Takes the next page; it begins after next() - 1. True: there is more to read.
    bool take(const AuditPage& page);
    std::uint64_t next() const { return next_; }
    /// The first row that is not what it was, or is missing; absent: the chain is whole.
    std::optional<std::uint64_t> broken() const { return broken_; }
    std::uint64_t dropped() const { return dropped_; }
    std::uint64_t rows() const { return rows_; }

private:
    void break_at(std::uint64_t seq);

    std::uint64_t next_ = 0;
    std::uint64_t dropped_ = 0;
    std::uint64_t rows_ = 0;
    std::string hash_;
    std::optional<std::uint64_t> broken_;
};

/// Of the audit's newest rows this many are kept.
inline constexpr std::uint64_t audit_rows_max = 10'000;

/// Adds a row to the chain; the oldest one goes when there are too many. Fields that are too long
/// are cut and end in "...". Inside a transaction, on the worker. Errors: those of Database.
Result<void> append_audit(Database& database, const AuditEntry& entry);

/// Up to `limit` rows, and at most a quarter of a megabyte, from number `from` on; in one read
/// transaction. Errors: those of Database.
Result<AuditPage> read_audit(Database& database, std::uint64_t from, std::size_t limit);

}  // namespace fieldgate::storage
