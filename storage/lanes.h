#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "storage/seq_set.h"

namespace fieldgate::storage {

/// Where rows are kept; each numbers its rows for itself.
enum class Table : std::uint8_t { alarm, data };
inline constexpr std::array tables{Table::alarm, Table::data};
constexpr std::size_t index(Table table) { return static_cast<std::size_t>(table); }
/// Its name in outbox.db.
inline std::string table_name(Table table) { return table == Table::alarm ? "q_alarm" : "q_data"; }

/// How rows are served, in this order.
enum class Lane : std::uint8_t { alarm, live, backlog };
inline constexpr std::array lanes_in_order{Lane::alarm, Lane::live, Lane::backlog};
constexpr Table table_of(Lane lane) { return lane == Lane::alarm ? Table::alarm : Table::data; }

/// Which rows are waiting, which are out on a lease, which come next. Knows numbers only, neither
/// records nor disk. Pure.
class Lanes {
public:
    /// What the disk had; before the first append().
    void restore(Table table, const SeqSet& rows, Seq next);
    /// Renumbers everything: a disk that could be read only now has older rows.
    void make_room(Table table, Seq by);

    /// A new row: pending, and taken not before it is offered.
    Seq append(Table table);
    /// Rows below `end` may be taken.
    void offer(Table table, Seq end) { offered_[index(table)] = end; }

    /// What is pending now is backlog until it is gone.
    void mark_backlog();

    /// The row that is next in `lane`.
    std::optional<Seq> front(Lane lane) const;
    /// A new, empty lease of rows of `lane`.
    std::uint64_t lease(Lane lane);
    /// Moves `seq`, which waits, into the lease.
    void take(std::uint64_t lease, Seq seq);

    struct Leased {
        Lane lane = Lane::live;
        SeqSet rows;
    };
    /// Its rows are not pending any more.
    Leased finish(std::uint64_t lease);
    /// Its rows wait again, at their old place.
    void release(std::uint64_t lease);

    /// Rows that are pending no more, waiting or leased. Returns how many there were.
    std::uint64_t drop(Table table, SeqRange range);
    /// Rows that wait; leased ones are not in it.
    const SeqSet& waiting(Table table) const { return waiting_[index(table)]; }
    std::optional<Seq> first_leased(Table table) const;
    /// All that is pending.
    SeqSet pending_rows(Table table) const;

    Seq next_seq(Table table) const { return next_[index(table)]; }
    std::uint64_t pending() const { return pending_; }
    std::uint64_t backlog() const { return backlog_; }

private:
    void gone(Table table, const SeqSet& rows);

    std::array<SeqSet, 2> waiting_;
    std::array<Seq, 2> next_{1, 1};
    std::array<Seq, 2> offered_{0, 0};
    std::array<Seq, 2> backlog_end_{0, 0};
    std::map<std::uint64_t, Leased> leases_;
    std::uint64_t next_lease_ = 1;
    std::uint64_t pending_ = 0;
    std::uint64_t backlog_ = 0;
};

}  // namespace fieldgate::storage
