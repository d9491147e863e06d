#include "storage/lanes.h"

#include <utility>

#include "base/expect.h"

namespace fieldgate::storage {

void Lanes::restore(Table table, const SeqSet& rows, Seq next) {
    for (const auto& [first, last] : rows.ranges()) waiting_[index(table)].add({first, last});
    pending_ += rows.count();
    // Without a connection of now, all that was stored before it is backlog.
    backlog_ += rows.count();
    if (next > next_[index(table)]) next_[index(table)] = next;
    const auto last = rows.last();
    if (last && *last + 1 > backlog_end_[index(table)]) backlog_end_[index(table)] = *last + 1;
}

void Lanes::make_room(Table table, Seq by) {
    waiting_[index(table)].shift(by);
    for (auto& [id, leased] : leases_)
        if (table_of(leased.lane) == table) leased.rows.shift(by);
    next_[index(table)] += by;
    offered_[index(table)] += by;
    if (backlog_end_[index(table)] > 0) backlog_end_[index(table)] += by;
}

Seq Lanes::append(Table table) {
    const Seq seq = next_[index(table)]++;
    waiting_[index(table)].add({seq, seq});
    ++pending_;
    return seq;
}

void Lanes::mark_backlog() {
    backlog_end_ = next_;
    backlog_ = pending_;
}

std::optional<Seq> Lanes::front(Lane lane) const {
    const std::size_t table = index(table_of(lane));
    const Seq from = lane == Lane::live ? backlog_end_[table] : 0;
    const Seq end = lane == Lane::backlog && backlog_end_[table] < offered_[table]
                        ? backlog_end_[table]
                        : offered_[table];
    const std::optional<Seq> seq = waiting_[table].next(from);
    if (!seq || *seq >= end) return std::nullopt;
    return seq;
}

std::uint64_t Lanes::lease(Lane lane) {
    const std::uint64_t id = next_lease_++;
    leases_[id].lane = lane;
    return id;
}

void Lanes::take(std::uint64_t lease, Seq seq) {
    const auto leased = leases_.find(lease);
    expect(leased != leases_.end(), "a lease that is out");
    const Table table = table_of(leased->second.lane);
    expect(waiting_[index(table)].erase({seq, seq}) == 1, "a row that waits");
    leased->second.rows.add({seq, seq});
}

Lanes::Leased Lanes::finish(std::uint64_t lease) {
    const auto found = leases_.find(lease);
    expect(found != leases_.end(), "a lease that is out");
    Leased leased = std::move(found->second);
    leases_.erase(found);
    gone(table_of(leased.lane), leased.rows);
    return leased;
}

void Lanes::release(std::uint64_t lease) {
    const auto found = leases_.find(lease);
    expect(found != leases_.end(), "a lease that is out");
    const Leased& leased = found->second;
    for (const auto& [first, last] : leased.rows.ranges())
        waiting_[index(table_of(leased.lane))].add({first, last});
    leases_.erase(found);
}

std::uint64_t Lanes::drop(Table table, SeqRange range) {
    SeqSet dropped;
    const auto drop_from = [&](SeqSet& rows) {
        const SeqSet out = rows.within(range);
        for (const auto& [first, last] : out.ranges()) dropped.add({first, last});
        rows.erase(range);
    };
    drop_from(waiting_[index(table)]);
    for (auto& [id, leased] : leases_)
        if (table_of(leased.lane) == table) drop_from(leased.rows);
    gone(table, dropped);
    return dropped.count();
}

SeqSet Lanes::pending_rows(Table table) const {
    SeqSet rows = waiting_[index(table)];
    for (const auto& [id, leased] : leases_) {
        if (table_of(leased.lane) != table) continue;
        for (const auto& [first, last] : leased.rows.ranges()) rows.add({first, last});
    }
    return rows;
}

std::optional<Seq> Lanes::first_leased(Table table) const {
    std::optional<Seq> first;
    for (const auto& [id, leased] : leases_) {
        if (table_of(leased.lane) != table) continue;
        const std::optional<Seq> seq = leased.rows.next(0);
        if (seq && (!first || *seq < *first)) first = seq;
    }
    return first;
}

void Lanes::gone(Table table, const SeqSet& rows) {
    pending_ -= rows.count();
    backlog_ -= rows.count_below(backlog_end_[index(table)]);
}

}  // namespace fieldgate::storage
