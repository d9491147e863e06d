#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <string>

#include "storage/audit.h"
#include "storage/commits.h"
#include "storage/learned.h"
#include "storage/ledger.h"
#include "storage/roster.h"

namespace fieldgate::storage {

/// What the gateway must not forget besides its data: the commands it has executed, what was done
/// to it, its sub-devices, and what it has learned of them. One SQLite file, `control.db`, beside
/// the outbox, under the outbox's lock; one thread. Some MB, at the very most 96 MiB, besides the
/// outbox's max_size. Runs on the loop.
class ControlStore {
public:
    /// `folder` is the outbox's; `commit`: how long rows of the audit may wait (store.commit).
    ControlStore(const asio::any_io_executor& loop, std::string folder,
                 std::chrono::milliseconds commit);

    /// After the outbox's open(), which makes and locks the folder. Waits for nothing; never a
    /// reason not to start: a damaged file is set aside, a disk that fails is tried again.
    /// Meanwhile commands are answered busy.
    void open() { commits_.open(); }
    /// Waits until the file is open, has failed to open once, or `deadline`. One caller at a time.
    asio::awaitable<void> opened(
        std::chrono::steady_clock::time_point deadline = Commits::Clock::time_point::max()) {
        return commits_.opened(deadline);
    }
    /// After the flows that use it; writes what waits.
    asio::awaitable<void> close() { return commits_.close(); }
    /// What waits for the disk, in notes of all kinds; after close(): what is lost.
    std::size_t waiting() const { return commits_.waiting(); }

    Ledger& ledger() { return ledger_; }
    Audit& audit() { return audit_; }
    Roster& roster() { return roster_; }
    Learned& learned() { return learned_; }

    bool disk_ok() const { return commits_.disk_ok(); }
    /// When the flow that commits last turned, or its worker was last seen to work; older than some
    /// 10 s: the disk holds it.
    std::chrono::steady_clock::time_point turned() const { return commits_.turned(); }

private:
    ControlStore(const asio::any_io_executor& loop, std::string folder,
                 std::chrono::milliseconds commit, std::int64_t life);

    Commits commits_;
    Ledger ledger_;
    Audit audit_;
    Roster roster_;
    Learned learned_;
};

}  // namespace fieldgate::storage
