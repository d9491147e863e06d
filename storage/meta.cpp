#include "storage/meta.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace fieldgate::storage {
namespace {

// In this order under the check sum, which is the last; a new one comes before that.
constexpr std::array<std::string_view, 9> keys{"acknowledged", "evicted",   "quarantined",
                                               "next_alarm",   "next_data", "pending",
                                               "stamps_crc",   "accepted",  "crc"};
using Values = std::array<std::int64_t, keys.size()>;
constexpr std::size_t keys_first = 7;  // as many had a store before there were more

std::int64_t checksum(const Values& values, std::size_t count) {
    const std::string_view bytes(reinterpret_cast<const char*>(values.data()),
                                 sizeof(std::int64_t) * count);
    return std::int64_t{name_checksum(bytes, "meta")};
}

constexpr std::string_view proven_key = "proven_ms";
constexpr std::string_view proven_crc_key = "proven_crc";

std::int64_t time_checksum(std::int64_t milliseconds) {
    return std::int64_t{name_checksum(std::to_string(milliseconds), proven_key)};
}

}  // namespace

Result<Meta> Meta::load(Database& database) {
    Result<Statement> select = database.prepare("SELECT v FROM meta WHERE k = ?1");
    if (!select) return select.error();
    Values values{};
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

Result<void> Meta::save(Statement& set) const {
    const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    Values values{number(counters.acknowledged),
                  number(counters.evicted),
                  number(counters.quarantined),
                  number(next[0]),
                  number(next[1]),
                  number(pending),
                  stamps_crc,
                  number(counters.accepted),
                  0};
    values.back() = checksum(values, keys.size() - 1);
    for (std::size_t key = 0; key < keys.size(); ++key) {
        const Result<void> saved = set.bind(1, keys[key]).bind(2, values[key]).run();
        if (!saved) return saved;
    }
    return {};
}

Result<std::optional<Utc>> load_proven_time(Database& database) {
    Result<Statement> select = database.prepare("SELECT v FROM meta WHERE k = ?1");
    if (!select) return select.error();
    std::array<std::int64_t, 2> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Reset reset(*select);
        const Result<bool> row = select->bind(1, i == 0 ? proven_key : proven_crc_key).step();
        if (!row) return row.error();
        if (!*row) return std::optional<Utc>();
        values.at(i) = select->integer(0);
    }
    if (values[1] != time_checksum(values[0])) return std::optional<Utc>();
    return std::optional(Utc(std::chrono::milliseconds(values[0])));
}

Result<void> save_proven_time(Statement& set, Utc time) {
    const std::int64_t milliseconds = time.time_since_epoch().count();
    const Result<void> saved = set.bind(1, proven_key).bind(2, milliseconds).run();
    if (!saved) return saved;
    return set.bind(1, proven_crc_key).bind(2, time_checksum(milliseconds)).run();
}

std::int64_t stamps_checksum(const std::array<Stamps, 2>& stamps) {
    std::vector<std::int64_t> numbers;
    for (std::size_t table = 0; table < stamps.size(); ++table) {
        for (const auto& [first, stamp] : stamps[table].all()) {
            numbers.push_back(static_cast<std::int64_t>(table));
            numbers.push_back(static_cast<std::int64_t>(stamp.rows.first));
            numbers.push_back(static_cast<std::int64_t>(stamp.rows.last));
            numbers.push_back(stamp.shift ? 1 : 0);
            numbers.push_back(stamp.shift ? stamp.shift->count() : 0);
        }
    }
    const std::string_view bytes(reinterpret_cast<const char*>(numbers.data()),
                                 numbers.size() * sizeof(std::int64_t));
    return std::int64_t{name_checksum(bytes, "stamps")};
}

Result<void> save_stamps(Database& database, const std::array<Stamps, 2>& stamps) {
    Result<void> done = database.execute("DELETE FROM stamps");
    if (!done) return done;
    Result<Statement> add = database.prepare("INSERT INTO stamps VALUES(?1, ?2, ?3, ?4)");
    if (!add) return add.error();
    for (const Table table : tables) {
        for (const auto& [first, stamp] : stamps[index(table)].all()) {
            add->bind(1, std::int64_t{table == Table::alarm});
            add->bind(2, static_cast<std::int64_t>(stamp.rows.first));
            add->bind(3, static_cast<std::int64_t>(stamp.rows.last));
            if (stamp.shift)
                add->bind(4, stamp.shift->count());
            else
                add->bind_null(4);
            done = add->run();
            if (!done) return done;
        }
    }
    return {};
}

Result<std::array<Stamps, 2>> load_stamps(Database& database, std::int64_t checksum) {
    std::array<Stamps, 2> stamps;
    Result<Statement> select = database.prepare("SELECT alarm, lo, hi, shift_ms FROM stamps");
    if (!select) return select.error();
    for (;;) {
        const Result<bool> row = select->step();
        if (!row) return row.error();
        if (!*row) break;
        const auto first = static_cast<Seq>(select->integer(1));
        const auto last = static_cast<Seq>(select->integer(2));
        if (first > last) return Error(Errc::bad_data, "a stamp that ends before it begins");
        Stamps::Shift shift;
        if (!select->is_null(3)) shift = std::chrono::milliseconds(select->integer(3));
        stamps[select->integer(0) != 0 ? index(Table::alarm) : index(Table::data)].settle(
            {first, last}, shift);
    }
    if (stamps_checksum(stamps) != checksum)
        return Error(Errc::bad_data, "the stamps have a wrong check sum");
    return stamps;
}

}  // namespace fieldgate::storage
