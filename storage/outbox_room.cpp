#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "storage/outbox_state.h"

// Keeps the store below its cap: room is made before it is needed, by eviction, so that SQLite's
// own cap is the exception.
namespace fieldgate::storage {
namespace {

// Below this a store is of no use, however little the disk has left.
constexpr std::uint64_t pages_min = 64;
// So much leaves the disk with one commit: however much has to go, each takes little time and
// little room in the WAL, and carries what has come meanwhile.
constexpr std::uint64_t slice_rows = 20'000;
constexpr std::uint64_t slice_bytes = 8UL << 20;

}  // namespace

std::uint64_t Outbox::State::page_limit() const {
    const std::uint64_t reserve = 8 + figures_.pages_max / 64;
    const std::uint64_t spare = figures_.free_bytes > settings_.keep_free_bytes
                                    ? figures_.free_bytes - settings_.keep_free_bytes
                                    : 0;
    const std::uint64_t growth = figures_.pages + spare / Database::page_bytes;
    const std::uint64_t cap = figures_.pages_max > reserve ? figures_.pages_max - reserve : 0;
    return std::max(pages_min, std::min(cap, growth));
}

std::uint64_t Outbox::State::pages_needed() const {
    // A page holds whole rows up to a quarter of it well, larger ones badly.
    std::uint64_t bytes = 0;
    std::size_t cost = 0;
    for (const Table table : tables) {
        const Seq end = write_end(table);
        for (Seq seq = shelf(table).written(); seq < end && cost < batch_bytes_max(); ++seq) {
            const Shelf::Entry* entry = shelf(table).find(seq);
            if (entry == nullptr) continue;
            const std::uint64_t row = entry->record.properties.size() + 48;
            bytes += row < 1000 ? row + row / 8 : row + row / 2 + 1000;
            cost += Shelf::cost(entry->record);
        }
    }
    return bytes / Database::page_bytes + 2;
}

std::uint64_t Outbox::State::row_bytes() const {
    if (figures_.rows == 0) return Database::page_bytes;
    return std::max<std::uint64_t>(32, figures_.pages_used * Database::page_bytes / figures_.rows);
}

std::uint64_t Outbox::State::rows_in(std::uint64_t pages) const {
    return std::max<std::uint64_t>(1, pages * Database::page_bytes / row_bytes());
}

std::uint64_t Outbox::State::usual_slice() const {
    return std::min(slice_rows, slice_bytes / row_bytes() + 1);
}

std::uint64_t Outbox::State::leaving() const { return removals_[0].count() + removals_[1].count(); }

// Their boot is over and its clock was never right: nobody can say any more when they were.
void Outbox::State::quarantine_condemned() {
    for (const Table table : tables) {
        SeqSet& condemned = condemned_[index(table)];
        const std::uint64_t most = usual_slice();
        const SeqSet rows = condemned.lowest(most - std::min(most, leaving()));
        if (rows.empty()) continue;
        std::uint64_t after = condemned.count();
        for (const auto& [first, last] : rows.ranges()) {
            // Of more than are kept, the newest.
            for (Seq seq = first; seq <= last; ++seq)
                if (--after < parked_max) park(table, seq, "taken before the clock was ever right");
            condemned.erase({first, last});
        }
        counters_.quarantined += rows.count();
        gone(table, rows);
    }
}

void Outbox::State::make_room() {
    sliced_ = false;
    const std::uint64_t limit = page_limit();
    const std::uint64_t used = figures_.pages_used;
    const std::uint64_t needed = pages_needed();
    slice_ = std::max(usual_slice(), rows_in(needed));  // what comes needs the room at once
    const std::uint64_t out = std::min(slice_, leaving());
    const std::uint64_t freed = std::min(used, out * row_bytes() / Database::page_bytes);
    const std::uint64_t wanted = used - freed + needed;
    full_ = cap_reached_ || wanted > limit;
    if (wanted < limit - limit / 8) full_told_ = false;
    if (!full_) return;
    if (!std::exchange(full_told_, true))
        log::warning("outbox full, records are evicted", {{"rows", std::to_string(figures_.rows)}});
    // In chunks: pages are freed whole.
    const std::uint64_t over = wanted > limit ? wanted - limit : cap_reached_ ? limit / 16 : 0;
    evict(rows_in(over), rows_in(over + limit / 64), slice_ - out);
}

// `required` rows must go, `rows` had better; of those on disk `stored_max` for now.
void Outbox::State::evict(std::uint64_t required, std::uint64_t rows, std::uint64_t stored_max) {
    const Seq end = lanes_.next_seq(Table::data);
    if (settings_.when_full == WhenFull::drop_newest) {
        // First what has not been stored; alarms among the new may still need room.
        const std::uint64_t refused = evict_newest(Table::data, disk_end(Table::data), required);
        if (refused < required && shelf(Table::alarm).unwritten() > 0)
            evict_newest(Table::data, 0, std::min(required - refused, stored_max));
        return;
    }
    std::uint64_t evicted =
        evict_oldest(Table::data, disk_end(Table::data), std::min(rows, stored_max));
    stored_max -= evicted;
    if (evicted < required && stored_max > 0)
        evicted += evict_oldest(Table::data, end, required - evicted);
    if (evicted < required && stored_max > 0) {
        const std::uint64_t alarms = evict_oldest(Table::alarm, disk_end(Table::alarm),
                                                  std::min(required - evicted, stored_max));
        stored_max -= alarms;
        evicted += alarms;
    }
    sliced_ = evicted < required && stored_max == 0;
}

// Leased rows stay: they are about to be acknowledged, and few.
std::uint64_t Outbox::State::evict_oldest(Table table, Seq end, std::uint64_t rows) {
    SeqSet evicted;
    const Seq from = end > disk_end(table) ? disk_end(table) : 0;
    for (auto first = lanes_.waiting(table).next(from); first && *first < end && rows > 0;) {
        const auto range = std::prev(lanes_.waiting(table).ranges().upper_bound(*first));
        const Seq last = std::min({range->second, end - 1, *first + rows - 1});
        const SeqRange out{*first, last};
        evicted.add(out);
        rows -= last - *first + 1;
        lanes_.drop(table, out);
        first = lanes_.waiting(table).next(last + 1);
    }
    counters_.evicted += evicted.count();
    if (!evicted.empty()) gone(table, evicted);
    return evicted.count();
}

std::uint64_t Outbox::State::evict_newest(Table table, Seq from, std::uint64_t rows) {
    SeqSet evicted;
    while (rows > 0) {
        const std::optional<Seq> last = lanes_.waiting(table).last();
        if (!last || *last < from) break;
        const auto range = std::prev(lanes_.waiting(table).ranges().end());
        const Seq bottom = std::max(range->first, from);
        const Seq first = *last - bottom + 1 > rows ? *last - rows + 1 : bottom;
        const SeqRange out{first, *last};
        evicted.add(out);
        rows -= out.last - out.first + 1;
        lanes_.drop(table, out);
    }
    counters_.evicted += evicted.count();
    if (!evicted.empty()) gone(table, evicted);
    return evicted.count();
}

}  // namespace fieldgate::storage
