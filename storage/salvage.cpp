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
#include "storage/salvage_rows.h"
#include "storage/schema.h"

namespace fieldgate::storage {
namespace {

// The copy has no cap but the disk: what is above that of the store is evicted when it is open.
constexpr std::uint64_t pages_max = 1UL << 30;

std::optional<Utc> proven_time_of(Database& source) {
    const Result<std::optional<Utc>> found = load_proven_time(source);
    if (found && *found) return *found;
    const Result<std::optional<Utc>> older = load_proven_time_1(source, "meta");
    return older ? *older : std::nullopt;
}

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
    std::optional<Utc> proven;  // below it no certificate is valid: not to be lost with the rest
    if (source.is_open()) proven = proven_time_of(source);
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
    if (result && proven) result = save_proven_time(*save, *proven);
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
    // What cannot be read at all is set aside as it is.
    static_cast<void>(source.open_damaged(source_file));
    Result<void> result = target.open(target_file, pages_max);
    if (result) result = migrate(target, Schema::outbox);
    if (result && share >= 1) result = note_source(target, identity);
    if (!result) return result.error();
    const Result<std::array<Seq, 2>> next = copy_rows(source, target, share, patience, salvaged);
    result = next ? settle(source, target, *next, salvaged) : Result<void>(next.error());
    // After an error, too: a close would checkpoint, and what is damaged stays as it is.
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
