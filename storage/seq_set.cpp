#include "storage/seq_set.h"

#include <algorithm>
#include <iterator>

#include "base/expect.h"

namespace fieldgate::storage {

void SeqSet::add(SeqRange range) {
    expect(range.first <= range.last, "a range to begin before it ends");
    // The usual case: one more at the end.
    if (!ranges_.empty()) {
        const auto back = std::prev(ranges_.end());
        if (back->second + 1 == range.first) {
            back->second = range.last;
            count_ += range.last - range.first + 1;
            return;
        }
    }
    auto next = ranges_.upper_bound(range.first);
    if (next != ranges_.begin()) {
        const auto before = std::prev(next);
        if (before->second + 1 >= range.first) next = before;
    }
    while (next != ranges_.end() && next->first <= range.last + 1) {
        range.first = std::min(range.first, next->first);
        range.last = std::max(range.last, next->second);
        count_ -= next->second - next->first + 1;
        next = ranges_.erase(next);
    }
    ranges_.emplace_hint(next, range.first, range.last);
    count_ += range.last - range.first + 1;
}

std::uint64_t SeqSet::erase(SeqRange range) {
    auto next = ranges_.upper_bound(range.first);
    if (next != ranges_.begin()) --next;
    const std::uint64_t before = count_;
    while (next != ranges_.end() && next->first <= range.last) {
        const SeqRange old{next->first, next->second};
        if (old.last < range.first) {
            ++next;
            continue;
        }
        next = ranges_.erase(next);
        count_ -= old.last - old.first + 1;
        if (old.first < range.first) {
            ranges_.emplace(old.first, range.first - 1);
            count_ += range.first - old.first;
        }
        if (old.last > range.last) {
            next = ranges_.emplace(range.last + 1, old.last).first;
            count_ += old.last - range.last;
            break;
        }
    }
    return before - count_;
}

void SeqSet::clear() {
    ranges_.clear();
    count_ = 0;
}

bool SeqSet::contains(Seq seq) const { return next(seq) == seq; }

std::optional<Seq> SeqSet::next(Seq from) const {
    auto range = ranges_.upper_bound(from);
    if (range != ranges_.begin() && std::prev(range)->second >= from) return from;
    if (range == ranges_.end()) return std::nullopt;
    return range->first;
}

std::optional<Seq> SeqSet::last() const {
    if (ranges_.empty()) return std::nullopt;
    return std::prev(ranges_.end())->second;
}

std::uint64_t SeqSet::count_below(Seq end) const {
    std::uint64_t below = 0;
    for (const auto& [first, last] : ranges_) {
        if (first >= end) break;
        below += std::min(last, end - 1) - first + 1;
    }
    return below;
}

SeqSet SeqSet::within(SeqRange range) const {
    SeqSet members;
    auto next = ranges_.upper_bound(range.first);
    if (next != ranges_.begin()) --next;
    for (; next != ranges_.end() && next->first <= range.last; ++next)
        if (next->second >= range.first)
            members.add({std::max(next->first, range.first), std::min(next->second, range.last)});
    return members;
}

SeqSet SeqSet::lowest(std::uint64_t most) const {
    SeqSet found;
    for (auto range = ranges_.begin(); range != ranges_.end() && most > 0; ++range) {
        const Seq last = std::min(range->second, range->first + most - 1);
        found.add({range->first, last});
        most -= last - range->first + 1;
    }
    return found;
}

void SeqSet::shift(Seq by) {
    std::map<Seq, Seq> shifted;
    for (const auto& [first, last] : ranges_)
        shifted.emplace_hint(shifted.end(), first + by, last + by);
    ranges_ = std::move(shifted);
}

}  // namespace fieldgate::storage
