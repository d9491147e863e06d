#include "storage/meta.h"

#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "storage/figures.h"

namespace fieldgate::storage {
namespace {

using Figures = std::array<std::int64_t, 8>;
constexpr std::array<std::string_view, std::tuple_size_v<Figures>> figure_names{
    "acknowledged", "evicted",   "quarantined", "accepted",
    "next_alarm",   "next_data", "pending",     "stamps_crc"};
constexpr std::string_view proven_name = "proven_ms";

}  // namespace

Result<Meta> Meta::load(Database& database) {
    Figures values{};
    std::size_t found = 0;
    for (std::size_t i = 0; i < figure_names.size(); ++i) {
        const Result<std::optional<std::int64_t>> value = load_figure(database, figure_names.at(i));
        if (!value) return value.error();
        if (!*value) continue;
        values.at(i) = **value;
        ++found;
    }
    const Result<std::int64_t> rows = database.number("SELECT count(*) FROM meta");
    if (!rows) return rows.error();
    Meta meta;
    meta.stamps_crc = stamps_checksum({});
    if (*rows == 0) return meta;
    if (found < figure_names.size())
        return Error(Errc::bad_data, "a figure of the store is missing or has a wrong check sum");
    const auto number = [&](std::size_t i) { return static_cast<std::uint64_t>(values.at(i)); };
    meta.counters = {number(3), number(0), number(1), number(2)};
    meta.next = {number(4), number(5)};
    meta.pending = number(6);
    meta.stamps_crc = values[7];
    return meta;
}

Result<void> Meta::save(Statement& set) const {
    const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    const Figures values{number(counters.acknowledged),
                         number(counters.evicted),
                         number(counters.quarantined),
                         number(counters.accepted),
                         number(next[0]),
                         number(next[1]),
                         number(pending),
                         stamps_crc};
    for (std::size_t i = 0; i < figure_names.size(); ++i) {
        const Result<void> saved = save_figure(set, figure_names.at(i), values.at(i));
        if (!saved) return saved;
    }
    return {};
}

Result<std::optional<Utc>> load_proven_time(Database& database) {
    const Result<std::optional<std::int64_t>> milliseconds = load_figure(database, proven_name);
    if (!milliseconds) return milliseconds.error();
    if (!*milliseconds) return std::optional<Utc>();
    return std::optional(Utc(std::chrono::milliseconds(**milliseconds)));
}

Result<void> save_proven_time(Statement& set, Utc time) {
    return save_figure(set, proven_name, time.time_since_epoch().count());
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
