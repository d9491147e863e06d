#include "storage/stamps.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace fieldgate::storage {

bool Stamps::settle(SeqRange range, Shift shift) {
    std::vector<SeqRange> gaps;
    Seq from = range.first;
    auto next = stamps_.upper_bound(range.first);
    if (next != stamps_.begin()) --next;
    for (; next != stamps_.end() && next->first <= range.last; ++next) {
        const SeqRange settled = next->second.rows;
        if (settled.last < from) continue;
        if (settled.first > from) gaps.push_back({from, settled.first - 1});
        from = settled.last + 1;
    }
    if (from <= range.last) gaps.push_back({from, range.last});
    for (const SeqRange gap : gaps) put({gap, shift});
    return !gaps.empty();
}

// Joined with its neighbours where they say the same, so that equal stamps have one form.
void Stamps::put(Stamp stamp) {
    auto after = stamps_.lower_bound(stamp.rows.first);
    if (after != stamps_.end() && after->first == stamp.rows.last + 1 &&
        after->second.shift == stamp.shift) {
        stamp.rows.last = after->second.rows.last;
        after = stamps_.erase(after);
    }
    if (after != stamps_.begin()) {
        Stamp& before = std::prev(after)->second;
        if (before.rows.last + 1 == stamp.rows.first && before.shift == stamp.shift) {
            before.rows.last = stamp.rows.last;
            return;
        }
    }
    stamps_.emplace_hint(after, stamp.rows.first, stamp);
}

const Stamps::Stamp* Stamps::find(Seq seq) const {
    const auto after = stamps_.upper_bound(seq);
    if (after == stamps_.begin()) return nullptr;
    const Stamp& stamp = std::prev(after)->second;
    return stamp.rows.last >= seq ? &stamp : nullptr;
}

bool Stamps::forget_below(Seq seq) {
    const std::size_t before = stamps_.size();
    while (!stamps_.empty() && stamps_.begin()->second.rows.last < seq)
        stamps_.erase(stamps_.begin());
    return stamps_.size() != before;
}

void Stamps::make_room(Seq by) {
    std::map<Seq, Stamp> moved;
    for (auto& [first, stamp] : stamps_) {
        stamp.rows.first += by;
        stamp.rows.last += by;
        moved.emplace(first + by, stamp);
    }
    stamps_ = std::move(moved);
}

}  // namespace fieldgate::storage
