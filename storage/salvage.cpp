#include "storage/salvage.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/figures.h"
#include "storage/meta.h"
#include "storage/meta_1.h"
#include "storage/replacement.h"
#include "storage/schema.h"

namespace fieldgate::storage {
namespace {

constexpr std::uint64_t rows_per_transaction = 1000;
constexpr std::uint64_t wal_pages_max = 1000;
// The copy has no cap but the disk: what is above that of the store is evicted when it is open.
constexpr std::uint64_t pages_max = 1UL << 30;
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
        load_names();
        for (const Table table : tables) {
            Result<void> copied = take_up(table, salvaged);
            if (copied && share > 0) copied = copy(table, share, salvaged);
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

// The stamps and figures of the damaged file, as far as their check sums hold; what is missing from
// the rows it says it had is counted as quarantined.
Result<void> settle(Database& source, Database& target, const std::array<Seq, 2>& next,
                    Salvaged& salvaged) {
    Meta meta;
    std::array<Stamps, 2> stamps;
    Result<Meta> old = Error(Errc::io, "not readable");
    if (source.is_open()) old = Meta::load(source);
    if (source.is_open() && !old) old = load_meta_1(source, "meta");
    salvaged.lost_known = old.has_value();
    if (old) {
        meta = *old;
        const Result<std::array<Stamps, 2>> told = load_stamps(source, meta.stamps_crc);
        if (told) stamps = *told;
        salvaged.lost = meta.pending > salvaged.rows ? meta.pending - salvaged.rows : 0;
        meta.counters.quarantined += salvaged.lost;
    }
    // More than it says, or it says nothing: what comes again is accepted again.
    if (salvaged.rows > meta.pending) meta.counters.accepted += salvaged.rows - meta.pending;
    for (std::size_t table = 0; table < next.size(); ++table)
        meta.next[table] = std::max(meta.next[table], next[table]);
    meta.pending = salvaged.rows;
    meta.stamps_crc = stamps_checksum(stamps);
    Transaction transaction(target);
    Result<void> result = transaction.begin();
    if (!result) return result;
    result = save_stamps(target, stamps);
    if (!result) return result;
    Result<Statement> save = target.prepare(Meta::save_sql);
    if (!save) return save.error();
    result = meta.save(*save);
    if (result) result = target.execute("DELETE FROM meta WHERE k LIKE 'source\\_%' ESCAPE '\\'");
    if (!result) return result;
    return transaction.commit();
}

struct Room {
    std::uint64_t needed = 0;
    std::uint64_t left = 0;
};

// Nothing is needed that cannot be told.
Room room_for(Database& source, const std::string& file) {
    const Result<std::int64_t> pages = source.number("PRAGMA page_count");
    const Result<std::int64_t> unused = source.number("PRAGMA freelist_count");
    struct statvfs space {};
    Room room;
    if (!pages || !unused || ::statvfs(file.c_str(), &space) != 0) return room;
    room.needed = static_cast<std::uint64_t>(std::max<std::int64_t>(0, *pages - *unused)) *
                  Database::page_bytes;
    room.left = std::uint64_t{space.f_bavail} * space.f_frsize;
    return room;
}

// Which file it is, and in which state: a copy is of this one alone.
using Identity = std::array<std::int64_t, 5>;
constexpr std::array<std::string_view, 5> source_figures{"source_inode", "source_bytes",
                                                         "source_changed_ns", "source_wal_bytes",
                                                         "source_wal_changed_ns"};

std::int64_t changed_ns(const struct stat& file) {
    return std::int64_t{file.st_mtim.tv_sec} * 1'000'000'000 + file.st_mtim.tv_nsec;
}

Identity identity_of(const std::string& file) {
    struct stat database {};
    struct stat wal {};
    if (::stat(file.c_str(), &database) != 0) return {};
    // An empty one is made by looking.
    const bool has_wal = ::stat((file + "-wal").c_str(), &wal) == 0 && wal.st_size > 0;
    return {static_cast<std::int64_t>(database.st_ino), std::int64_t{database.st_size},
            changed_ns(database), has_wal ? std::int64_t{wal.st_size} : 0,
            has_wal ? changed_ns(wal) : 0};
}

bool is_copy_of(const std::string& part, const Identity& source) {
    Database target;
    if (source[0] == 0 || !target.open(part, pages_max)) return false;
    for (std::size_t at = 0; at < source.size(); ++at) {
        const Result<std::optional<std::int64_t>> noted =
            load_figure(target, source_figures.at(at));
        if (!noted || *noted != source.at(at)) return false;
    }
    return true;
}

Result<void> note_source(Database& target, const Identity& source) {
    Transaction transaction(target);
    Result<void> result = transaction.begin();
    if (!result) return result;
    for (std::size_t at = 0; at < source.size(); ++at) {
        result = save_figure(target, source_figures.at(at), source.at(at));
        if (!result) return result;
    }
    return transaction.commit();
}

// `target` is whole, in one file and on disk when this returns without an error.
Result<Salvaged> copy_into(const std::string& target_file, const std::string& source_file,
                           const Identity& identity, double share, Patience& patience) {
    Salvaged salvaged;
    Database source;
    Database target;
    const bool readable = source.open_damaged(source_file).has_value();
    Result<void> result = target.open(target_file, pages_max);
    if (result) result = migrate(target, Schema::outbox);
    if (result && share >= 1) result = note_source(target, identity);
    if (!result) return result.error();
    Salvager salvager(source, target, patience);
    if (readable) result = salvager.run(salvaged, share);
    if (result) result = settle(source, target, salvager.next, salvaged);
    source.abandon();
    if (!result) return result.error();
    const Result<bool> moved = target.checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
    if (!moved) return moved.error();
    target.close();
    return salvaged;
}

std::string store_of(const std::string& folder) { return folder + "/outbox.db"; }

Result<Room> look_for_room(const std::string& folder) {
    Database source;
    // What cannot be read at all needs none.
    if (!source.open_damaged(store_of(folder))) return Room();
    const Room room = room_for(source, store_of(folder));
    source.abandon();
    return room;
}

Result<Salvaged> salvage_share(const std::string& folder, double share, Patience& patience) {
    const Identity identity = identity_of(store_of(folder));
    Salvaged salvaged;
    const std::function<bool(const std::string&)> goes_on = [&](const std::string& part) {
        return share >= 1 && is_copy_of(part, identity);
    };
    const Result<void> written = write_replacement(
        folder, "outbox",
        [&](const std::string& file) -> Result<void> {
            const Result<Salvaged> copied =
                copy_into(file, store_of(folder), identity, share, patience);
            if (!copied) return copied.error();
            salvaged = *copied;
            return {};
        },
        goes_on);
    if (!written) return written.error();
    return salvaged;
}

bool no_room(const Result<Salvaged>& salvaged) {
    return !salvaged && salvaged.error().code == Errc::out_of_range;
}

}  // namespace

Result<Salvaged> salvage(const std::string& folder, Patience& patience) {
    const Result<Room> room = look_for_room(folder);
    if (!room) return room.error();
    // Tried again and again while there is no room, a copy must not be written in vain each time.
    struct stat part {};
    const bool begun = ::stat((folder + "/outbox.new").c_str(), &part) == 0;
    const std::uint64_t has = begun ? static_cast<std::uint64_t>(part.st_size) : 0;
    if (room->needed > room->left + has)
        return Error(Errc::out_of_range, "no room to salvage a damaged store");
    return salvage_share(folder, 1, patience);
}

Result<Salvaged> salvage_newest(const std::string& folder, Patience& patience) {
    const Result<Room> room = look_for_room(folder);
    if (!room) return room.error();
    const auto needed = static_cast<double>(std::max<std::uint64_t>(room->needed, 1));
    double share = std::min(0.9, static_cast<double>(room->left) / 2 / needed);
    Result<Salvaged> salvaged = salvage_share(folder, share, patience);
    // Rows differ in size. In the end none: what comes from now on is stored again.
    while (no_room(salvaged) && share > 0) {
        share = share > 0.01 ? share / 4 : 0;
        salvaged = salvage_share(folder, share, patience);
    }
    return salvaged;
}

}  // namespace fieldgate::storage
