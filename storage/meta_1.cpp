#include "storage/meta_1.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "storage/database.h"
#include "storage/figures.h"
#include "storage/meta.h"

namespace fieldgate::storage {
namespace {

// In this order under the check sum, which is the last; a new one comes before that.
constexpr std::array<std::string_view, 9> keys{"acknowledged", "evicted",   "quarantined",
                                               "next_alarm",   "next_data", "pending",
                                               "stamps_crc",   "accepted",  "crc"};
using OldValues = std::array<std::int64_t, keys.size()>;
constexpr std::size_t keys_first = 7;  // as many had a store before there were more

std::int64_t checksum(const OldValues& values, std::size_t count) {
    const std::string_view bytes(reinterpret_cast<const char*>(values.data()),
                                 sizeof(std::int64_t) * count);
    return std::int64_t{name_checksum(bytes, "meta")};
}

}  // namespace

Result<Meta> load_meta_1(Database& database, const char* table) {
    Result<Statement> select =
        database.prepare("SELECT v FROM " + std::string(table) + " WHERE k = ?1");
    if (!select) return select.error();
    OldValues values{};
    std::size_t found = 0;
    std::size_t covered = 0;  // by the check sum
    for (std::size_t key = 0; key < keys.size(); ++key) {
        const Reset reset(*select);
        const Result<bool> row = select->bind(1, keys[key]).step();
        if (!row) return row.error();
        if (!*row) continue;
        values[key] = select->integer(0);
        if (found++ == key) covered = std::min(key + 1, keys.size() - 1);
    }
    const bool whole = covered >= keys_first && found == covered + 1;
    if (found > 0 && (!whole || values.back() != checksum(values, covered)))
        return Error(Errc::bad_data, "the store's figures have a wrong check sum");
    Meta meta;
    const auto number = [&](std::size_t key) { return static_cast<std::uint64_t>(values[key]); };
    meta.counters = {number(7), number(0), number(1), number(2)};
    if (found > 0) meta.next = {number(3), number(4)};
    meta.pending = number(5);
    if (covered == keys_first)  // not counted yet when it was written
        meta.counters.accepted = number(0) + number(1) + number(2) + meta.pending;
    meta.stamps_crc = values[6];
    if (found == 0) meta.stamps_crc = stamps_checksum({});
    return meta;
}

Result<std::optional<Utc>> load_proven_time_1(Database& database, const char* table) {
    Result<Statement> select =
        database.prepare("SELECT v FROM " + std::string(table) + " WHERE k = ?1");
    if (!select) return select.error();
    constexpr std::array<std::string_view, 2> proven_names{"proven_ms", "proven_crc"};
    std::array<std::int64_t, 2> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Reset reset(*select);
        const Result<bool> row = select->bind(1, proven_names.at(i)).step();
        if (!row) return row.error();
        if (!*row) return std::optional<Utc>();
        values.at(i) = select->integer(0);
    }
    if (values[1] != std::int64_t{name_checksum(std::to_string(values[0]), proven_names[0])})
        return std::optional<Utc>();
    return std::optional(Utc(std::chrono::milliseconds(values[0])));
}

Result<void> convert_meta_1(Database& database) {
    const Result<std::int64_t> rows = database.number("SELECT count(*) FROM meta_1");
    if (!rows) return rows.error();
    if (*rows == 0) return {};
    const Result<Meta> meta = load_meta_1(database, "meta_1");
    if (!meta) return meta.error();
    Result<Statement> set = database.prepare(save_figure_sql);
    if (!set) return set.error();
    const Result<void> saved = meta->save(*set);
    if (!saved) return saved;
    const Result<std::optional<Utc>> proven = load_proven_time_1(database, "meta_1");
    if (!proven) return proven.error();
    return *proven ? save_proven_time(*set, **proven) : Result<void>();
}

}  // namespace fieldgate::storage
