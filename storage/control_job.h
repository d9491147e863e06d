#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/learned_table.h"
#include "storage/ledger_table.h"
#include "storage/roster_table.h"

namespace fieldgate::storage {

/// What is to be written, together with everything else that waits at that time: one transaction,
/// one fsync.
struct ControlJob {
    /// On the worker, inside the transaction; `now`: the store's clock of uptime. It may run again
    /// after an error. An error of its own undoes the whole transaction.
    std::function<Result<void>(Database&, std::chrono::milliseconds now)> write;
    /// On the loop, once: what became of the commit.
    std::function<void(const Result<void>&)> settled;
    /// Through disk errors it waits until it is written; others are told of the first error.
    bool patient = false;
    /// While the file is opened for the first time it waits until it is, or until that fails.
    bool awaits_opening = false;
};

/// What open() has found.
struct ControlStock {
    RosterContent roster;
    std::vector<LearnedRow> learned;
    std::vector<LedgerNote> recent;  ///< of the ledger; the oldest first
    /// Until then, on the clock of uptime, a request that the ledger does not know may be one that
    /// an earlier life has refused without a note.
    std::chrono::milliseconds doubtful_until{0};
    std::string set_aside;      ///< the damaged file's new name; empty: it was sound
    std::uint64_t rescued = 0;  ///< rows of that file that are in the new one
    std::int64_t lost = 0;      ///< request ids that it had, too; -1: nobody knows how many
    std::uint64_t healed = 0;   ///< rows whose check sum was wrong
};

}  // namespace fieldgate::storage
