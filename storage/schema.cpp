#include "storage/schema.h"

#include <array>
#include <string>

namespace fieldgate::storage {
namespace {

// One table per lane: rows come at one end and go at the other, so there is no second index and
// pages are freed whole. A row's names stand in `series` and `boots`. `crc` covers the row and the
// names it refers to. `stamps`: rows lo..hi (those whose time was not proven) have had their time
// settled: at = mono_ms + shift_ms, or as it stands where shift_ms is NULL.
constexpr const char* version_1 =
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

constexpr std::array<const char*, schema_version> steps{version_1};

}  // namespace

Result<void> migrate(Database& database) {
    const Result<std::int64_t> version = database.number("PRAGMA user_version");
    if (!version) return version.error();
    if (*version < 0 || *version > schema_version)
        return Error(Errc::unsupported,
                     "the store is of a newer program, version " + std::to_string(*version));
    for (auto done = static_cast<std::size_t>(*version); done < steps.size(); ++done) {
        Transaction transaction(database);
        Result<void> result = transaction.begin();
        if (result) result = database.execute(steps[done]);
        const std::string mark = "PRAGMA user_version=" + std::to_string(done + 1);
        if (result) result = database.execute(mark.c_str());
        if (result) result = transaction.commit();
        if (!result) return result;
    }
    return {};
}

}  // namespace fieldgate::storage
