#include "storage/salvage_rows.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/meta.h"

namespace fieldgate::storage {
namespace {

constexpr std::uint64_t rows_per_transaction = 1000;
constexpr std::uint64_t wal_pages_max = 1000;
// How often a hole in the file is probed for its far side, before it is given up.
constexpr int probes_max = 20000;

using Names = std::unordered_map<std::int64_t, std::string>;

/// Reads a damaged table as far as it can be read: forward until it breaks, then on behind the
/// break.
class Salvager {
public:
    Salvager(Database& source, Database& target, Patience& patience)
        : source_(source), target_(target), patience_(patience) {}

    // What the target has already is there; of the rows on, the newest `share`. Errors: the
    // target's.
    Result<void> run(Salvaged& salvaged, double share) {
        const bool readable = source_.is_open();
        if (readable) load_names();
        for (const Table table : tables) {
            Result<void> copied = take_up(table, salvaged);
            if (copied && readable && share > 0) copied = copy(table, share, salvaged);
            if (!copied) return copied;
        }
        return {};
    }

    std::array<Seq, 2> next{1, 1};

private:
    struct Raw {
        Seq seq = 0;
        std::int64_t series = 0;
        std::int64_t at = 0;
        std::int64_t boot = 0;
        std::int64_t mono = 0;
        std::int64_t proven = 0;
        std::int64_t crc = 0;
        std::string body;
    };

    void load_names() {
        Result<Statement> series = source_.prepare("SELECT id, device, service FROM series");
        while (series) {
            const Result<bool> row = series->step();
            if (!row || !*row) break;
            devices_[series->integer(0)] = series->bytes(1);
            services_[series->integer(0)] = series->bytes(2);
        }
        Result<Statement> boots = source_.prepare("SELECT id, name FROM boots");
        while (boots) {
            const Result<bool> row = boots->step();
            if (!row || !*row) break;
            boots_[boots->integer(0)] = boots->bytes(1);
        }
    }

    Result<void> take_up(Table table, Salvaged& salvaged) {
        const Result<std::int64_t> rows =
            target_.number("SELECT count(*) FROM " + table_name(table));
        if (!rows) return rows.error();
        const Result<std::int64_t> last =
            target_.number("SELECT max(seq) FROM " + table_name(table));
        if (!last) return last.error();
        salvaged.rows += static_cast<std::uint64_t>(*rows);
        next[index(table)] = static_cast<Seq>(*last) + 1;
        return {};
    }

    // Alarms are few, and come before all else. Where the ends cannot be read: what the file says
    // of itself.
    std::int64_t first_of(Table table, double share) {
        const auto on = static_cast<std::int64_t>(next[index(table)]);
        if (share >= 1 || (table == Table::alarm && share > 0)) return on;
        const Result<std::int64_t> lowest =
            source_.number("SELECT min(seq) FROM " + table_name(table));
        const Result<std::int64_t> highest =
            source_.number("SELECT max(seq) FROM " + table_name(table));
        const Result<Meta> meta = Meta::load(source_);
        std::int64_t end = meta ? static_cast<std::int64_t>(meta->next[index(table)]) : on;
        if (highest) end = std::max(end, *highest + 1);
        const std::int64_t begin = lowest ? std::clamp<std::int64_t>(*lowest, 1, end) : 1;
        const auto rows = static_cast<std::int64_t>(static_cast<double>(end - begin) * share);
        return std::max(on, end - rows);
    }

