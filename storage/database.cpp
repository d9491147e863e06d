#include "storage/database.h"

#include <unistd.h>

namespace fieldgate::storage {
namespace {

// A reader holds a lock for a page of rows, or for the recovery of a WAL that it finds.
constexpr int patience_ms = 2000;

Errc code_of(int extended) {
    // A sector that cannot be read: SQLite itself calls it damage, but not in every place.
    if (extended == SQLITE_IOERR_CORRUPTFS) return Errc::bad_data;
    switch (extended & 0xFF) {
        case SQLITE_FULL:
            return Errc::out_of_range;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Errc::bad_data;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Errc::busy;
        default:  // ERROR, CONSTRAINT, MISMATCH, ...: a mistake of ours is no damage to the file
            return Errc::io;
    }
}

Error error_of(sqlite3* connection, int result) {
    const int extended = connection == nullptr ? result : sqlite3_extended_errcode(connection);
    // A call that failed before SQLite noted it: the result itself is all there is.
    const int code = (extended & 0xFF) == (result & 0xFF) ? extended : result;
    Error error(code_of(code), sqlite3_errstr(code));
    if (connection != nullptr && code == extended) error.what = sqlite3_errmsg(connection);
    error.detail = code;
    return error;
}

}  // namespace

Statement& Statement::bind(int index, std::int64_t value) {
    expect(sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK, "a bindable integer");
    return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
    expect(sqlite3_bind_text(statement_.get(), index, text.data(), static_cast<int>(text.size()),
                             SQLITE_STATIC) == SQLITE_OK,
           "a bindable text");
    return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
    expect(sqlite3_bind_blob(statement_.get(), index, bytes.data(), static_cast<int>(bytes.size()),
                             SQLITE_STATIC) == SQLITE_OK,
           "bindable bytes");
    return *this;
}

Statement& Statement::bind_null(int index) {
    expect(sqlite3_bind_null(statement_.get(), index) == SQLITE_OK, "a bindable null");
    return *this;
}

Result<bool> Statement::step() {
    const int result = sqlite3_step(statement_.get());
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) return false;
    return error_of(sqlite3_db_handle(statement_.get()), result);
}

Result<void> Statement::run() {
    const Reset reset(*this);
    for (;;) {
        const Result<bool> row = step();
        if (!row) return row.error();
        if (!*row) return {};
    }
}

void Statement::reset() {
    if (statement_) sqlite3_reset(statement_.get());
}

std::uint64_t Statement::changes() const {
    return static_cast<std::uint64_t>(sqlite3_changes64(sqlite3_db_handle(statement_.get())));
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::string_view Statement::bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_.get(), column);
    const int size = sqlite3_column_bytes(statement_.get(), column);
    if (data == nullptr || size <= 0) return {};
    return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

int Database::on_commit(void* self, sqlite3* /*connection*/, const char* /*name*/, int pages) {
    static_cast<Database*>(self)->wal_pages_ = static_cast<std::uint64_t>(pages);
    return SQLITE_OK;
}

