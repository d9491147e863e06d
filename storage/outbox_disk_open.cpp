#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "storage/first_page.h"
#include "storage/meta.h"
#include "storage/outbox_disk.h"
#include "storage/replacement.h"
#include "storage/salvage.h"
#include "storage/schema.h"

namespace fieldgate::storage {
namespace {

// Attempts, 10 s apart, that wait for room to copy a damaged store. To store nothing is worse than
// to lose what does not fit: then it stays in the damaged file alone.
constexpr int no_room_max = 30;
// A store that takes no time to check is checked each time, page by page. SQLite does that in one
// go, minutes long and deaf, so a larger one is checked in what is read of it anyway: its rows.
constexpr std::uint64_t small_bytes = 16UL << 20;
constexpr std::uint64_t rows_between_looks = 1024;  // whether it is still wanted

}  // namespace

Result<Inventory> OutboxDisk::open(const Worker::Unwanted& unwanted) {
    Patience patience(unwanted);
    Result<Inventory> inventory = open_once(patience);
    const bool full = !inventory && inventory.error().code == Errc::out_of_range;
    if (full && ballast_.drop()) inventory = open_once(patience);
    // A glitch on the way from the disk is gone at the second look.
    if (!inventory && inventory.error().code == Errc::bad_data) {
        sound_ = false;
        inventory = open_once(patience);
    }
    const bool damaged = !inventory && (inventory.error().code == Errc::bad_data ||
                                        inventory.error().code == Errc::unsupported);
    const bool newer = damaged && inventory.error().code == Errc::unsupported;
    if (damaged) abandon();  // whoever looks at the file next finds it locked else
    if (damaged && !newer) lend_page();
    if (damaged) inventory = replace(patience);
    if (!inventory) abandon();
    return inventory;
}

Result<Inventory> OutboxDisk::open_once(Patience& patience) {
    abandon();
    const Result<std::string> set_aside = put_in_place(settings_.path, "outbox");
    if (!set_aside) return set_aside.error();
    const Result<void> opened = open_file();
    if (!opened) return opened.error();
    Result<Inventory> inventory = take_stock(patience);
    if (inventory) inventory->set_aside = *set_aside;
    return inventory;
}

Result<Inventory> OutboxDisk::replace(Patience& patience) {
    abandon();
    sound_ = false;
    Result<Salvaged> saved = salvage(settings_.path, patience);
    const bool full = !saved && saved.error().code == Errc::out_of_range;
    if (full && ballast_.drop()) saved = salvage(settings_.path, patience);
    const bool no_room = !saved && saved.error().code == Errc::out_of_range;
    no_room_ = no_room ? no_room_ + 1 : 0;
    if (no_room_ > no_room_max) saved = salvage_newest(settings_.path, patience);
    if (!saved) return saved.error();
    no_room_ = 0;
    Result<Inventory> inventory = open_once(patience);
    if (!inventory) return inventory;
    inventory->salvaged = saved->rows;
    inventory->lost = saved->lost;
    inventory->lost_known = saved->lost_known;
    return inventory;
}

bool OutboxDisk::has_tables() const {
    Database damaged;
    if (!damaged.open_damaged(file("outbox.db"))) return false;
    const Result<std::int64_t> tables_of_rows =
        damaged.number("SELECT count(*) FROM sqlite_schema WHERE name IN ('q_data', 'q_alarm')");
    damaged.abandon();
    return tables_of_rows && *tables_of_rows == 2;
}

// Without its first page nothing of a store is found, and with a wrong one only part of it. Lent
// its own of before, or that of an empty store, all the rest is; if that cannot be, the store is
// set aside as it is.
void OutboxDisk::lend_page() {
    if (has_another_first_page(file("outbox.db"), file(page_copy))) {
        static_cast<void>(lend_first_page(file("outbox.db"), file(page_copy)));
        return;
    }
    if (has_tables()) return;
    const std::string empty = file("outbox.empty");
    std::error_code ignored;
    std::filesystem::remove(empty, ignored);
    Database made;
    Result<void> result = made.open(empty, 1000);
    if (result) result = migrate(made, Schema::outbox);
    made.close();
    if (result) static_cast<void>(lend_first_page(file("outbox.db"), empty));
    std::filesystem::remove(empty, ignored);
}

Result<void> OutboxDisk::open_file() {
    wal_pages_before_ = 0;
    sound_ = sound_ || ended_in_order();
    Result<void> result =
        database_.open(file("outbox.db"), settings_.max_size_bytes / Database::page_bytes);
    if (!result) return result;
    // The version first: a store that is not ours is not worth reading through.
    result = migrate(database_, Schema::outbox);
    if (result && is_small()) result = check_pages();
    return result;
}

Result<void> OutboxDisk::check_pages() {
    Result<Statement> check = database_.prepare("PRAGMA quick_check(1)");
    if (!check) return check.error();
    const Result<bool> row = check->step();
    if (!row) return row.error();
    if (!*row || check->bytes(0) != "ok")
        return Error(Errc::bad_data, "quick_check: " + std::string(check->bytes(0)));
    return {};
}

bool OutboxDisk::is_small() const {
    std::error_code failed;
    const auto bytes = std::filesystem::file_size(file("outbox.db"), failed);
    return failed || bytes < small_bytes;
}

// SQLite deletes the WAL when all of it is in the file and that is closed: what has died, or had a
// disk that failed, has left one.
bool OutboxDisk::ended_in_order() const {
    std::error_code failed;
    const bool wal = std::filesystem::exists(file("outbox.db-wal"), failed);
    return !wal && !failed;
}

Result<void> OutboxDisk::prepare() {
    statements_.emplace();
    Result<void> result;
    const auto make = [&](Statement& target, const std::string& sql) {
        if (!result) return;
        Result<Statement> statement = database_.prepare(sql);
        if (statement)
            target = std::move(*statement);
        else
            result = statement.error();
    };
    for (const Table table : tables) {
        const std::string name = table_name(table);
        const std::size_t at = index(table);
        make(statements_->insert[at], "INSERT INTO " + name +
                                          "(seq, series, at_ms, boot, mono_ms, proven, crc, body)"
                                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
        make(statements_->remove[at], "DELETE FROM " + name + " WHERE seq BETWEEN ?1 AND ?2");
        make(statements_->read[at],
             "SELECT seq, series, at_ms, boot, mono_ms, proven, crc, body FROM " + name +
                 " WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq");
        make(statements_->quarantine_stored[at],
             "INSERT INTO quarantine(why, series, at_ms, body) SELECT ?1, series, at_ms,"
             " substr(body, 1, 16384) FROM " +
                 name + " WHERE seq = ?2");
    }
    make(statements_->quarantine_new,
         "INSERT INTO quarantine(why, series, at_ms, body) VALUES(?1, ?2, ?3, ?4)");
    make(statements_->add_series, "INSERT OR REPLACE INTO series VALUES(?1, ?2, ?3)");
    make(statements_->set_meta, Meta::save_sql);
    return result;
}

Result<Inventory> OutboxDisk::take_stock(Patience& patience) {
    Inventory inventory;
    Result<void> result = know_boot();
    if (result) result = prepare();
    if (result) result = load_names(inventory);
    if (!result) return result.error();
    const Result<Meta> meta = Meta::load(database_);
    if (!meta) return meta.error();
    const Result<std::array<Stamps, 2>> stamps = load_stamps(database_, meta->stamps_crc);
    if (!stamps) return stamps.error();
    inventory.stamps = *stamps;
    inventory.counters = meta->counters;
    inventory.next = meta->next;
    const Result<std::optional<Utc>> proven = load_proven_time(database_);
    if (!proven) return proven.error();
    inventory.proven_time = *proven;
    for (const Table table : tables) {
        result = scan(table, inventory, patience);
        if (!result) return result.error();
    }
    stock_.rows = inventory.rows[0].count() + inventory.rows[1].count();
    for (const Table table : tables)
        stock_.last[index(table)] = inventory.rows[index(table)].last().value_or(0);
    if (stock_.rows != meta->pending)
        return Error(Errc::bad_data, "the store does not hold as many rows as it says");
    sound_ = true;
    for (const Table table : tables)
        for (const auto& [first, last] : inventory.condemned[index(table)].ranges())
            inventory.rows[index(table)].erase({first, last});
    const Result<DiskFigures> now = figures();
    if (!now) return now.error();
    inventory.figures = *now;
    return inventory;
}

// What has to be written of it is written with the first commit: a disk that is full can be read,
// and what is sent from it makes room.
Result<void> OutboxDisk::know_boot() {
    Result<Statement> select = database_.prepare("SELECT id FROM boots WHERE name = ?1");
    if (!select) return select.error();
    const Reset reset(*select);
    const Result<bool> known = select->bind(1, boot_id_).step();
    if (!known) return known.error();
    boot_noted_ = *known;
    if (*known) {
        boot_ = select->integer(0);
        return {};
    }
    const Result<std::int64_t> last = database_.number("SELECT max(id) FROM boots");
    if (!last) return last.error();
    boot_ = *last + 1;
    return {};
}

Result<void> OutboxDisk::load_names(Inventory& inventory) {
    names_.clear();
    boots_.clear();
    Result<Statement> series = database_.prepare("SELECT id, device, service FROM series");
    if (!series) return series.error();
    for (;;) {
        const Result<bool> row = series->step();
        if (!row) return row.error();
        if (!*row) break;
        StoredSeries names{series->integer(0), std::string(series->bytes(1)),
                           std::string(series->bytes(2))};
        names_[names.id] = name_checksum(names.device_id, names.service_id);
        inventory.series.push_back(std::move(names));
    }
    Result<Statement> boots = database_.prepare("SELECT id, name FROM boots");
    if (!boots) return boots.error();
    for (;;) {
        const Result<bool> row = boots->step();
        if (!row) return row.error();
        if (!*row) break;
        boots_[boots->integer(0)] = boots->bytes(1);
    }
    boots_[boot_] = boot_id_;
    return {};
}

// Numbers and times; what a body says is checked when it is read to be sent. Where damage may be,
// bodies are read, too: a long one has pages of its own.
Result<void> OutboxDisk::scan(Table table, Inventory& inventory, Patience& patience) {
    const std::string body = sound_ ? "NULL" : "body";
    Result<Statement> select =
        database_.prepare("SELECT seq, at_ms, boot, proven, mono_ms, " + body + " FROM " +
                          table_name(table) + " ORDER BY seq");
    if (!select) return select.error();
    const std::size_t at = index(table);
    std::uint64_t rows = 0;
    Seq before = 0;
    inventory.this_boot_from[at] = 0;
    for (;;) {
        const Result<bool> row = select->step();
        if (!row) return row.error();
        if (!*row) break;
        const auto seq = static_cast<Seq>(select->integer(0));
        if (select->integer(0) <= 0)
            return Error(Errc::bad_data, "a row with an impossible number");
        if (seq <= before) return Error(Errc::bad_data, "rows out of order");
        before = seq;
        if (++rows % rows_between_looks == 0 && patience.over())
            return Error(Errc::closed, "stopped before the store was read");
        inventory.rows[at].add({seq, seq});
        const bool this_boot = select->integer(2) == boot_;
        if (this_boot && inventory.this_boot_from[at] == 0) inventory.this_boot_from[at] = seq;
        if (select->integer(3) != 0) continue;
        const Stamps::Stamp* stamp = inventory.stamps[at].find(seq);
        const bool shifted = stamp != nullptr && stamp->shift.has_value();
        const std::chrono::milliseconds since_1970 =
            shifted ? *stamp->shift + std::chrono::milliseconds(select->integer(4))
                    : std::chrono::milliseconds(select->integer(1));
        if (Utc(since_1970) >= floor_) continue;
        if (!this_boot)
            inventory.condemned[at].add({seq, seq});
        else if (stamp == nullptr)
            inventory.impossible[at].add({seq, seq});
    }
    const auto last = inventory.rows[at].last();
    if (last && *last >= inventory.next[at])
        return Error(Errc::bad_data, "a row beyond the last number given out");
    if (inventory.this_boot_from[at] == 0) inventory.this_boot_from[at] = inventory.next[at];
    return {};
}

}  // namespace fieldgate::storage
