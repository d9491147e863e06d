#include "storage/audit.h"

#include <utility>

namespace fieldgate::storage {
namespace {

constexpr std::size_t page_rows = 500;

}  // namespace

void Audit::append(AuditEntry entry) {
    if (waiting_ >= waiting_max) {
        ++dropped_;
        return;
    }
    if (told_ < dropped_) {
        AuditEntry gap;
        gap.who = AuditEntry::Who::local;
        gap.what = "dropped";
        gap.target = "audit";
        gap.detail = std::to_string(dropped_ - told_) + " rows";
        gap.result = "the disk failed";
        gap.at = entry.at;
        gap.proven = entry.proven;
        told_ = dropped_;
        add(std::move(gap));
    }
    add(std::move(entry));
}

void Audit::add(AuditEntry entry) {
    ControlJob job;
    job.patient = true;
    job.write = [entry = std::move(entry)](Database& database, std::chrono::milliseconds) {
        return append_audit(database, entry);
    };
    job.settled = [this](const Result<void>& done) {
        if (done) --waiting_;
    };
    ++waiting_;
    commits_.soon(std::move(job));
}

asio::awaitable<Result<AuditPage>> Audit::page(std::uint64_t from, std::size_t limit) {
    AuditPage page;
    const Result<void> done = co_await commits_.read([&](Database& database) {
        Result<AuditPage> rows = read_audit(database, from, limit);
        if (!rows) return Result<void>(rows.error());
        page = std::move(*rows);
        return Result<void>();
    });
    if (!done) co_return done.error();
    co_return page;
}

asio::awaitable<Result<std::vector<AuditRow>>> Audit::read(std::uint64_t from, std::size_t limit) {
    Result<AuditPage> rows = co_await page(from, limit);
    if (!rows) co_return rows.error();
    co_return std::move(rows->rows);
}

asio::awaitable<Result<ChainCheck>> Audit::verify() {
    ChainCheck check;
    for (;;) {
        const Result<AuditPage> rows = co_await page(check.next(), page_rows);
        if (!rows) co_return rows.error();
        if (!check.take(*rows)) co_return check;
    }
}

}  // namespace fieldgate::storage
