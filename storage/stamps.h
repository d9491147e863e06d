#pragma once
#include <chrono>
#include <map>
#include <optional>

#include "storage/seq_set.h"

namespace fieldgate::storage {

/// Which rows of unproven time have had it settled, for good: by a shift (their true time is that
/// plus time since boot), or as it stood because they have been handed out. So no row is ever
/// stamped twice, and none has to be rewritten. Says nothing of rows whose time was proven. Pure.
class Stamps {
public:
    using Shift = std::optional<std::chrono::milliseconds>;
    struct Stamp {
        SeqRange rows;
        Shift shift;  ///< absent: as it stands
        bool operator==(const Stamp&) const = default;
    };

    /// Settles those rows of the range that are not settled yet. True if there were any.
    bool settle(SeqRange range, Shift shift);
    /// nullptr: not settled.
    const Stamp* find(Seq seq) const;
    /// Rows below `seq` are gone. True if any stamp went with them.
    bool forget_below(Seq seq);
    void make_room(Seq by);

    const std::map<Seq, Stamp>& all() const { return stamps_; }

private:
    void put(Stamp stamp);

    std::map<Seq, Stamp> stamps_;  // by first row
};

}  // namespace fieldgate::storage
