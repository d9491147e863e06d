#include "storage/learned_table.h"

#include "storage/database.h"
#include "storage/fields.h"

namespace fieldgate::storage {
namespace {

std::int64_t crc_of(const LearnedRow& row) {
    return Fields().add(row.what).add(row.version).add(row.text).add(row.at_ms).crc();
}

}  // namespace

Result<void> LearnedTable::put(const LearnedRow& row) {
    Result<Statement> put = database_.prepare(
        "INSERT OR REPLACE INTO learned(what, version, text, at_ms, crc)"
        " VALUES(?1, ?2, ?3, ?4, ?5)");
    if (!put) return put.error();
    put->bind(1, row.what).bind(2, row.version).bind(3, row.text).bind(4, row.at_ms);
    return put->bind(5, crc_of(row)).run();
}

Result<void> LearnedTable::drop(const std::string& what) {
    Result<Statement> remove = database_.prepare("DELETE FROM learned WHERE what = ?1");
    if (!remove) return remove.error();
    return remove->bind(1, what).run();
}

Result<std::vector<LearnedRow>> LearnedTable::load() {
    Result<Statement> select =
        database_.prepare("SELECT what, version, text, at_ms, crc FROM learned ORDER BY what");
    if (!select) return select.error();
    std::vector<LearnedRow> rows;
    for (;;) {
        const Result<bool> more = select->step();
        if (!more) return more.error();
        if (!*more) return rows;
        LearnedRow row;
        row.what = select->bytes(0);
        row.version = select->bytes(1);
        row.text = select->bytes(2);
        row.at_ms = select->integer(3);
        if (select->integer(4) != crc_of(row)) row.text.clear();
        rows.push_back(std::move(row));
    }
}

}  // namespace fieldgate::storage
