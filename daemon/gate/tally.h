#pragma once
#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "model/reading.h"
#include "storage/audit_chain.h"

namespace fieldgate {

/// Keeps what changed nothing (refusals, reads) from washing what did out of the audit log: the
/// first of a kind is a row, those that follow are counted, and when a minute is over the count is
/// a row. As long as they go on the minute becomes two, four, up to 16. A day of any flood is some
/// hundred rows. Pure.
class Tally {
public:
    static constexpr std::chrono::minutes shortest{1};
    static constexpr std::chrono::minutes longest{16};
    /// Kinds that are told apart at a time; and of new ones so many at once, then one every 8
    /// minutes. What is beyond is one kind.
    static constexpr std::size_t kinds_max = 8;
    static constexpr std::chrono::minutes new_kind{8};

    /// The row to be written now; nullopt: counted. What `entry` did, to which target and with
    /// which `code` is its kind.
    std::optional<storage::AuditEntry> add(storage::AuditEntry entry, int code, Instant now);
    /// The counts whose time is over at `now`.
    std::vector<storage::AuditEntry> due(Instant now);

private:
    struct Kind {
        int code = 0;
        storage::AuditEntry last;
        std::uint64_t more = 0;  // than have a row
        std::chrono::minutes window = shortest;
        Instant since;
    };

    bool may_be_new(Instant now);

    std::list<Kind> kinds_;
    double new_kinds_ = kinds_max;  // that may begin now
    Instant filled_;
};

}  // namespace fieldgate
