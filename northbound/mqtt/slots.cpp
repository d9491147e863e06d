#include "northbound/mqtt/slots.h"

#include <algorithm>
#include <utility>

#include "base/expect.h"

namespace fieldgate::northbound::mqtt {

std::size_t Slots::under_way(Rank rank) const {
    return rank == Rank::ordinary ? ordinary_ : under_way_ - ordinary_;
}

int Slots::take(Slot slot) {
    const auto place =
        std::find_if(slots_.begin(), slots_.end(), [](const Slot& one) { return !one.taken_; });
    expect(place != slots_.end(), "a slot for what the window lets through");
    if (under_way_ == 0) progress_ = slot.flight.sent;
    ++under_way_;
    if (slot.rank == Rank::ordinary) ++ordinary_;
    *place = slot;
    place->taken_ = true;
    place->number_ = ++sent_;
    return static_cast<int>(place - slots_.begin());
}

std::optional<Slots::Slot> Slots::acknowledged(int number, Instant now) {
    Slot& slot = (*this)[number];
    if (!slot.taken_) return std::nullopt;
    progress_ = now;
    --under_way_;
    if (slot.rank == Rank::ordinary) --ordinary_;
    const Slot answered = std::exchange(slot, Slot());
    for (Slot& other : slots_)
        if (other.taken_ && other.number_ < answered.number_ && !other.passed_) other.passed_ = now;
    return answered;
}

std::vector<Slots::Slot> Slots::all() const {
    std::vector<Slot> all;
    for (const Slot& slot : slots_)
        if (slot.taken_) all.push_back(slot);
    return all;
}

std::vector<Slots::Slot> Slots::clear() {
    std::vector<Slot> old = all();
    std::fill(slots_.begin(), slots_.end(), Slot());
    under_way_ = ordinary_ = 0;
    return old;
}

Slots::Overdue Slots::overdue(Instant now, const Patience& patience) const {
    std::vector<int> all;
    std::vector<int> ignored;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const Slot& slot = slots_[i];
        if (!slot.taken_) continue;
        all.push_back(static_cast<int>(i));
        if (slot.passed_ && now >= *slot.passed_ + patience.passed) ignored.push_back(all.back());
    }
    const bool hangs = now >= progress_ + patience.any && ignored.size() < all.size();
    if (hangs) return {true, all};
    return {false, ignored};
}

Instant Slots::due_at(const Patience& patience) const {
    Instant due = progress_ + patience.any;
    for (const Slot& slot : slots_)
        if (slot.taken_ && slot.passed_) due = std::min(due, *slot.passed_ + patience.passed);
    return due;
}

}  // namespace fieldgate::northbound::mqtt
