#include "storage/audit_chain.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "storage/database.h"
#include "storage/fields.h"

namespace fieldgate::storage {
namespace {

constexpr std::size_t page_bytes_max = 256UL * 1024;

std::int64_t signed_of(std::uint64_t number) { return static_cast<std::int64_t>(number); }

// At the end of a character of UTF-8.
std::string cut(const std::string& text, std::size_t bytes_max) {
    constexpr std::string_view mark = "...";
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max - mark.size();
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end).append(mark);
}

std::string hash_of(const std::string& before, const AuditRow& row) {
    const AuditEntry& entry = row.entry;
    Fields fields;
    fields.add(before).add(signed_of(row.seq)).add(entry.at.time_since_epoch().count());
    fields.add(std::int64_t{entry.proven}).add(row.who).add(entry.what).add(entry.target);
    fields.add(entry.detail).add(entry.result);
    return sha256_hex(fields.text());
}

Result<AuditPage> read_head(Database& database) {
    Result<Statement> select =
        database.prepare("SELECT dropped, before, last, hash FROM audit_head");
    if (!select) return select.error();
    const Result<bool> there = select->step();
    if (!there) return there.error();
    AuditPage head;
    if (!*there) return head;  // somebody has taken it away; the check will say so
    head.dropped = static_cast<std::uint64_t>(select->integer(0));
    head.before = select->bytes(1);
    head.last = static_cast<std::uint64_t>(select->integer(2));
    head.hash = select->bytes(3);
    return head;
}

Result<void> save_head(Database& database, const AuditPage& head) {
    Result<Statement> set = database.prepare(
        "INSERT OR REPLACE INTO audit_head(one, dropped, before, last, hash)"
        " VALUES(1, ?1, ?2, ?3, ?4)");
    if (!set) return set.error();
    set->bind(1, signed_of(head.dropped)).bind(2, head.before);
    set->bind(3, signed_of(head.last)).bind(4, head.hash);
    return set->run();
}

// Whatever somebody has made of the file, the next row finds a place: a head that does not fit the
// rows is for the check to find, not a reason to write no more.
Result<std::uint64_t> next_seq(Database& database, const AuditPage& head) {
    constexpr std::uint64_t absurd = 1ULL << 53;
    const Result<std::int64_t> newest = database.number("SELECT max(seq) FROM audit");
    if (!newest) return newest.error();
    const auto in_rows = static_cast<std::uint64_t>(std::max<std::int64_t>(*newest, 0));
    return std::max(head.last < absurd ? head.last : 0, in_rows) + 1;
}

Result<void> drop_oldest(Database& database, AuditPage& head) {
    if (head.last <= audit_rows_max) return {};
    const std::uint64_t dropped = head.last - audit_rows_max;
    Result<Statement> drop =
        database.prepare("DELETE FROM audit WHERE seq <= ?1 RETURNING seq = ?1, hash");
    if (!drop) return drop.error();
    drop->bind(1, signed_of(dropped));
    for (;;) {
        const Result<bool> row = drop->step();
        if (!row) return row.error();
        if (!*row) break;
        // If that one was taken away, the next row will not fit.
        if (drop->integer(0) != 0) head.before = drop->bytes(1);
    }
    head.dropped = dropped;
    return {};
}

Result<void> insert(Database& database, const AuditRow& row) {
    Result<Statement> add = database.prepare(
        "INSERT INTO audit(seq, at_ms, proven, who, what, target, detail, result, hash)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    if (!add) return add.error();
    const AuditEntry& entry = row.entry;
    add->bind(1, signed_of(row.seq)).bind(2, entry.at.time_since_epoch().count());
    add->bind(3, std::int64_t{entry.proven}).bind(4, row.who).bind(5, entry.what);
    add->bind(6, entry.target).bind(7, entry.detail).bind(8, entry.result).bind(9, row.hash);
    return add->run();
}

AuditRow row_of(const Statement& select) {
    AuditRow row;
    row.seq = static_cast<std::uint64_t>(select.integer(0));
    row.entry.at = Utc(std::chrono::milliseconds(select.integer(1)));
    row.entry.proven = select.integer(2) != 0;
    row.who = select.bytes(3);
    row.entry.what = select.bytes(4);
    row.entry.target = select.bytes(5);
    row.entry.detail = select.bytes(6);
    row.entry.result = select.bytes(7);
    row.hash = select.bytes(8);
    return row;
}

}  // namespace

const char* to_string(AuditEntry::Who who) {
    return who == AuditEntry::Who::cloud ? "cloud" : "local";
}

Result<void> append_audit(Database& database, const AuditEntry& entry) {
    Result<AuditPage> head = read_head(database);
    if (!head) return head.error();
    const Result<std::uint64_t> seq = next_seq(database, *head);
    if (!seq) return seq.error();
    AuditRow row;
    row.seq = *seq;
    row.who = to_string(entry.who);
    row.entry = entry;
    row.entry.what = cut(entry.what, 64);
    row.entry.target = cut(entry.target, 256);
    row.entry.detail = cut(entry.detail, 1024);
    row.entry.result = cut(entry.result, 256);
    row.hash = hash_of(head->hash, row);
    Result<void> done = insert(database, row);
    head->last = row.seq;
    head->hash = row.hash;
    if (done) done = drop_oldest(database, *head);
    if (done) done = save_head(database, *head);
    return done;
}

namespace {

Result<AuditPage> read_page(Database& database, std::uint64_t from, std::size_t limit) {
    Result<AuditPage> page = read_head(database);
    if (!page) return page;
    Result<Statement> select = database.prepare(
        "SELECT seq, at_ms, proven, who, what, target, detail, result, hash FROM audit"
        " WHERE seq >= ?1 ORDER BY seq LIMIT ?2");
    if (!select) return select.error();
    select->bind(1, signed_of(from)).bind(2, static_cast<std::int64_t>(limit));
    for (std::size_t bytes = 0; bytes < page_bytes_max;) {
        const Result<bool> more = select->step();
        if (!more) return more.error();
        if (!*more) break;
        page->rows.push_back(row_of(*select));
        bytes += sizeof(AuditRow) + page->rows.back().entry.detail.size();
    }
    return page;
}

}  // namespace

// The head and the rows belong together: one read transaction.
Result<AuditPage> read_audit(Database& database, std::uint64_t from, std::size_t limit) {
    const Result<void> begun = database.execute("BEGIN");
    if (!begun) return begun.error();
    Result<AuditPage> page = read_page(database, from, limit);
    static_cast<void>(database.execute("ROLLBACK"));
    return page;
}

void ChainCheck::break_at(std::uint64_t seq) {
    if (!broken_) broken_ = seq;
}

bool ChainCheck::take(const AuditPage& page) {
    dropped_ = page.dropped;
    // The first page; or the ring has moved over where this reader was.
    if (next_ <= page.dropped) {
        next_ = page.dropped + 1;
        hash_ = page.before;
    }
    for (const AuditRow& row : page.rows) {
        if (row.seq != next_) break_at(std::min(row.seq, next_));
        if (row.hash != hash_of(hash_, row)) break_at(row.seq);
        next_ = row.seq + 1;
        hash_ = row.hash;
        ++rows_;
    }
    if (!page.rows.empty()) return true;
    if (next_ != page.last + 1) break_at(std::min(next_, page.last + 1));
    if (hash_ != page.hash) break_at(page.last);
    return false;
}

}  // namespace fieldgate::storage
