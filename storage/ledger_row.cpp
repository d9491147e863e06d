#include "storage/ledger_row.h"

#include "storage/fields.h"

namespace fieldgate::storage {

std::int64_t LedgerRow::crc() const {
    Fields fields;
    fields.add(id).add(digest).add(born_ms).add(life).add(std::int64_t{finished}).add(answer);
    return fields.crc();
}

bool LedgerRow::read(const Statement& select) {
    id = select.bytes(0);
    digest = select.bytes(1);
    born_ms = select.integer(2);
    life = select.integer(3);
    finished = select.integer(4) != 0;
    answer = select.bytes(5);
    return select.integer(6) == crc();
}

Result<void> LedgerRow::save(Database& database) const {
    Result<Statement> put = database.prepare(
        "INSERT INTO ledger(id, digest, born_ms, life, finished, answer, crc)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(id) DO UPDATE SET digest = ?2,"
        " born_ms = ?3, life = ?4, finished = ?5, answer = ?6, crc = ?7");
    if (!put) return put.error();
    put->bind(1, id).bind(2, digest).bind(3, born_ms).bind(4, life);
    put->bind(5, std::int64_t{finished}).bind_blob(6, answer).bind(7, crc());
    return put->run();
}

void LedgerRow::forget_outcome(std::int64_t born) {
    digest.clear();
    born_ms = born;
    life = 0;
    finished = false;
    answer.clear();
}

}  // namespace fieldgate::storage
