#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"
#include "storage/database.h"

namespace fieldgate::storage {

/// A row of the ledger, with a check sum over all of it.
struct LedgerRow {
    std::string id;
    std::string digest;
    std::int64_t born_ms = 0;
    std::int64_t life = 0;
    bool finished = false;
    std::string answer;

    /// In the order that read() has them.
    static constexpr const char* columns = "id, digest, born_ms, life, finished, answer, crc";

    /// The row that `select` stands on; whether it is what it was.
    bool read(const Statement& select);
    /// Keeps the place of a row that is there. Errors: those of Database.
    Result<void> save(Database& database) const;

    /// Nobody knows what became of it. Its time would be as wrong as the rest: `born` is not before
    /// its own.
    void forget_outcome(std::int64_t born);

private:
    std::int64_t crc() const;
};

}  // namespace fieldgate::storage
