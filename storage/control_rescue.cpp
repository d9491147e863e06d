#include "storage/control_rescue.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>

#include "storage/audit_chain.h"
#include "storage/control_disk.h"
#include "storage/figures.h"
#include "storage/first_page.h"
#include "storage/ledger_rescue.h"
#include "storage/ledger_table.h"
#include "storage/replacement.h"
#include "storage/roster_table.h"
#include "storage/schema.h"

using namespace std::chrono_literals;

namespace fieldgate::storage {
namespace {

/// Of a damaged file, by one reading or two.
struct Found {
    LedgerRescue ledger;
    std::optional<std::int64_t> requests;  ///< as the file says
    std::chrono::milliseconds uptime{0};   ///< as the file says
    std::chrono::milliseconds doubtful_until{0};
    bool whole = false;
};

constexpr std::int64_t nobody = -1;  // a life that no process has

// The roster goes to `target` at once. Errors: the target's.
Result<void> read(const std::string& file, Database& target, Found& found) {
    Database damaged;
    if (!damaged.open_damaged(file)) return {};
    const bool ledger = found.ledger.read(damaged);
    const Result<bool> roster = RosterTable(target).rescue(damaged);
    if (!roster) return roster.error();
    const Result<std::optional<std::int64_t>> said = load_figure(damaged, requests_figure);
    if (said && *said) found.requests = *said;
    const Result<std::optional<std::int64_t>> uptime = load_figure(damaged, uptime_figure);
    if (uptime && *uptime) found.uptime = std::chrono::milliseconds(**uptime);
    const auto doubtful = LedgerTable(damaged, nobody).doubtful_until();
    if (doubtful) found.doubtful_until = std::max(found.doubtful_until, *doubtful);
    found.whole = found.whole || (ledger && *roster);
    damaged.abandon();
    return {};
}

// As it is, and if that is not all, under a first page that is sound.
Result<void> read_twice(const std::string& file, const std::string& page, const std::string& copy,
                        Database& target, Found& found) {
    Result<void> result = read(file, target, found);
    if (!result || found.whole) return result;
    result = copy_under_first_page(file, copy, page);
    if (result) result = read(copy, target, found);
    std::error_code ignored;
    for (const char* end : {"", "-wal"}) std::filesystem::remove(copy + end, ignored);
    return result;
}

// -1: nobody knows. A file of before that figure was kept says nothing.
std::int64_t lost_of(const Found& found) {
    if (!found.requests) return found.whole ? 0 : -1;
    const auto there = static_cast<std::int64_t>(found.ledger.requests());
    return std::max<std::int64_t>(0, *found.requests - there);
}

std::string result_of(std::int64_t lost) {
    if (lost == 0) return "a new file";
    if (lost < 0) return "a new file, nobody knows how many request ids are lost";
    return "a new file, " + std::to_string(lost) + " request ids are lost";
}

Result<void> begin_audit(Database& database, const std::string& kept, std::int64_t lost) {
    AuditEntry entry;
    entry.who = AuditEntry::Who::local;
    entry.what = "damaged";
    entry.target = ControlDisk::file_name;
    entry.detail = "the audit before this row is in " + kept;
    entry.result = result_of(lost);
    entry.at = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    return append_audit(database, entry);
}

// Copies of what was executed, or refused without a note, may still come.
Result<void> mark(Database& target, const Found& found, std::int64_t lost) {
    LedgerTable ledger(target, nobody);
    const Result<std::chrono::milliseconds> newest = ledger.newest();
    if (!newest) return newest.error();
    const std::chrono::milliseconds now = std::max({found.uptime, *newest, 1ms});
    const Result<void> saved = save_figure(target, uptime_figure, now.count());
    if (!saved) return saved;
    const bool sure = lost == 0 && found.requests;
    const std::chrono::milliseconds marked = found.doubtful_until - LedgerTable::copies_within;
    if (sure && marked <= 0ms) return {};
    return ledger.mark(sure ? std::min(marked, now) : now);
}

Result<void> write(Database& target, const Found& found, const std::string& kept) {
    Result<void> result = found.ledger.write(target);
    if (!result) return result;
    const Result<std::int64_t> rows =
        target.number("SELECT (SELECT count(*) FROM ledger) + (SELECT count(*) FROM roster)");
    if (!rows) return rows.error();
    const std::int64_t lost = lost_of(found);
    result = save_figure(target, rescued_figure, *rows);
    if (result) result = save_figure(target, lost_figure, lost);
    if (result) result = mark(target, found, lost);
    if (result) result = begin_audit(target, kept, lost);
    return result;
}

Result<void> close_whole(Database& database) {
    const Result<bool> moved = database.checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
    if (!moved) return moved.error();
    if (!*moved) return Error(Errc::busy, "the new file is not whole yet");
    database.close();
    return {};
}

}  // namespace

Result<void> make_control(const std::string& new_file) {
    Database database;
    Result<void> result = database.open(new_file, ControlDisk::pages_max);
    if (result) result = migrate(database, Schema::control);
    if (result) result = close_whole(database);
    return result;
}

Result<void> rescue_control(const std::string& folder, const std::string& new_file,
                            Readable readable) {
    Result<void> result = make_control(new_file);
    if (!result) return result;
    const Result<std::string> page = first_page(new_file);
    if (!page) return page.error();
    Database target;
    result = target.open(new_file, ControlDisk::pages_max);
    if (!result) return result;
    {
        Transaction transaction(target);
        result = transaction.begin();
        Found found;
        const std::string file = folder + "/" + ControlDisk::file_name;
        if (result) result = read_twice(file, *page, new_file + "-copy", target, found);
        const bool all = found.whole && lost_of(found) == 0;
        if (result && !all && readable == Readable::all)
            return Error(Errc::bad_data, "not all of the damaged file can be read");
        if (result) result = write(target, found, bad_name(folder, "control"));
        if (result) result = transaction.commit();
    }
    if (result) result = close_whole(target);
    return result;
}

}  // namespace fieldgate::storage
