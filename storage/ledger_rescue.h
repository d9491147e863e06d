#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "base/result.h"
#include "storage/ledger_row.h"

namespace fieldgate::storage {

/// What can still be read of a damaged ledger. The file has every request id twice, in the table
/// and in its index: what takes one page takes no id, at most what became of the request.
class LedgerRescue {
public:
    /// True: all of it was there and was what it was. May be called again, with another reading of
    /// the same file.
    bool read(Database& damaged);
    /// How many requests were found.
    std::uint64_t requests() const;
    /// A request whose row is gone, or is not what it was, becomes unknown (with any digest):
    /// better refused than repeated. Inside a transaction. Errors: those of `target`.
    Result<void> write(Database& target) const;

private:
    bool read_table(Database& damaged, const char* which, std::int64_t parameter);
    bool read_index(Database& damaged, const char* order);
    void take(std::int64_t seq, LedgerRow row, bool sound);
    void doubt(std::int64_t seq, std::string id);

    /// By id, which the check sum covers, as it does not the place of the row.
    struct Placed {
        std::int64_t seq = 0;
        LedgerRow row;
    };
    std::map<std::string, Placed> rows_;
    /// Ids that no such row has, by their place.
    std::map<std::int64_t, std::set<std::string>> doubtful_;
};

}  // namespace fieldgate::storage
