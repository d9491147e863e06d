#include "storage/ledger_table.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "storage/figures.h"
#include "storage/ledger_row.h"

namespace fieldgate::storage {
namespace {

constexpr std::string_view marked_until = "unnoted_until_ms";
constexpr std::string_view marked_by = "unnoted_life";

}  // namespace

Result<LedgerEntry> LedgerTable::begin(std::string_view id, std::string_view digest,
                                       std::chrono::milliseconds now) {
    using State = LedgerEntry::State;
    Result<Statement> select = database_.prepare(std::string("SELECT ") + LedgerRow::columns +
                                                 " FROM ledger WHERE id = ?1");
    if (!select) return select.error();
    const Result<bool> known = select->bind(1, id).step();
    if (!known) return known.error();
    if (!*known) {
        LedgerRow row;
        row.id = id;
        row.digest = digest;
        row.born_ms = now.count();
        row.life = life_;
        const Result<void> saved = row.save(database_);
        if (!saved) return saved.error();
        return LedgerEntry{};
    }
    LedgerRow row;
    const bool intact = row.read(*select);
    if (intact && !row.digest.empty() && row.digest != digest)
        return LedgerEntry{State::different, ""};
    if (intact && row.finished) return LedgerEntry{State::finished, std::move(row.answer)};
    if (!intact || row.life != life_) return LedgerEntry{State::unknown, ""};
    return LedgerEntry{};
}

Result<void> LedgerTable::finish(std::string_view id, std::string_view digest,
                                 std::string_view answer, std::chrono::milliseconds now) {
    LedgerRow row;
    row.id = id;
    row.digest = digest;
    row.born_ms = now.count();
    row.life = life_;
    row.finished = true;
    row.answer = answer;
    return row.save(database_);
}

// `sql` has two parameters: `number`, and this life.
Result<std::uint64_t> LedgerTable::remove(std::string_view sql, std::int64_t number) {
    Result<Statement> statement = database_.prepare(sql);
    if (!statement) return statement.error();
    const Result<void> removed = statement->bind(1, number).bind(2, life_).run();
    if (!removed) return removed.error();
    return statement->changes();
}

Result<void> LedgerTable::forget(std::chrono::milliseconds now, std::uint64_t more) {
    constexpr std::string_view oldest =
        "DELETE FROM ledger WHERE seq IN (SELECT seq FROM ledger WHERE finished = 1 OR life <> ?2"
        " ORDER BY finished DESC, seq LIMIT ?1)";
    const std::chrono::milliseconds expired = now - kept;
    Result<std::uint64_t> removed = remove(
        "DELETE FROM ledger WHERE born_ms < ?1 AND (finished = 1 OR life <> ?2)", expired.count());
    if (!removed) return removed.error();
    const Result<std::int64_t> rows = database_.number("SELECT count(*) FROM ledger");
    if (!rows) return rows.error();
    const std::int64_t excess = *rows + static_cast<std::int64_t>(more) - std::int64_t{rows_max};
    if (excess > 0) removed = remove(oldest, excess);
    if (!removed) return removed.error();
    for (;;) {
        const Result<std::int64_t> bytes =
            database_.number("SELECT sum(length(answer)) FROM ledger");
        if (!bytes) return bytes.error();
        if (*bytes <= std::int64_t{answers_bytes_max}) return {};
        removed = remove(oldest, 64);
        if (!removed) return removed.error();
    }
}

Result<std::vector<LedgerNote>> LedgerTable::recent(std::uint64_t rows) {
    Result<Statement> select = database_.prepare(
        "SELECT id, digest, answer FROM ledger WHERE finished = 1 OR life <> ?2"
        " ORDER BY seq DESC LIMIT ?1");
    if (!select) return select.error();
    select->bind(1, static_cast<std::int64_t>(rows)).bind(2, life_);
    std::vector<LedgerNote> notes;
    for (;;) {
        const Result<bool> more = select->step();
        if (!more) return more.error();
        if (!*more) break;
        notes.push_back({std::string(select->bytes(0)), std::string(select->bytes(1)),
                         std::string(select->bytes(2))});
    }
    std::reverse(notes.begin(), notes.end());
    return notes;
}

Result<void> LedgerTable::mark(std::chrono::milliseconds until) {
    const Result<void> saved = save_figure(database_, marked_until, until.count());
    if (!saved) return saved;
    return save_figure(database_, marked_by, life_);
}

Result<std::chrono::milliseconds> LedgerTable::doubtful_until() {
    const Result<std::optional<std::int64_t>> until = load_figure(database_, marked_until);
    if (!until) return until.error();
    const Result<std::optional<std::int64_t>> by = load_figure(database_, marked_by);
    if (!by) return by.error();
    if (!*until || **until == 0 || *by == life_) return std::chrono::milliseconds(0);
    return std::chrono::milliseconds(**until) + copies_within;
}

Result<std::uint64_t> LedgerTable::heal() {
    std::vector<LedgerRow> bad;
    std::int64_t newest = 0;
    {
        Result<Statement> select = database_.prepare(std::string("SELECT ") + LedgerRow::columns +
                                                     " FROM ledger ORDER BY seq");
        if (!select) return select.error();
        for (;;) {
            const Result<bool> more = select->step();
            if (!more) return more.error();
            if (!*more) break;
            LedgerRow row;
            if (row.read(*select))
                newest = std::max(newest, row.born_ms);
            else
                bad.push_back(std::move(row));
        }
    }
    for (LedgerRow& row : bad) {
        row.forget_outcome(newest);
        const Result<void> saved = row.save(database_);
        if (!saved) return saved.error();
    }
    return bad.size();
}

Result<std::chrono::milliseconds> LedgerTable::newest() {
    const Result<std::int64_t> born = database_.number("SELECT max(born_ms) FROM ledger");
    if (!born) return born.error();
    return std::chrono::milliseconds(*born);
}

}  // namespace fieldgate::storage
