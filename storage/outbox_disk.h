#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "model/record.h"
#include "storage/ballast.h"
#include "storage/database.h"
#include "storage/patience.h"
#include "storage/row.h"
#include "storage/settings.h"

namespace fieldgate::storage {

/// The outbox's side on the worker: every call blocks. All state that matters to the loop travels
/// by value (row.h). Errors: those of Database.
class OutboxDisk {
public:
    OutboxDisk(Settings settings, std::string boot_id, Utc floor);

    /// Opens, or opens anew after an error, and takes stock. What can be read of a file
    /// that is damaged goes to a new one, which takes its place when it is complete; the damaged
    /// one is then kept as `outbox.bad-<n>`, the last of them. If there is no room for a copy for
    /// long, it is one of the newest rows.
    /// Every row is read; a store of up to 16 MB is also checked page by page, each time, a larger
    /// one in its rows, after an end without close() and after bad_data: their order, their pages
    /// and what hangs on them. Damage is looked at twice before it is believed.
    /// After an error of any call but out_of_range the disk has to be opened anew. Errors also:
    /// closed (given up: `unwanted`, and a second later it was not done).
    Result<Inventory> open(const Worker::Unwanted& unwanted);
    /// Out of room: the ballast is dropped and it is tried once more.
    Result<DiskFigures> commit(const Batch& batch);
    /// As of now.
    Result<DiskFigures> figures();
    /// Rows from `from` to at most `last`, at most `rows_max` or a quarter of a megabyte.
    Result<Page> read(Table table, SeqRange range, std::size_t rows_max);
    /// Checkpoints and closes; nothing if it is not open.
    void close();

private:
    /// The store's first page as it was when it was last closed, should it be damaged.
    static constexpr const char* page_copy = "outbox.page-1";

    struct Statements {
        Statement insert[2];
        Statement remove[2];
        Statement read[2];
        Statement set_meta;
        Statement add_series;
        Statement quarantine_stored[2];
        Statement quarantine_new;
    };

    /// Rows as of the last commit, or of the transaction under way.
    struct Stock {
        std::uint64_t rows = 0;
        std::array<Seq, 2> last{0, 0};
    };

    std::string file(const char* name) const { return settings_.path + "/" + name; }
    Result<Inventory> open_once(Patience& patience);
    Result<Inventory> replace(Patience& patience);
    Result<void> open_file();
    Result<void> check_pages();
    bool is_small() const;
    bool has_tables() const;
    void lend_page();
    bool ended_in_order() const;
    Result<void> prepare();
    Result<void> know_boot();
    Result<Inventory> take_stock(Patience& patience);
    Result<void> scan(Table table, Inventory& inventory, Patience& patience);
    Result<void> load_names(Inventory& inventory);
    Result<void> write(const Batch& batch);
    Result<void> note_boot(const Stock& stock);
    Result<void> remove_rows(const Batch& batch, Stock& stock);
    Result<void> add_names(const Batch& batch);
    Result<void> insert_rows(const Batch& batch, Stock& stock);
    Result<void> write_quarantine(const Batch& batch);
    Result<void> write_meta(const Batch& batch, const Stock& stock);
    Result<void> trim_quarantine();
    void doubt(const Error& error);
    std::optional<StoredRow> checked_row(const Statement& select, Table table) const;
    Result<void> checkpoint_if_due();
    void abandon();

    Settings settings_;
    std::string boot_id_;
    Utc floor_;
    Ballast ballast_;
    Database database_;
    std::optional<Statements> statements_;
    std::int64_t boot_ = 0;
    bool boot_noted_ = false;  // on disk
    int no_room_ = 0;          // attempts in a row to copy a damaged file that did not fit
    bool sound_ = false;       // nothing speaks for damage
    std::unordered_map<std::int64_t, std::string> boots_;
    std::unordered_map<std::int64_t, std::uint32_t> names_;  // series -> check sum of its names
    Stock stock_;
    std::uint64_t written_bytes_ = 0;
    std::uint64_t wal_pages_before_ = 0;
};

}  // namespace fieldgate::storage
