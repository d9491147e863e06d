#include <algorithm>
#include <utility>

#include "base/log.h"
#include "storage/outbox_state.h"

using namespace std::chrono_literals;

namespace fieldgate::storage {
namespace {

constexpr std::size_t window_bytes = 1UL << 20;  // of rows on disk that stay in RAM
constexpr auto late = 5s;                        // flash_saver: unacknowledged for so long
constexpr auto nap = 10s;
constexpr auto look_again = 2s;  // at a disk that is full

}  // namespace

/// A commit, from the making of its batch to its end.
struct Outbox::State::Commit {
    Batch batch;
    std::array<std::optional<Shelf::Frozen>, 2> frozen;
    std::array<SeqSet, 2> again;  ///< rows of it that the disk has had before
};

asio::awaitable<void> Outbox::State::keep() {
    for (;;) {
        turned_ = Clock::now();
        const auto until = std::min(due_, Clock::now() + nap);
        co_await wake_.wait_until(until);
        const auto now = Clock::now();
        if (!urgent_ && now < due_) continue;
        if (now < retry_at_ && (must_reopen_ || !disk_ok_)) {
            urgent_ = false;
            due_ = retry_at_;
            continue;
        }
        co_await commit();
    }
}

asio::awaitable<void> Outbox::State::commit() {
    const bool all = std::exchange(urgent_, false);
    due_ = Clock::time_point::max();
    const bool known = co_await know_disk();
    if (!known) co_return;
    if (writes_late() && all) spill_ = true;
    quarantine_condemned();
    make_room();
    Commit commit;
    make_batch(commit);
    // A disk that has failed works again when it has taken something, be it the books alone.
    if (disk_ok_ && nothing_in(commit.batch)) {
        plan_next();
        co_return;
    }
    committing_ = true;
    counters_dirty_ = false;
    const Result<DiskFigures> done =
        co_await worker_.run([&] { return disk_.commit(commit.batch); });
    finish(commit, done);
}

// Open, and seen lately if its figures say that it is full: there may have been nothing to write
// that would have brought new ones.
asio::awaitable<bool> Outbox::State::know_disk() {
    bool known = true;
    if (must_reopen_)
        known = co_await reopen();
    else if (full_ && Clock::now() >= looked_ + look_again)
        known = co_await look();
    else
        co_return true;
    // Stopped meanwhile: the wait that follows would not begin, and its batch would be lost.
    const auto stop = (co_await asio::this_coro::cancellation_state).cancelled();
    if (stop != asio::cancellation_type::none) co_return false;
    co_return known;
}

asio::awaitable<bool> Outbox::State::look() {
    const Result<DiskFigures> seen = co_await worker_.run([&] { return disk_.figures(); });
    if (seen)
        saw(*seen);
    else
        failed(seen.error());
    co_return seen.has_value();
}

void Outbox::State::saw(const DiskFigures& figures) {
    figures_ = figures;
    looked_ = Clock::now();
}

asio::awaitable<bool> Outbox::State::reopen() {
    const Result<Inventory> inventory = co_await worker_.run([&] { return disk_.open(); });
    if (!inventory) {
        failed(inventory.error());
        co_return false;
    }
    if (!inventory->set_aside.empty())
        log::error("outbox was damaged", {{"kept", inventory->set_aside},
                                          {"salvaged", std::to_string(inventory->salvaged)},
                                          {"lost", std::to_string(inventory->lost)}});
    if (opened_)
        reconcile(*inventory);
    else
        adopt(*inventory);
    opened_ = true;
    must_reopen_ = false;
    saw(inventory->figures);
    quarantine_condemned();
    offer_rows();
    arrival_.notify();
    want_commit();
    co_return true;
}

// The first sight of the disk. What has come meanwhile is behind what it has.
void Outbox::State::adopt(const Inventory& inventory) {
    for (const Table table : tables) {
        const std::size_t at = index(table);
        const Seq by = inventory.next[at] - 1;
        if (by > 0) {
            lanes_.make_room(table, by);
            shelf(table).start_at(shelf(table).begin() + by);
            stamps_[at].make_room(by);
            impossible_[at].shift(by);
            for (Parked& parked : parked_)
                if (parked.table == table) parked.seq += by;
        }
        lanes_.restore(table, inventory.rows[at], inventory.next[at]);
        for (const auto& [first, stamp] : inventory.stamps[at].all())
            stamps_[at].settle(stamp.rows, stamp.shift);
        for (const auto& [first, last] : inventory.impossible[at].ranges())
            impossible_[at].add({first, last});
    }
    condemned_ = inventory.condemned;
    this_boot_from_ = inventory.this_boot_from;
    counters_.accepted += inventory.counters.accepted;
    counters_.acknowledged += inventory.counters.acknowledged;
    counters_.evicted += inventory.counters.evicted;
    counters_.quarantined += inventory.counters.quarantined;
    if (!proven_time_) proven_time_ = inventory.proven_time;
    learn_names(inventory);
    // To a connection of before, what the disk had is backlog like any other.
    replaying_ = lanes_.backlog() > 0;
    restamp_ = proof_;
    apply_restamp();
}

// Seen again after an error: what it has not any more is written again if RAM has it, else lost.
void Outbox::State::reconcile(const Inventory& inventory) {
    for (const Table table : tables) {
        const std::size_t at = index(table);
        shelf(table).write_again();
        SeqSet lost = lanes_.pending_rows(table);
        if (shelf(table).end() > shelf(table).begin())
            lost.erase({shelf(table).begin(), shelf(table).end() - 1});
        SeqSet on_disk = inventory.rows[at];
        for (const auto& [first, last] : inventory.condemned[at].ranges())
            on_disk.add({first, last});
        SeqSet unwanted = on_disk;
        const SeqSet pending = lanes_.pending_rows(table);
        for (const auto& [first, last] : pending.ranges()) unwanted.erase({first, last});
        for (const auto& [first, last] : condemned_[at].ranges()) {
            unwanted.erase({first, last});
            lost.add({first, last});
        }
        for (const auto& [first, last] : on_disk.ranges()) lost.erase({first, last});
        removals_[at] = unwanted;
        again_[at] = on_disk;
        again_[at].erase({0, shelf(table).begin() - 1});
        for (const auto& [first, last] : unwanted.ranges()) again_[at].erase({first, last});
        for (const auto& [first, last] : lost.ranges()) {
            counters_.quarantined += lanes_.drop(table, {first, last});
            counters_.quarantined += condemned_[at].erase({first, last});
        }
        if (!lost.empty()) {
            log::error("outbox rows lost", {{"rows", std::to_string(lost.count())}});
            gone(table, lost);
        }
    }
    for (auto& page : pages_) page.clear();
    stamps_dirty_ = true;
    learn_names(inventory);
}

void Outbox::State::learn_names(const Inventory& inventory) {
    std::fill(disk_ids_.begin(), disk_ids_.end(), 0);
    series_of_disk_.clear();
    new_names_.clear();
    next_disk_id_ = 1;
    for (const StoredSeries& stored : inventory.series) {
        const SeriesId id = series_.intern(stored.device_id, stored.service_id);
        if (disk_ids_.size() <= id) disk_ids_.resize(id + 1, 0);
        disk_ids_[id] = stored.id;
        series_of_disk_[stored.id] = id;
        next_disk_id_ = std::max(next_disk_id_, stored.id + 1);
    }
}

std::int64_t Outbox::State::disk_id(SeriesId series) {
    if (disk_ids_.size() <= series) disk_ids_.resize(series + 1, 0);
    std::int64_t& id = disk_ids_[series];
    if (id == 0) {
        id = next_disk_id_++;
        series_of_disk_[id] = series;
        new_names_.push_back(series);
    }
    return id;
}

bool Outbox::State::anything_to_write() {
    return unwritten_bytes() > 0 || !removals_[0].empty() || !removals_[1].empty() ||
           !parked_.empty() || stamps_dirty_ || counters_dirty_;
}

bool Outbox::State::nothing_in(const Batch& batch) const {
    return batch.inserts.empty() && batch.quarantine.empty() && batch.removals[0].empty() &&
           batch.removals[1].empty() && !batch.stamps_changed && !(closing_ && counters_dirty_);
}

// Rows before it are due: all, or those that have waited long enough.
Seq Outbox::State::write_end(Table table) const {
    if (!writes_late() || spill_ || closing_) return shelf(table).end();
    const auto limit = Clock::now() - late;
    Seq end = shelf(table).written();
    while (end < shelf(table).end()) {
        const Shelf::Entry* entry = shelf(table).find(end);
        if (entry != nullptr && entry->appended > limit) break;
        ++end;
    }
    return end;
}

std::size_t Outbox::State::batch_bytes_max() const {
    return std::min<std::size_t>(2UL << 20, settings_.max_size_bytes / 8);
}

void Outbox::State::make_batch(Commit& commit) {
    Batch& batch = commit.batch;
    batch.counters = counters_;
    // What stays in RAM is not on disk: of it a crash must leave nothing, no count either.
    batch.counters.accepted -= shelves_[0].unwritten() + shelves_[1].unwritten();
    take_removals(batch);
    std::size_t bytes = 0;
    const std::size_t bytes_max = batch_bytes_max();
    for (const Table table : tables) {
        shelf(table).skip_gone();
        Seq seq = shelf(table).written();
        for (const Seq end = write_end(table); seq < end && bytes < bytes_max; ++seq) {
            const Shelf::Entry* entry = shelf(table).find(seq);
            if (entry == nullptr) continue;
            settle_for_taker(table, seq, entry->record);
            batch.inserts.push_back({table, seq, disk_id(entry->record.series), &entry->record});
            bytes += Shelf::cost(entry->record);
        }
        commit.frozen[index(table)].emplace(shelf(table), seq);
        commit.again[index(table)] = again_[index(table)].within({0, seq - 1});
        again_[index(table)].erase({0, seq - 1});
        batch.counters.accepted += again_[index(table)].count();
        const Seq none = lanes_.next_seq(table);
        const Seq first = std::min({lanes_.waiting(table).next(0).value_or(none),
                                    lanes_.first_leased(table).value_or(none),
                                    condemned_[index(table)].next(0).value_or(none),
                                    removals_[index(table)].next(0).value_or(none)});
        if (stamps_[index(table)].forget_below(first)) stamps_dirty_ = true;
    }
    parking_ = std::exchange(parked_, {});
    for (const Parked& parked : parking_) {
        const Record* record = parked.record ? &*parked.record : nullptr;
        const std::int64_t id = record != nullptr ? disk_id(record->series) : 0;
        batch.quarantine.push_back({parked.table, parked.seq, id, record, parked.why});
    }
    for (const SeriesId id : new_names_)
        batch.series.push_back({disk_ids_[id], series_[id].device_id, series_[id].service_id});
    batch.stamps = stamps_;
    batch.stamps_changed = std::exchange(stamps_dirty_, false);
    stamps_under_way_ = batch.stamps_changed;
    batch.next = {lanes_.next_seq(Table::alarm), lanes_.next_seq(Table::data)};
    batch.counters.accepted += batch.inserts.size();
    if (proven_time_dirty_) batch.proven_time = proven_time_;
}

void Outbox::State::take_removals(Batch& batch) {
    std::uint64_t most = slice_;
    for (const Table table : tables) {
        SeqSet& out = batch.removals[index(table)];
        out = removals_[index(table)].lowest(most);
        for (const auto& [first, last] : out.ranges()) removals_[index(table)].erase({first, last});
        most -= out.count();
    }
    if (leaving() == 0) return;
    // After a crash they are pending again, so they have then been accepted again.
    sliced_ = true;
    batch.counters.accepted += leaving();
}

// With somebody waiting to send them, the time of unproven rows is settled in the commit that
// stores them: one of its own would cost 30 KB.
void Outbox::State::settle_for_taker(Table table, Seq seq, const Record& record) {
    if (record.proven || held_ || restamp_ || !taking_ || impossible(record)) return;
    if (stamps_[index(table)].settle({seq, seq}, std::nullopt)) stamps_dirty_ = true;
}

// The disk is as it was before: what had to leave it has to still, and so has what went meanwhile.
void Outbox::State::take_back(Table table, const Commit& commit) {
    SeqSet& removals = removals_[index(table)];
    SeqSet& again = again_[index(table)];
    for (const auto& [first, last] : commit.batch.removals[index(table)].ranges())
        removals.add({first, last});
    for (const auto& [first, last] : commit.again[index(table)].ranges()) again.add({first, last});
    for (const auto& [first, last] : removals.ranges()) again.erase({first, last});
}

void Outbox::State::finish(Commit& commit, const Result<DiskFigures>& done) {
    const Batch& batch = commit.batch;
    committing_ = false;
    stamps_under_way_ = false;
    for (const Table table : tables) {
        if (done) commit.frozen[index(table)]->written();
        commit.frozen[index(table)].reset();
        if (!done) take_back(table, commit);
    }
    if (done) {
        saw(*done);
        cap_reached_ = false;
        new_names_.clear();
        parking_.clear();
        if (batch.proven_time == proven_time_) proven_time_dirty_ = false;
        works();
        for (const Table table : tables) shelf(table).trim(window_bytes);
    } else {
        parking_.insert(parking_.end(), std::make_move_iterator(parked_.begin()),
                        std::make_move_iterator(parked_.end()));
        parked_ = std::exchange(parking_, {});
        stamps_dirty_ = stamps_dirty_ || batch.stamps_changed;
        counters_dirty_ = true;
        failed(done.error());
    }
    apply_restamp();
    offer_rows();
    arrival_.notify();
    notify_flushed();
    plan_next();
}

// When keep() is next needed.
void Outbox::State::plan_next() {
    if (must_reopen_ || !disk_ok_) return want(retry_at_);
    if (refuses()) want(looked_ + look_again);
    const std::size_t left = unwritten_bytes();
    if (spill_ && left == 0) spill_ = false;
    if (sliced_ || !condemned_[0].empty() || !condemned_[1].empty()) return want(Clock::now());
    if (left > window_bytes || (spill_ && left > 0)) return want_now();
    if (!removals_[0].empty() || !removals_[1].empty() || !parked_.empty() ||
        (left > 0 && !writes_late()))
        return want(Clock::now() + settings_.commit);
    if (left == 0) return;
    for (const Table table : tables) {
        shelf(table).skip_gone();
        const Shelf::Entry* oldest = shelf(table).find(shelf(table).written());
        if (oldest != nullptr) want(oldest->appended + late);
    }
}

void Outbox::State::failed(const Error& error) {
    ++failures_;
    const auto now = Clock::now();
    if (disk_ok_) {
        bad_since_ = now;
        log::error("outbox disk fails, records stay in RAM", {{"why", error.what}});
    }
    disk_ok_ = false;
    const bool full = error.code == Errc::out_of_range;
    if (full && !must_reopen_)
        cap_reached_ = figures_.pages_used + figures_.pages_max / 16 >= figures_.pages_max;
    else
        must_reopen_ = true;
    retry_at_ = now + retry_.next();
    want(retry_at_);
    offer_rows();
    notify_flushed();
}

// A disk that can be opened and read may still refuse every write.
void Outbox::State::works() {
    if (!disk_ok_) log::notice("outbox disk works again");
    disk_ok_ = true;
    retry_.reset();
}

}  // namespace fieldgate::storage