    Result<void> copy(Table table, double share, Salvaged& salvaged) {
        const std::string sql =
            "SELECT seq, series, at_ms, boot, mono_ms, proven, crc, body FROM " +
            table_name(table) + " WHERE seq >= ?1 ORDER BY seq";
        Result<Statement> select = source_.prepare(sql);
        if (!select) return {};
        std::vector<Raw> rows;
        std::int64_t from = first_of(table, share);
        std::int64_t stride = 1;
        for (int probes = 0; probes < probes_max;) {
            const Reset reset(*select);
            select->bind(1, from);
            bool broken = false;
            for (;;) {
                const Result<bool> row = select->step();
                broken = !row;
                if (!row || !*row) break;
                const std::int64_t seq = select->integer(0);
                if (seq < from) {  // pages out of order would lead in circles
                    broken = true;
                    break;
                }
                from = seq + 1;
                stride = 1;
                keep_if_whole(*select, table, rows);
                if (rows.size() < rows_per_transaction) continue;
                Result<void> stored = store(table, rows, salvaged);
                if (stored && patience_.over()) stored = Error(Errc::closed, "stopped meanwhile");
                if (!stored) return stored;
            }
            if (!broken) break;
            // Behind the hole: a step further each time, twice as far after every miss.
            ++probes;
            if (from > std::int64_t{1} << 61) break;
            from += stride;
            stride = stride < (std::int64_t{1} << 40) ? stride * 2 : stride;
        }
        return store(table, rows, salvaged);
    }

    void keep_if_whole(const Statement& row, Table table, std::vector<Raw>& rows) const {
        Raw raw;
        raw.seq = static_cast<Seq>(row.integer(0));
        raw.series = row.integer(1);
        raw.at = row.integer(2);
        raw.boot = row.integer(3);
        raw.mono = row.integer(4);
        raw.proven = row.integer(5);
        raw.crc = row.integer(6);
        raw.body = row.bytes(7);
        const auto device = devices_.find(raw.series);
        const auto boot = boots_.find(raw.boot);
        if (device == devices_.end() || boot == boots_.end()) return;
        const std::uint32_t crc =
            row_checksum(name_checksum(device->second, services_.at(raw.series)), boot->second,
                         table, raw.seq, Utc(std::chrono::milliseconds(raw.at)),
                         std::chrono::milliseconds(raw.mono), raw.proven != 0, raw.body);
        if (std::int64_t{crc} == raw.crc) rows.push_back(std::move(raw));
    }

    Result<void> store(Table table, std::vector<Raw>& rows, Salvaged& salvaged) {
        if (rows.empty()) return {};
        Transaction transaction(target_);
        Result<void> result = transaction.begin();
        if (!result) return result;
        Result<Statement> series =
            target_.prepare("INSERT OR REPLACE INTO series VALUES(?1, ?2, ?3)");
        if (!series) return series.error();
        Result<Statement> boots = target_.prepare("INSERT OR REPLACE INTO boots VALUES(?1, ?2)");
        if (!boots) return boots.error();
        Result<Statement> insert =
            target_.prepare("INSERT OR REPLACE INTO " + table_name(table) +
                            "(seq, series, at_ms, boot, mono_ms, proven, crc, body)"
                            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
        if (!insert) return insert.error();
        for (const Raw& row : rows) {
            series->bind(1, row.series).bind(2, devices_.at(row.series));
            result = series->bind(3, services_.at(row.series)).run();
            if (!result) return result;
            result = boots->bind(1, row.boot).bind(2, boots_.at(row.boot)).run();
            if (!result) return result;
            insert->bind(1, static_cast<std::int64_t>(row.seq)).bind(2, row.series);
            insert->bind(3, row.at).bind(4, row.boot).bind(5, row.mono).bind(6, row.proven);
            result = insert->bind(7, row.crc).bind_blob(8, row.body).run();
            if (!result) return result;
        }
        result = transaction.commit();
        if (!result) return result;
        if (target_.wal_pages() > wal_pages_max) {
            const Result<bool> moved = target_.checkpoint();
            if (!moved) return moved.error();
        }
        salvaged.rows += rows.size();
        Seq& end = next[index(table)];
        if (rows.back().seq >= end) end = rows.back().seq + 1;
        rows.clear();
        return {};
    }

    Database& source_;
    Database& target_;
    Patience& patience_;
    Names devices_;
    Names services_;
    Names boots_;
};

}  // namespace

Result<std::array<Seq, 2>> copy_rows(Database& source, Database& target, double share,
                                     Patience& patience, Salvaged& salvaged) {
    Salvager salvager(source, target, patience);
    const Result<void> copied = salvager.run(salvaged, share);
    if (!copied) return copied.error();
    return salvager.next;
}

}  // namespace fieldgate::storage
