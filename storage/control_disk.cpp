#include "storage/control_disk.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "storage/audit_chain.h"
#include "storage/control_rescue.h"
#include "storage/figures.h"
#include "storage/learned_table.h"
#include "storage/ledger_table.h"
#include "storage/replacement.h"
#include "storage/schema.h"

namespace fieldgate::storage {
namespace {

constexpr std::uint64_t checkpoint_pages = 256;
constexpr std::uint64_t jobs_until_forgetting = 100;
constexpr const char* stem = "control";
constexpr std::uint64_t recent_max = 1000;  // more than the gate lets in while copies may come
constexpr int rescues_of_all = 2;           // then whatever can be read

}  // namespace

bool ControlDisk::is_damage(const Result<ControlStock>& stock) {
    return !stock &&
           (stock.error().code == Errc::bad_data || stock.error().code == Errc::unsupported);
}

std::chrono::milliseconds ControlDisk::uptime() const {
    return uptime_before_ + std::chrono::duration_cast<std::chrono::milliseconds>(
                                std::chrono::steady_clock::now() - opened_);
}

Result<ControlStock> ControlDisk::open() {
    Result<ControlStock> stock = open_sound();
    if (is_damage(stock)) stock = rescue();
    return stock;
}

Result<ControlStock> ControlDisk::open_sound() {
    unnoted_.look();
    Result<ControlStock> stock = open_once();
    // What a disk has failed to read looks like damage, too.
    if (is_damage(stock)) stock = open_once();
    if (stock) return stock;
    database_.abandon();
    allow_unnoted();
    return stock;
}

Result<ControlStock> ControlDisk::rescue() {
    Result<ControlStock> stock = replace();
    if (!stock) database_.abandon();
    return stock;
}

Result<ControlStock> ControlDisk::open_once() {
    database_.abandon();
    const Result<std::string> set_aside = put_in_place(folder_, stem);
    if (!set_aside) return set_aside.error();
    std::error_code failed;
    const bool there = std::filesystem::exists(file(), failed);
    const Result<void> made = there || failed ? Result<void>() : make_new();
    if (!made) return made.error();
    const Result<void> opened = open_file();
    if (!opened) return opened.error();
    Result<ControlStock> stock = take_stock();
    if (!stock || set_aside->empty()) return stock;
    stock->set_aside = *set_aside;
    const Result<std::optional<std::int64_t>> rescued = load_figure(database_, rescued_figure);
    if (!rescued) return rescued.error();
    const Result<std::optional<std::int64_t>> lost = load_figure(database_, lost_figure);
    if (!lost) return lost.error();
    stock->rescued = static_cast<std::uint64_t>(rescued->value_or(0));
    stock->lost = lost->value_or(-1);
    return stock;
}

// As a whole, or a power cut would leave a file that looks damaged.
Result<void> ControlDisk::make_new() {
    const Result<void> written = write_replacement(folder_, stem, make_control);
    if (!written) return written.error();
    const Result<std::string> in_place = put_in_place(folder_, stem);
    if (!in_place) return in_place.error();
    return {};
}

// Not quick_check: a copy of a command is found through an index. A file of no length would be a
// new one to SQLite; ours have never been so.
Result<void> ControlDisk::open_file() {
    std::error_code missing;
    if (std::filesystem::file_size(file(), missing) == 0 && !missing)
        return Error(Errc::bad_data, "the file is empty");
    Result<void> result = database_.open(file(), pages_max, Database::Sharing::readers);
    if (result) result = migrate(database_, Schema::control);
    if (!result) return result;
    Result<Statement> check = database_.prepare("PRAGMA integrity_check(1)");
    if (!check) return check.error();
    const Result<bool> row = check->step();
    if (!row) return row.error();
    if (!*row || check->bytes(0) != "ok")
        return Error(Errc::bad_data, "integrity_check: " + std::string(check->bytes(0)));
    return {};
}

Result<ControlStock> ControlDisk::replace() {
    database_.abandon();
    const Readable readable = rescues_ < rescues_of_all ? Readable::all : Readable::whatever_is;
    const Result<void> written = write_replacement(folder_, stem, [&](const std::string& new_file) {
        return rescue_control(folder_, new_file, readable);
    });
    if (!written && written.error().code == Errc::bad_data) ++rescues_;
    if (!written) return written.error();
    rescues_ = 0;
    return open_once();
}

Result<ControlStock> ControlDisk::take_stock() {
    ControlStock stock;
    const Result<void> healed = heal(stock);
    if (!healed) return healed.error();
    const Result<AuditPage> audit = read_audit(database_, 0, 1);  // its tables are there
    if (!audit) return audit.error();
    Result<RosterContent> roster = RosterTable(database_).load();
    if (!roster) return roster.error();
    stock.roster = std::move(*roster);
    Result<std::vector<LearnedRow>> learned = LearnedTable(database_).load();
    if (!learned) return learned.error();
    stock.learned = std::move(*learned);
    const Result<std::optional<std::int64_t>> before = load_figure(database_, uptime_figure);
    if (!before) return before.error();
    const Result<std::chrono::milliseconds> newest = LedgerTable(database_, life_).newest();
    if (!newest) return newest.error();
    uptime_before_ = std::max(std::chrono::milliseconds(before->value_or(0)), *newest);
    Result<std::vector<LedgerNote>> recent = LedgerTable(database_, life_).recent(recent_max);
    if (!recent) return recent.error();
    stock.recent = std::move(*recent);
    const Result<std::chrono::milliseconds> doubtful =
        LedgerTable(database_, life_).doubtful_until();
    if (!doubtful) return doubtful.error();
    stock.doubtful_until = *doubtful;
    if (unnoted_.inherited())
        stock.doubtful_until =
            std::max(stock.doubtful_until, uptime_before_ + LedgerTable::copies_within);
    opened_ = std::chrono::steady_clock::now();
    room_ = 0;
    return stock;
}

Result<void> ControlDisk::heal(ControlStock& stock) {
    Transaction transaction(database_);
    const Result<void> begun = transaction.begin();
    if (!begun) return begun;
    const Result<std::uint64_t> requests = LedgerTable(database_, life_).heal();
    if (!requests) return requests.error();
    const Result<std::uint64_t> devices = RosterTable(database_).heal();
    if (!devices) return devices.error();
    stock.healed = *requests + *devices;
    return transaction.commit();
}

Result<void> ControlDisk::commit(const std::vector<ControlJob>& jobs, bool unnoted) {
    if (!database_.is_open()) return Error(Errc::closed, "the store is not open");
    const Result<void> written = write(jobs, unnoted);
    if (written)
        unnoted_.remove();
    else
        allow_unnoted();
    // What cannot be moved now stays in the WAL, and with it every row; it is tried again.
    if (written && database_.wal_pages() >= checkpoint_pages)
        static_cast<void>(database_.checkpoint());
    return written;
}

Result<void> ControlDisk::write(const std::vector<ControlJob>& jobs, bool unnoted) {
    const std::chrono::milliseconds now = uptime();
    Transaction transaction(database_);
    Result<void> result = transaction.begin();
    const std::uint64_t changes = database_.changes();
    if (result && (unnoted || unnoted_.inherited())) result = take_over_unnoted(now);
    for (auto job = jobs.begin(); result && job != jobs.end(); ++job)
        result = job->write(database_, now);
    // Copies of known commands change nothing; without jobs it is a probe of the disk.
    if (result && !jobs.empty() && database_.changes() == changes) return transaction.commit();
    // Each job adds one row to the ledger at most.
    const bool forget = room_ < jobs.size();
    if (result && forget) result = LedgerTable(database_, life_).forget(now, jobs_until_forgetting);
    if (result) result = save_figures(now);
    if (result) result = transaction.commit();
    if (result) room_ = forget ? jobs_until_forgetting : room_ - jobs.size();
    return result;
}

// Nobody tells more of them meanwhile. Those of earlier lives this one must not forget either.
Result<void> ControlDisk::take_over_unnoted(std::chrono::milliseconds now) {
    constexpr std::int64_t nobody = -1;  // a life that no process has
    const std::int64_t whose = unnoted_.inherited() ? nobody : life_;
    return LedgerTable(database_, whose).mark(now + LedgerTable::mark_holds);
}

Result<void> ControlDisk::save_figures(std::chrono::milliseconds now) {
    const Result<std::int64_t> requests = database_.number("SELECT count(*) FROM ledger");
    if (!requests) return requests.error();
    const Result<void> saved = save_figure(database_, requests_figure, *requests);
    if (!saved) return saved;
    return save_figure(database_, uptime_figure, now.count());
}

Result<void> ControlDisk::read(const std::function<Result<void>(Database&)>& query) {
    if (!database_.is_open()) return Error(Errc::closed, "the store is not open");
    return query(database_);
}

void ControlDisk::close() {
    if (!database_.is_open()) return;
    static_cast<void>(database_.checkpoint(SQLITE_CHECKPOINT_TRUNCATE));
    database_.close();
}

}  // namespace fieldgate::storage
