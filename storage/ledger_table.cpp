#include "storage/ledger_table.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "storage/database.h"
#include "storage/fields.h"
#include "storage/figures.h"

namespace fieldgate::storage {
namespace {

constexpr std::string_view marked_until = "unnoted_until_ms";
constexpr std::string_view marked_by = "unnoted_life";
constexpr const char* columns = "id, digest, born_ms, life, finished, answer, crc";

struct Row {
    std::string id;
    std::string digest;
    std::int64_t born_ms = 0;
    std::int64_t life = 0;
    bool finished = false;
    std::string answer;

    std::int64_t crc() const {
        Fields fields;
        fields.add(id).add(digest).add(born_ms).add(life).add(std::int64_t{finished}).add(answer);
        return fields.crc();
    }
};

Row row_of(const Statement& select) {
    Row row;
    row.id = select.bytes(0);
    row.digest = select.bytes(1);
    row.born_ms = select.integer(2);
    row.life = select.integer(3);
    row.finished = select.integer(4) != 0;
    row.answer = select.bytes(5);
    return row;
}

bool sound(const Statement& select, const Row& row) { return select.integer(6) == row.crc(); }

// Nobody knows what became of it.
void forget_outcome(Row& row) {
    row.digest.clear();
    row.life = 0;
    row.finished = false;
    row.answer.clear();
}

// Keeps the place of a row that is there.
Result<void> save(Database& database, const Row& row) {
    Result<Statement> put = database.prepare(
        "INSERT INTO ledger(id, digest, born_ms, life, finished, answer, crc)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(id) DO UPDATE SET digest = ?2,"
        " born_ms = ?3, life = ?4, finished = ?5, answer = ?6, crc = ?7");
    if (!put) return put.error();
    put->bind(1, row.id).bind(2, row.digest).bind(3, row.born_ms).bind(4, row.life);
    put->bind(5, std::int64_t{row.finished}).bind_blob(6, row.answer).bind(7, row.crc());
    return put->run();
}

}  // namespace

Result<LedgerEntry> LedgerTable::begin(std::string_view id, std::string_view digest,
                                       std::chrono::milliseconds now) {
    using State = LedgerEntry::State;
    Result<Statement> select =
        database_.prepare(std::string("SELECT ") + columns + " FROM ledger WHERE id = ?1");
    if (!select) return select.error();
    const Result<bool> known = select->bind(1, id).step();
    if (!known) return known.error();
    if (!*known) {
        const Result<void> saved =
            save(database_, {std::string(id), std::string(digest), now.count(), life_, false, ""});
        if (!saved) return saved.error();
        return LedgerEntry{};
    }
    Row row = row_of(*select);
    const bool intact = sound(*select, row);
    if (intact && !row.digest.empty() && row.digest != digest)
        return LedgerEntry{State::different, ""};
    if (intact && row.finished) return LedgerEntry{State::finished, std::move(row.answer)};
    if (!intact || row.life != life_) return LedgerEntry{State::unknown, ""};
    return LedgerEntry{};
}

Result<void> LedgerTable::finish(std::string_view id, std::string_view digest,
                                 std::string_view answer, std::chrono::milliseconds now) {
    Row row;
    row.id = id;
    row.digest = digest;
    row.born_ms = now.count();
    row.life = life_;
    row.finished = true;
    row.answer = answer;
    return save(database_, row);
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
        "SELECT id, digest, answer FROM ledger WHERE finished = 1"
        " ORDER BY seq DESC LIMIT ?1");
    if (!select) return select.error();
    select->bind(1, static_cast<std::int64_t>(rows));
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
    const Result<std::int64_t> until = load_figure(database_, marked_until);
    if (!until) return until.error();
    const Result<std::int64_t> by = load_figure(database_, marked_by);
    if (!by) return by.error();
    if (*until == 0 || *by == life_) return std::chrono::milliseconds(0);
    return std::chrono::milliseconds(*until) + copies_within;
}

Result<std::uint64_t> LedgerTable::heal() {
    std::vector<Row> bad;
    {
        Result<Statement> select =
            database_.prepare(std::string("SELECT ") + columns + " FROM ledger ORDER BY seq");
        if (!select) return select.error();
        for (;;) {
            const Result<bool> more = select->step();
            if (!more) return more.error();
            if (!*more) break;
            Row row = row_of(*select);
            if (!sound(*select, row)) bad.push_back(std::move(row));
        }
    }
    for (Row& row : bad) {
        forget_outcome(row);
        const Result<void> saved = save(database_, row);
        if (!saved) return saved.error();
    }
    return bad.size();
}

Result<std::chrono::milliseconds> LedgerTable::newest() {
    const Result<std::int64_t> born = database_.number("SELECT max(born_ms) FROM ledger");
    if (!born) return born.error();
    return std::chrono::milliseconds(*born);
}

// Forward until it breaks, then backward until it breaks.
Result<Rescued> LedgerTable::rescue(Database& damaged) {
    Rescued rescued;
    std::set<std::string> seen;
    for (const char* order :
         {" FROM ledger NOT INDEXED ORDER BY seq", " FROM ledger NOT INDEXED ORDER BY seq DESC"}) {
        Result<Statement> select = damaged.prepare(std::string("SELECT ") + columns + order);
        rescued.whole = false;
        while (select) {
            const Result<bool> more = select->step();
            rescued.whole = more && !*more;
            if (!more || !*more) break;
            Row row = row_of(*select);
            if (row.id.empty() || !seen.insert(row.id).second) continue;
            if (!sound(*select, row)) forget_outcome(row);
            const Result<void> saved = save(database_, row);
            if (!saved) return saved.error();
            ++rescued.rows;
        }
        if (rescued.whole) break;
    }
    for (const std::string_view name : {marked_until, marked_by}) {
        const Result<std::int64_t> figure = load_figure(damaged, name);
        const Result<void> saved = save_figure(database_, name, figure ? *figure : 0);
        if (!saved) return saved.error();
    }
    return rescued;
}

}  // namespace fieldgate::storage
