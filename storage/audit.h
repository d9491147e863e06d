#pragma once
#include <asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/audit_chain.h"
#include "storage/commits.h"

namespace fieldgate::storage {

/// What was done to the gateway, by whom, and what became of it: append-only, the newest 10,000
/// rows, each with the hash of the one before. Runs on the loop.
class Audit {
public:
    /// Rows that may wait for a disk that fails; what comes beyond them is dropped, and the row
    /// that follows says how many.
    static constexpr std::size_t waiting_max = 1000;

    explicit Audit(Commits& commits) : commits_(commits) {}

    /// Never waits. It is on disk with the next commit, within the interval: so what is appended
    /// before a begin() or finish() of the ledger is durable when that returns. After a disk error
    /// a row may stand there twice. Fields that are too long are cut (AuditEntry).
    void append(AuditEntry entry);

    /// Committed rows from number `from` on, at most `limit`. Errors: those of Database, closed.
    asio::awaitable<Result<std::vector<AuditRow>>> read(std::uint64_t from, std::size_t limit);

    /// Reads all rows, in pages between commits. Errors: as read().
    asio::awaitable<Result<ChainCheck>> verify();

    /// Rows dropped since start because the disk failed.
    std::uint64_t dropped() const { return dropped_; }

private:
    void add(AuditEntry entry);
    asio::awaitable<Result<AuditPage>> page(std::uint64_t from, std::size_t limit);

    Commits& commits_;
    std::size_t waiting_ = 0;
    std::uint64_t dropped_ = 0;
    std::uint64_t told_ = 0;  // of dropped_
};

}  // namespace fieldgate::storage
