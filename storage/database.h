#pragma once
#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fieldgate::storage {

/// A prepared statement. Runs where its database runs.
class Statement {
public:
    Statement() = default;

    Statement& bind(int index, std::int64_t value);
    /// `value` must stay until the statement is reset.
    Statement& bind(int index, std::string_view text);
    Statement& bind_blob(int index, std::string_view bytes);
    Statement& bind_null(int index);

    /// True: a row is there; false: done. Errors: see Database.
    Result<bool> step();
    /// For statements without rows: steps to the end and resets.
    Result<void> run();
    /// A statement that is left un-reset pins the WAL, which then grows without end.
    void reset();
    /// How many rows the last run() has inserted, changed or deleted.
    std::uint64_t changes() const;

    std::int64_t integer(int column) const;
    bool is_null(int column) const;
    /// Valid until the next step() or reset().
    std::string_view bytes(int column) const;

private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Resets a statement when the scope ends, whichever way.
class Reset {
public:
    explicit Reset(Statement& statement) : statement_(statement) {}
    ~Reset() { statement_.reset(); }
    Reset(const Reset&) = delete;
    Reset& operator=(const Reset&) = delete;

private:
    Statement& statement_;
};

/// One SQLite connection, set up for a store that survives power cuts: WAL, synchronous=FULL, no
/// vacuum, checkpoints made by hand so that their errors are seen. One thread at a time.
///
/// Errors of every call: out_of_range (full: the page cap or the disk), bad_data (corrupt, or no
/// database), busy, io (all else, mistakes of ours too); `detail` is SQLite's extended code.
class Database {
public:
    static constexpr std::uint64_t page_bytes = 4096;

    Database() = default;
    ~Database() { close(); }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Who else may have the file open.
    enum class Sharing : std::uint8_t { nobody, readers };

    /// Opens or makes `file`, at most `pages_max` pages long.
    Result<void> open(const std::string& file, std::uint64_t pages_max,
                      Sharing sharing = Sharing::nobody);
    /// Only to read a file that another process may be writing (opened there for `readers`). A
    /// statement that is left un-reset pins that process's WAL: read in pages.
    Result<void> open_to_read(const std::string& file);
    /// Only to read what can be read of a file that may be damaged anywhere.
    Result<void> open_damaged(const std::string& file);
    bool is_open() const { return connection_ != nullptr; }
    /// Statements must be gone. Checkpoints.
    void close();
    /// As close(), without the checkpoint: after an I/O error the WAL is the only copy to trust.
    void abandon();

    Result<Statement> prepare(std::string_view sql);
    Result<void> execute(const char* sql);
    /// The first column of the first row; 0 if there is none.
    Result<std::int64_t> number(std::string_view sql);

    /// Rows inserted, changed or deleted since it was opened.
    std::uint64_t changes() const;

    /// Pages in the WAL since its last restart.
    std::uint64_t wal_pages() const { return wal_pages_; }
    /// Moves the WAL into the database file. True: all of it.
    Result<bool> checkpoint(int mode = SQLITE_CHECKPOINT_PASSIVE);

private:
    static int on_commit(void* self, sqlite3* connection, const char* name, int pages);
    Result<void> connect(const std::string& file, int flags);
    Result<void> set_up(std::uint64_t pages_max, Sharing sharing);
    Result<void> check_header(const std::string& file);

    sqlite3* connection_ = nullptr;
    std::uint64_t wal_pages_ = 0;
};

/// A write transaction, rolled back unless committed. IMMEDIATE: a deferred one that reads and then
/// writes fails at once with SQLITE_BUSY_SNAPSHOT.
class Transaction {
public:
    explicit Transaction(Database& database) : database_(database) {}
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    Result<void> begin();
    Result<void> commit();

private:
    Database& database_;
    bool open_ = false;
};

}  // namespace fieldgate::storage
