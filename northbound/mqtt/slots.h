#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/reading.h"
#include "northbound/goodput.h"
#include "northbound/rank.h"

namespace fieldgate::northbound::mqtt {

class Publisher;

/// The publishes under way. Each has a slot, whose number comes back with its PUBACK. A broker that
/// acknowledges nothing any more hangs; one that acknowledges what left later, and never what left
/// before, ignores that: MQTT 3.1.1 has PUBACKs in the order of the publishes (4.6). Pure.
class Slots {
public:
    struct Slot {
        Publisher* publisher = nullptr;  ///< Who waits for the answer; nullptr: has gone.
        Goodput::Flight flight;
        std::size_t payload = 0;  ///< bytes
        Rank rank = Rank::ordinary;

    private:
        friend class Slots;
        bool taken_ = false;
        std::uint64_t number_ = 0;       // in the order in which they left
        std::optional<Instant> passed_;  // since when one that left later is acknowledged
    };

    explicit Slots(std::size_t count) : slots_(count) {}

    bool full() const { return under_way_ == slots_.size(); }
    std::size_t under_way() const { return under_way_; }
    std::size_t under_way(Rank rank) const;

    /// Its number. Not to be called when full.
    int take(Slot slot);
    Slot& operator[](int number) { return slots_.at(static_cast<std::size_t>(number)); }
    /// Frees the slot, and returns what was in it; nothing if it was free.
    std::optional<Slot> acknowledged(int number, Instant now);
    /// All that are under way.
    std::vector<Slot> all() const;
    /// The same; then there are none.
    std::vector<Slot> clear();

    /// How long to wait for a PUBACK: for any at all, and for that of what was passed.
    struct Patience {
        std::chrono::milliseconds any;
        std::chrono::milliseconds passed;
    };
    /// What is not acknowledged though it should be: these, so long after something that left later
    /// was acknowledged; or all of them, so long after the last PUBACK, if one of them was not
    /// passed by any.
    struct Overdue {
        bool hangs = false;        ///< all of them
        std::vector<int> numbers;  ///< empty: nothing is overdue
    };
    Overdue overdue(Instant now, const Patience& patience) const;
    /// Nothing is overdue before, unless `patience` shrinks.
    Instant due_at(const Patience& patience) const;

private:
    std::vector<Slot> slots_;
    std::size_t under_way_ = 0, ordinary_ = 0;
    std::uint64_t sent_ = 0;
    Instant progress_;  // the last PUBACK, or when the first of those under way left
};

}  // namespace fieldgate::northbound::mqtt
