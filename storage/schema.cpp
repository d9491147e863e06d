#include "storage/schema.h"

#include <array>
#include <span>
#include <string>

#include "storage/fields.h"
#include "storage/meta_1.h"

namespace fieldgate::storage {
namespace {

// One table per lane: rows come at one end and go at the other, so there is no second index and
// pages are freed whole. A row's names stand in `series` and `boots`. `crc` covers the row and the
// names it refers to. `stamps`: rows lo..hi (those whose time was not proven) have had their time
// settled: at = mono_ms + shift_ms, or as it stands where shift_ms is NULL.
constexpr const char* outbox_1 =
    "CREATE TABLE meta(k TEXT PRIMARY KEY, v INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE series(id INTEGER PRIMARY KEY, device TEXT NOT NULL, service TEXT NOT NULL);"
    "CREATE TABLE boots(id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
    "CREATE TABLE q_alarm(seq INTEGER PRIMARY KEY, series INTEGER, at_ms INTEGER, boot INTEGER,"
    " mono_ms INTEGER, proven INTEGER, crc INTEGER, body BLOB);"
    "CREATE TABLE q_data(seq INTEGER PRIMARY KEY, series INTEGER, at_ms INTEGER, boot INTEGER,"
    " mono_ms INTEGER, proven INTEGER, crc INTEGER, body BLOB);"
    "CREATE TABLE stamps(alarm INTEGER, lo INTEGER, hi INTEGER, shift_ms INTEGER);"
    "CREATE TABLE quarantine(n INTEGER PRIMARY KEY, why TEXT, series INTEGER, at_ms INTEGER,"
    " body BLOB);";

// `meta`: uptime_ms, roster_version. `ledger`: in the order of its commands; born_ms is on the
// store's own clock of uptime. `audit_head`: what is known of the chain besides its rows, one row.
// Every crc covers its row.
constexpr const char* control_1 =
    "CREATE TABLE meta(k TEXT PRIMARY KEY, v INTEGER NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE ledger(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, digest TEXT NOT NULL,"
    " born_ms INTEGER NOT NULL, life INTEGER NOT NULL, finished INTEGER NOT NULL,"
    " answer BLOB NOT NULL, crc INTEGER NOT NULL);"
    "CREATE TABLE audit(seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, proven INTEGER NOT NULL,"
    " who TEXT NOT NULL, what TEXT NOT NULL, target TEXT NOT NULL, detail TEXT NOT NULL,"
    " result TEXT NOT NULL, hash TEXT NOT NULL);"
    "CREATE TABLE audit_head(one INTEGER PRIMARY KEY, dropped INTEGER NOT NULL,"
    " before TEXT NOT NULL, last INTEGER NOT NULL, hash TEXT NOT NULL);"
    "INSERT INTO audit_head VALUES(1, 0, '', 0, '');"
    "CREATE TABLE roster(device_id TEXT PRIMARY KEY, node_id TEXT NOT NULL,"
    " product_id TEXT NOT NULL, name TEXT NOT NULL, extension_info TEXT NOT NULL,"
    " parent_id TEXT NOT NULL, unserved TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;";

// What would be learned again without it (learned_table.h).
constexpr const char* control_2 =
    "CREATE TABLE learned(what TEXT PRIMARY KEY, version TEXT NOT NULL, text TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;";

// A check sum for each figure, so that a program that knows more or fewer of them can read the
// rest.
constexpr const char* outbox_2 =
    "ALTER TABLE meta RENAME TO meta_1;"
    "CREATE TABLE meta(k TEXT PRIMARY KEY, v INTEGER NOT NULL, crc INTEGER NOT NULL) WITHOUT "
    "ROWID;";

/// From one version to the next.
struct Step {
    const char* sql;
    Result<void> (*convert)(Database&) = nullptr;  ///< what no SQL can do
    const char* sql_after = "";
};

constexpr std::array<Step, 2> outbox_steps{
    {{outbox_1}, {outbox_2, convert_meta_1, "DROP TABLE meta_1"}}};
constexpr std::array<Step, 2> control_steps{{{control_1}, {control_2}}};

std::span<const Step> steps_of(Schema schema) {
    if (schema == Schema::control) return control_steps;
    return outbox_steps;
}

Result<void> run_step(Database& database, Schema schema, std::size_t index) {
    const Step& step = steps_of(schema)[index];
    Transaction transaction(database);
    Result<void> result = transaction.begin();
    if (result) result = database.execute(step.sql);
    if (result && step.convert != nullptr) result = step.convert(database);
    if (result) result = database.execute(step.sql_after);
    const std::string mark = "PRAGMA user_version=" + std::to_string(index + 1);
    if (result) result = database.execute(mark.c_str());
    if (result) result = transaction.commit();
    return result;
}

// Tables and indices, each as it was made.
Result<std::string> description(Database& database) {
    Result<Statement> select = database.prepare(
        "SELECT type, name, tbl_name, ifnull(sql, '') FROM sqlite_schema ORDER BY type, name");
    if (!select) return select.error();
    Fields fields;
    for (;;) {
        const Result<bool> row = select->step();
        if (!row) return row.error();
        if (!*row) return fields.text();
        for (int column = 0; column < 4; ++column) fields.add(select->bytes(column));
    }
}

// Whether the tables are those that `version` steps make: afterwards an SQL error is our own.
Result<void> check(Database& database, Schema schema, std::size_t version) {
    const Result<std::string> found = description(database);
    if (!found) return found.error();
    Database made;
    Result<void> result = made.open(":memory:", 1000);
    for (std::size_t step = 0; result && step < version; ++step)
        result = run_step(made, schema, step);
    if (!result) return result;
    const Result<std::string> wanted = description(made);
    if (!wanted) return wanted.error();
    if (*found != *wanted) return Error(Errc::bad_data, "the store's tables are not those it had");
    return {};
}

}  // namespace

Result<void> migrate(Database& database, Schema schema) {
    const std::size_t steps = steps_of(schema).size();
    const Result<std::int64_t> version = database.number("PRAGMA user_version");
    if (!version) return version.error();
    if (*version < 0 || *version > static_cast<std::int64_t>(steps))
        return Error(Errc::unsupported,
                     "the store is of a newer program, version " + std::to_string(*version));
    auto done = static_cast<std::size_t>(*version);
    Result<void> result = check(database, schema, done);
    for (; result && done < steps; ++done) result = run_step(database, schema, done);
    return result;
}

}  // namespace fieldgate::storage
