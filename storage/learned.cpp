#include "storage/learned.h"

#include <memory>
#include <utility>

namespace fieldgate::storage {
namespace {

struct LearnedChange {
    std::vector<LearnedRow> rows;
    std::vector<std::string> forgotten;
};

std::size_t bytes_of(const LearnedRow& row) {
    return row.what.size() + row.version.size() + row.text.size();
}

Result<void> write_change(LearnedTable table, const LearnedChange& change) {
    Result<void> done;
    for (auto row = change.rows.begin(); done && row != change.rows.end(); ++row)
        done = table.put(*row);
    for (auto what = change.forgotten.begin(); done && what != change.forgotten.end(); ++what)
        done = table.drop(*what);
    return done;
}

}  // namespace

void Learned::adopt(const std::vector<LearnedRow>& rows) {
    rows_.clear();
    for (const LearnedRow& row : rows) rows_[row.what] = row;
    known_ = true;
}

bool Learned::fits(const std::vector<LearnedRow>& rows) const {
    std::size_t bytes = 0;
    for (const auto& [what, row] : rows_) bytes += bytes_of(row);
    for (const LearnedRow& row : rows) bytes += bytes_of(row);
    return bytes <= bytes_max;
}

asio::awaitable<Result<void>> Learned::keep(std::vector<LearnedRow> rows,
                                            std::vector<std::string> forgotten) {
    if (!fits(rows)) co_return Error(Errc::out_of_range, "more was learned than is kept");
    const auto change = std::make_shared<LearnedChange>();
    change->rows = std::move(rows);
    change->forgotten = std::move(forgotten);
    ControlJob job;
    job.write = [change](Database& database, std::chrono::milliseconds) {
        return write_change(LearnedTable(database), *change);
    };
    // Here, not below: the caller may have been cancelled by then.
    job.settled = [this, change](const Result<void>& done) {
        if (!done) return;
        for (const LearnedRow& row : change->rows) rows_[row.what] = row;
        for (const std::string& what : change->forgotten) rows_.erase(what);
    };
    const Result<void> done = co_await commits_.written(std::move(job));
    co_return done;
}

}  // namespace fieldgate::storage
