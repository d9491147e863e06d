#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace fieldgate::storage {

class Database;

/// Something that was learned of the world outside, and would be learned again without this.
struct LearnedRow {
    std::string what;        ///< of what: a name of the caller's
    std::string version;     ///< of that: the caller takes the text of another one for nothing
    std::string text;        ///< as the caller has written it; empty: the row was damaged
    std::int64_t at_ms = 0;  ///< UTC when it was last true; 0: the clock was not proven then

    bool operator==(const LearnedRow&) const = default;
};

/// The rows of what was learned. Inside a transaction, on the worker. Errors: those of Database.
class LearnedTable {
public:
    explicit LearnedTable(Database& database) : database_(database) {}

    Result<void> put(const LearnedRow& row);
    Result<void> drop(const std::string& what);
    Result<std::vector<LearnedRow>> load();

private:
    Database& database_;
};

}  // namespace fieldgate::storage
