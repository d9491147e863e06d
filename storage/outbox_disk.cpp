#include "storage/outbox_disk.h"
#include "storage/first_page.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <utility>

#include "storage/first_page.h"
#include "storage/meta.h"
#include "storage/proven_time.h"

namespace fieldgate::storage {
namespace {

constexpr std::size_t read_bytes_max = 256UL * 1024;
constexpr std::uint64_t wal_pages_usual = 1000;
constexpr std::uint64_t quarantine_body_bytes_max = 16UL * 1024;
// What a commit costs besides its frames: the file system's own journal.
constexpr std::uint64_t bytes_of_a_commit = 12UL * 1024;

std::uint64_t file_bytes(const std::string& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return 0;
    return static_cast<std::uint64_t>(status.st_size);
}

std::int64_t milliseconds(Utc at) { return at.time_since_epoch().count(); }

}  // namespace

OutboxDisk::OutboxDisk(Settings settings, std::string boot_id, Utc floor)
    : settings_(std::move(settings)),
      boot_id_(std::move(boot_id)),
      floor_(floor),
      ballast_(file("outbox.ballast"),
               std::min<std::uint64_t>(4UL << 20, settings_.max_size_bytes / 16)) {}

void OutboxDisk::close() {
    if (!database_.is_open()) return;
    statements_.reset();
    static_cast<void>(database_.checkpoint(SQLITE_CHECKPOINT_TRUNCATE));
    database_.close();
    if (sound_ && ended_in_order())
        static_cast<void>(keep_first_page(file("outbox.db"), file(page_copy)));
}

void OutboxDisk::abandon() {
    statements_.reset();
    database_.abandon();
}

Result<DiskFigures> OutboxDisk::commit(const Batch& batch) {
    if (!database_.is_open()) return Error(Errc::closed, "the store is not open");
    Result<void> written = write(batch);
    if (!written && written.error().code == Errc::out_of_range) {
        const Result<DiskFigures> now = figures();
        const bool capped = now && now->pages_used + 16 >= now->pages_max;
        if (!capped && ballast_.drop()) {
            static_cast<void>(database_.checkpoint());
            written = write(batch);
        }
    }
    if (!written) {
        doubt(written.error());
        return written.error();
    }
    if (batch.proven_time) keep_proven_time(file(proven_time_file), *batch.proven_time);
    const std::uint64_t wal = database_.wal_pages();
    const std::uint64_t frames = wal < wal_pages_before_ ? wal : wal - wal_pages_before_;
    written_bytes_ += bytes_of_a_commit + frames * Database::page_bytes;
    wal_pages_before_ = wal;
    const Result<void> moved = checkpoint_if_due();
    if (!moved) {
        doubt(moved.error());
        return moved.error();
    }
    return figures();
}

void OutboxDisk::doubt(const Error& error) {
    if (error.code == Errc::bad_data) sound_ = false;
}

Result<void> OutboxDisk::write(const Batch& batch) {
    Transaction transaction(database_);
    Stock stock = stock_;
    Result<void> result = transaction.begin();
    if (result) result = add_names(batch);
    if (result) result = write_quarantine(batch);
    // Deletes come first: the inserts use their pages.
    if (result) result = remove_rows(batch, stock);
    if (result && !boot_noted_) result = note_boot(stock);
    if (result) result = insert_rows(batch, stock);
    if (result) result = write_meta(batch, stock);
    if (result) result = transaction.commit();
    if (!result) return result;
    stock_ = stock;
    boot_noted_ = true;
    return {};
}

// A boot that no row names any more is forgotten: there is one of them for every power cut.
Result<void> OutboxDisk::note_boot(const Stock& stock) {
    const Result<void> forgotten =
        stock.rows == 0 ? database_.execute("DELETE FROM boots") : Result<void>();
    if (!forgotten) return forgotten;
    Result<Statement> add = database_.prepare("INSERT INTO boots VALUES(?1, ?2)");
    if (!add) return add.error();
    return add->bind(1, boot_).bind(2, boot_id_).run();
}

Result<void> OutboxDisk::add_names(const Batch& batch) {
    for (const StoredSeries& series : batch.series) {
        Statement& add = statements_->add_series;
        add.bind(1, series.id).bind(2, series.device_id).bind(3, series.service_id);
        const Result<void> added = add.run();
        if (!added) return added;
        names_[series.id] = name_checksum(series.device_id, series.service_id);
    }
    return {};
}

Result<void> OutboxDisk::remove_rows(const Batch& batch, Stock& stock) {
    for (const Table table : tables) {
        for (const auto& [first, last] : batch.removals[index(table)].ranges()) {
            Statement& remove = statements_->remove[index(table)];
            remove.bind(1, static_cast<std::int64_t>(first));
            const Result<void> removed = remove.bind(2, static_cast<std::int64_t>(last)).run();
            if (!removed) return removed;
            stock.rows -= remove.changes();
        }
    }
    return {};
}

Result<void> OutboxDisk::insert_rows(const Batch& batch, Stock& stock) {
    for (const Batch::Insert& row : batch.inserts) {
        const auto seq = static_cast<std::int64_t>(row.seq);
        Seq& last = stock.last[index(row.table)];
        if (row.seq <= last) {
            // A commit that reported an error may have reached the disk all the same.
            Statement& remove = statements_->remove[index(row.table)];
            const Result<void> removed = remove.bind(1, seq).bind(2, seq).run();
            if (!removed) return removed;
            stock.rows -= remove.changes();
        }
        const Record& record = *row.record;
        const std::uint32_t crc =
            row_checksum(names_.at(row.series), boot_id_, row.table, row.seq, record.at,
                         record.since_boot, record.proven, record.properties);
        Statement& insert = statements_->insert[index(row.table)];
        insert.bind(1, seq).bind(2, row.series).bind(3, milliseconds(record.at));
        insert.bind(4, boot_).bind(5, record.since_boot.count());
        insert.bind(6, std::int64_t{record.proven}).bind(7, std::int64_t{crc});
        const Result<void> inserted = insert.bind_blob(8, record.properties).run();
        if (!inserted) return inserted;
        ++stock.rows;
        last = std::max(last, row.seq);
    }
    return {};
}

Result<void> OutboxDisk::write_quarantine(const Batch& batch) {
    for (const Batch::Quarantine& row : batch.quarantine) {
        Result<void> done;
        if (row.record == nullptr) {
            Statement& copy = statements_->quarantine_stored[index(row.table)];
            done = copy.bind(1, row.why).bind(2, static_cast<std::int64_t>(row.seq)).run();
        } else {
            const std::string_view body = row.record->properties;
            Statement& add = statements_->quarantine_new;
            add.bind(1, row.why).bind(2, row.series).bind(3, milliseconds(row.record->at));
            done = add.bind_blob(4, body.substr(0, quarantine_body_bytes_max)).run();
        }
        if (!done) return done;
    }
    if (batch.quarantine.empty()) return {};
    return trim_quarantine();
}

// At most a thousand, and not more than a sixteenth of the store.
Result<void> OutboxDisk::trim_quarantine() {
    const std::uint64_t rows_max = std::clamp<std::uint64_t>(
        settings_.max_size_bytes / 16 / quarantine_body_bytes_max, 4, 1000);
    const std::string sql = "DELETE FROM quarantine WHERE n <= (SELECT max(n) FROM quarantine) - " +
                            std::to_string(rows_max);
    return database_.execute(sql.c_str());
}

Result<void> OutboxDisk::write_meta(const Batch& batch, const Stock& stock) {
    if (batch.stamps_changed) {
        const Result<void> saved = save_stamps(database_, batch.stamps);
        if (!saved) return saved;
    }
    Meta meta;
    meta.counters = batch.counters;
    meta.next = batch.next;
    meta.pending = stock.rows;
    meta.stamps_crc = stamps_checksum(batch.stamps);
    const Result<void> saved = meta.save(statements_->set_meta);
    if (!saved || !batch.proven_time) return saved;
    return save_proven_time(statements_->set_meta, *batch.proven_time);
}

Result<void> OutboxDisk::checkpoint_if_due() {
    if (database_.wal_pages() < wal_pages_usual) return {};
    const std::uint64_t pages = database_.wal_pages();
    const Result<bool> moved = database_.checkpoint();
    // A busy or full disk keeps the WAL, and with it every row; only I/O errors need a new start.
    if (!moved && moved.error().code == Errc::out_of_range) return {};
    if (!moved) return moved.error();
    written_bytes_ += pages * Database::page_bytes;
    wal_pages_before_ = database_.wal_pages();
    return {};
}

Result<DiskFigures> OutboxDisk::figures() {
    if (!database_.is_open()) return Error(Errc::closed, "the store is not open");
    DiskFigures figures;
    const Result<std::int64_t> pages = database_.number("PRAGMA page_count");
    if (!pages) return pages.error();
    const Result<std::int64_t> unused = database_.number("PRAGMA freelist_count");
    if (!unused) return unused.error();
    figures.pages = static_cast<std::uint64_t>(*pages);
    figures.pages_used = static_cast<std::uint64_t>(std::max<std::int64_t>(0, *pages - *unused));
    figures.pages_max = settings_.max_size_bytes / Database::page_bytes;
    struct statvfs space {};
    if (::statvfs(settings_.path.c_str(), &space) == 0)
        figures.free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
    // Space that the ballast holds is ours to give, but not to fill.
    if (ballast_.bytes() > 0 && ballast_.bytes_on_disk() == 0 &&
        figures.free_bytes > settings_.keep_free_bytes + 2 * ballast_.bytes())
        static_cast<void>(ballast_.take_on());
    figures.store_bytes = file_bytes(file("outbox.db")) + file_bytes(file("outbox.db-wal")) +
                          ballast_.bytes_on_disk();
    figures.rows = stock_.rows;
    figures.written_bytes = written_bytes_;
    return figures;
}

Result<Page> OutboxDisk::read(Table table, SeqRange range, std::size_t rows_max) {
    if (!database_.is_open()) return Error(Errc::closed, "the store is not open");
    Statement& select = statements_->read[index(table)];
    const Reset reset(select);
    select.bind(1, static_cast<std::int64_t>(range.first));
    select.bind(2, static_cast<std::int64_t>(range.last));
    Page page;
    page.rows.reserve(rows_max);
    for (std::size_t bytes = 0; page.rows.size() < rows_max && bytes < read_bytes_max;) {
        const Result<bool> more = select.step();
        if (!more) {
            doubt(more.error());
            return more.error();
        }
        if (!*more) {
            page.through = range.last;
            return page;
        }
        const auto seq = static_cast<Seq>(select.integer(0));
        std::optional<StoredRow> row = checked_row(select, table);
        page.through = seq;
        if (row) {
            bytes += row->properties.size() + sizeof *row;
            page.rows.push_back(std::move(*row));
        } else {
            page.bad.push_back(seq);
        }
    }
    return page;
}

std::optional<StoredRow> OutboxDisk::checked_row(const Statement& select, Table table) const {
    StoredRow row;
    row.seq = static_cast<Seq>(select.integer(0));
    row.series = select.integer(1);
    row.at = Utc(std::chrono::milliseconds(select.integer(2)));
    row.since_boot = std::chrono::milliseconds(select.integer(4));
    row.proven = select.integer(5) != 0;
    const std::string_view body = select.bytes(7);
    const auto names = names_.find(row.series);
    const auto boot = boots_.find(select.integer(3));
    if (names == names_.end() || boot == boots_.end()) return std::nullopt;
    const std::uint32_t crc = row_checksum(names->second, boot->second, table, row.seq, row.at,
                                           row.since_boot, row.proven, body);
    if (std::int64_t{crc} != select.integer(6)) return std::nullopt;
    row.this_boot = boot->first == boot_;
    row.properties = body;
    return row;
}

}  // namespace fieldgate::storage
