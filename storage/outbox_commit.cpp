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
    committing_since_ = Clock::now();
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
    if (std::exchange(slow_, false) && done) log::notice("outbox disk works again");
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
    first_look_.notify();
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