Result<void> Database::connect(const std::string& file, int flags) {
    expect(connection_ == nullptr, "a closed database");
    const int result =
        sqlite3_open_v2(file.c_str(), &connection_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    if (result != SQLITE_OK) {
        const Error error = error_of(connection_, result);
        abandon();
        return error;
    }
    sqlite3_extended_result_codes(connection_, 1);
    return {};
}

Result<void> Database::open(const std::string& file, std::uint64_t pages_max, Sharing sharing) {
    Result<void> ready = connect(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (!ready) return ready;
    ready = set_up(pages_max, sharing);
    if (ready) ready = check_header(file);
    // No statement of ours is wrong here: what SQLite does not understand is the file.
    if (!ready && (ready.error().detail & 0xFF) == SQLITE_ERROR)
        ready = Error(Errc::bad_data, ready.error().what);
    if (!ready) abandon();
    return ready;
}

// What SQLite takes as it stands there: it would refuse to write, or look for other bytes.
Result<void> Database::check_header(const std::string& file) {
    const bool refuses = sqlite3_db_readonly(connection_, "main") == 1;
    if (refuses && ::access(file.c_str(), W_OK) == 0)
        return Error(Errc::bad_data, "the header says that it must not be written");
    Result<Statement> encoding = prepare("PRAGMA encoding");
    if (!encoding) return encoding.error();
    const Result<bool> row = encoding->step();
    if (!row) return row.error();
    if (!*row || encoding->bytes(0) != "UTF-8")
        return Error(Errc::bad_data, "the header says that it is not UTF-8");
    return {};
}

Result<void> Database::open_to_read(const std::string& file) {
    Result<void> ready = connect(file, SQLITE_OPEN_READONLY);
    if (!ready) return ready;
    sqlite3_busy_timeout(connection_, patience_ms);
    ready = execute("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;");
    if (!ready) abandon();
    return ready;
}

// With writable_schema SQLite reads a file that is shorter than its header says.
Result<void> Database::open_damaged(const std::string& file) {
    Result<void> ready = connect(file, SQLITE_OPEN_READWRITE);
    if (!ready) return ready;
    ready = execute(
        "PRAGMA writable_schema=ON; PRAGMA locking_mode=EXCLUSIVE; PRAGMA trusted_schema=OFF;"
        "PRAGMA cell_size_check=ON;");
    if (!ready) abandon();
    return ready;
}

// EXCLUSIVE keeps the WAL index on the heap: no shared-memory file whose pages a full disk could
// take away. secure_delete, which Debian turns on, would write zeros over every page that an
// acknowledgement frees. The cap is set in the last statement because SQLite lifts it to the file's
// own size.
Result<void> Database::set_up(std::uint64_t pages_max, Sharing sharing) {
    sqlite3_busy_timeout(connection_, sharing == Sharing::readers ? patience_ms : 0);
    Result<void> set = execute(sharing == Sharing::readers ? "PRAGMA locking_mode=NORMAL"
                                                           : "PRAGMA locking_mode=EXCLUSIVE");
    if (!set) return set;
    set = execute(
        "PRAGMA page_size=4096; PRAGMA journal_mode=WAL;"
        "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"
        "PRAGMA cell_size_check=ON; PRAGMA journal_size_limit=8388608; PRAGMA cache_size=-1024;"
        "PRAGMA secure_delete=OFF;");
    if (!set) return set;
    sqlite3_wal_hook(connection_, on_commit, this);  // replaces the automatic checkpoint
    const std::string cap = "PRAGMA max_page_count=" + std::to_string(pages_max);
    return execute(cap.c_str());
}

void Database::close() {
    if (connection_ == nullptr) return;
    expect(sqlite3_close(connection_) == SQLITE_OK, "every statement to go before its database");
    connection_ = nullptr;
    wal_pages_ = 0;
}

void Database::abandon() {
    if (connection_ != nullptr)
        sqlite3_db_config(connection_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    close();
}

Result<Statement> Database::prepare(std::string_view sql) {
    Statement statement;
    sqlite3_stmt* raw = nullptr;
    const int result = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    statement.statement_.reset(raw);
    if (result != SQLITE_OK) return error_of(connection_, result);
    return statement;
}

Result<void> Database::execute(const char* sql) {
    const int result = sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) return error_of(connection_, result);
    return {};
}

Result<std::int64_t> Database::number(std::string_view sql) {
    Result<Statement> statement = prepare(sql);
    if (!statement) return statement.error();
    const Result<bool> row = statement->step();
    if (!row) return row.error();
    return *row ? statement->integer(0) : 0;
}

std::uint64_t Database::changes() const {
    return static_cast<std::uint64_t>(sqlite3_total_changes64(connection_));
}

Result<bool> Database::checkpoint(int mode) {
    int in_wal = 0;
    int moved = 0;
    const int result = sqlite3_wal_checkpoint_v2(connection_, nullptr, mode, &in_wal, &moved);
    if (result != SQLITE_OK) return error_of(connection_, result);
    if (in_wal == moved) wal_pages_ = 0;
    return in_wal == moved;
}

Transaction::~Transaction() {
    // After some errors SQLite has rolled back by itself; a second time does no harm.
    if (open_) static_cast<void>(database_.execute("ROLLBACK"));
}

Result<void> Transaction::begin() {
    const Result<void> begun = database_.execute("BEGIN IMMEDIATE");
    open_ = begun.has_value();
    return begun;
}

Result<void> Transaction::commit() {
    const Result<void> committed = database_.execute("COMMIT");
    if (committed) open_ = false;
    return committed;
}

}  // namespace fieldgate::storage
