#pragma once
#include <cstdint>
#include <map>
#include <optional>

namespace fieldgate::storage {

/// The number of a row within its table: 1, 2, 3, ... in the order of append(), never used twice.
using Seq = std::uint64_t;

struct SeqRange {
    Seq first = 0;
    Seq last = 0;  ///< Included.
    bool operator==(const SeqRange&) const = default;
};

/// A set of row numbers, kept as ranges: a queue of a million rows is one of them. Pure.
class SeqSet {
public:
    void add(SeqRange range);
    /// Returns how many of them were members.
    std::uint64_t erase(SeqRange range);
    void clear();

    std::uint64_t count() const { return count_; }
    bool empty() const { return count_ == 0; }
    bool contains(Seq seq) const;
    /// The first member at or after `from`.
    std::optional<Seq> next(Seq from) const;
    std::optional<Seq> last() const;
    std::uint64_t count_below(Seq end) const;
    /// Those of its members that are in `range`.
    SeqSet within(SeqRange range) const;
    /// The lowest `most` of its members.
    SeqSet lowest(std::uint64_t most) const;
    /// Every member renumbered.
    void shift(Seq by);

    /// first -> last, ascending, never touching.
    const std::map<Seq, Seq>& ranges() const { return ranges_; }
    bool operator==(const SeqSet&) const = default;

private:
    std::map<Seq, Seq> ranges_;
    std::uint64_t count_ = 0;
};

}  // namespace fieldgate::storage
