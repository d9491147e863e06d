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

Slots::Overdue Slots::overdue(Instant now, std::chrono::milliseconds patience) const {
    Overdue overdue;
    overdue.hangs = under_way_ > 0 && now >= progress_ + patience;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const Slot& slot = slots_[i];
        const bool ignored = slot.passed_ && now >= *slot.passed_ + patience;
        if (slot.taken_ && (overdue.hangs || ignored))
            overdue.numbers.push_back(static_cast<int>(i));
    }
    return overdue;
}

Instant Slots::due_at(std::chrono::milliseconds patience) const {
    Instant since = progress_;
    for (const Slot& slot : slots_)
        if (slot.taken_ && slot.passed_) since = std::min(since, *slot.passed_);
    return since + patience;
}

}  // namespace fieldgate::northbound::mqtt
