#pragma once
#include <asio/awaitable.hpp>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/commits.h"
#include "storage/learned_table.h"

namespace fieldgate::storage {

/// What was learned of the world outside and is kept over a restart: a convenience. It is not saved
/// from a damaged file. Runs on the loop.
class Learned {
public:
    /// Of all texts and names: what goes beyond is not kept.
    static constexpr std::size_t bytes_max = std::size_t{8} << 20;

    explicit Learned(Commits& commits) : commits_(commits) {}

    /// False as long as the file could not be read.
    bool known() const { return known_; }
    /// By LearnedRow::what.
    const std::map<std::string, LearnedRow>& all() const { return rows_; }

    /// Rows that are new or different, and the names of those that go; durable before this returns.
    /// Errors: out_of_range (bytes_max; nothing is done), and the disk's.
    asio::awaitable<Result<void>> keep(std::vector<LearnedRow> rows,
                                       std::vector<std::string> forgotten);

    /// What the file holds, when it has been opened.
    void adopt(const std::vector<LearnedRow>& rows);

private:
    bool fits(const std::vector<LearnedRow>& rows) const;

    Commits& commits_;
    std::map<std::string, LearnedRow> rows_;
    bool known_ = false;
};

}  // namespace fieldgate::storage
