#include "storage/outbox.h"

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "storage/outbox_state.h"
#include "storage/proven_time.h"

using namespace std::chrono_literals;

namespace fieldgate::storage {
namespace {

constexpr std::size_t commit_bytes = 1UL << 20;  // pending that does not wait for the timer
constexpr std::size_t ram_bytes_max = 8UL << 20;
// So long a disk may fail before its records are sent without it: better sent than evicted.
constexpr auto disk_patience = 5s;
constexpr auto time_step = 5min;
constexpr auto empty_after = 10s;

}  // namespace

Outbox::Outbox(const asio::any_io_executor& loop, Settings settings, SeriesTable& series,
               std::string boot_id, Utc floor)
    : state_(
          std::make_unique<State>(loop, std::move(settings), series, std::move(boot_id), floor)) {}
Outbox::~Outbox() = default;

Result<void> Outbox::open() { return state_->open(); }
asio::awaitable<void> Outbox::opened(std::chrono::steady_clock::time_point deadline) {
    return state_->opened(deadline);
}
void Outbox::append(std::span<Record> records) { state_->append(records); }
asio::awaitable<void> Outbox::flushed() { return state_->flushed(); }
asio::awaitable<Lease> Outbox::take(std::function<Fit(const Record&)> fit,
                                    std::chrono::milliseconds linger) {
    return state_->take(std::move(fit), linger);
}
void Outbox::remove(const Lease& lease) { state_->remove(lease); }
void Outbox::release(const Lease& lease) { state_->release(lease); }
void Outbox::quarantine(const Lease& lease, std::string_view why) {
    state_->quarantine(lease, why);
}
void Outbox::mark_backlog() { state_->mark_backlog(); }
asio::awaitable<bool> Outbox::backlog_gone() { return state_->backlog_gone(); }
void Outbox::set_held(bool held) { state_->set_held(held); }
void Outbox::restamp(std::chrono::milliseconds offset) { state_->restamp(offset); }
void Outbox::note_proven_time(Utc now) { state_->note_proven_time(now); }
std::optional<Utc> Outbox::proven_time() const { return state_->proven_time(); }
void Outbox::guess(std::chrono::milliseconds offset) { state_->guess(offset); }
OutboxStatus Outbox::status() const { return state_->status(); }
asio::awaitable<void> Outbox::close() { return state_->close(); }

Outbox::State::State(const asio::any_io_executor& loop, Settings settings, SeriesTable& series,
                     std::string boot_id, Utc floor)
    : loop_(loop),
      settings_(settings),
      series_(series),
      floor_(floor),
      disk_(std::move(settings), std::move(boot_id), floor),
      flows_(loop),
      wake_(loop),
      arrival_(loop),
      backlog_gone_(loop),
      first_look_(loop) {}

Result<void> Outbox::State::open() {
    std::error_code failure;
    std::filesystem::create_directories(settings_.path, failure);
    if (failure) return Error(Errc::io, settings_.path + ": " + failure.message());
    Result<Lock> lock = Lock::take(settings_.path + "/outbox.lock");
    if (!lock) return lock.error();
    lock_ = std::move(*lock);
    kept_time_ = read_proven_time(settings_.path + "/" + proven_time_file);
    opening_since_ = Clock::now();
    want(opening_since_);
    flows_.spawn("outbox", keep());
    flows_.spawn("outbox patience", lose_patience());
    return {};
}

asio::awaitable<void> Outbox::State::opened(std::chrono::steady_clock::time_point deadline) {
    while (!opened_ && failures_ == 0 && std::chrono::steady_clock::now() < deadline)
        co_await first_look_.wait_until(deadline);
}

void Outbox::State::append(std::span<Record> records) {
    const auto now = Clock::now();
    counters_.accepted += records.size();
    for (Record& record : records) {
        const Table table = record.priority == Priority::alarm ? Table::alarm : Table::data;
        if (table == Table::data && refuses()) {
            ++counters_.evicted;
            counters_dirty_ = true;
            continue;
        }
        keep_since_boot_rising(record);
        const Seq seq = lanes_.append(table);
        if (impossible(record)) impossible_[index(table)].add({seq, seq});
        shelf(table).push(seq, std::move(record), now);
    }
    bound_ram();
    offer_rows();
    if (unwritten_bytes() > commit_bytes && !must_reopen_ && disk_ok_) return want_now();
    want_commit();
}

// Stamped again, a record is its time since boot plus one offset: that has to rise as event_time
// does, which the mapping may have moved by a millisecond.
void Outbox::State::keep_since_boot_rising(Record& record) {
    if (record.proven) return;
    if (last_since_boot_.size() <= record.series) last_since_boot_.resize(record.series + 1, -1ms);
    auto& last = last_since_boot_[record.series];
    if (record.since_boot <= last) record.since_boot = last + 1ms;
    last = record.since_boot;
}

bool Outbox::State::without_disk() const {
    const auto now = Clock::now();
    return (!disk_ok_ && now - bad_since_ >= disk_patience) ||
           (committing_ && now - committing_since_ >= disk_patience) ||
           (!opened_ && now - opening_since_ >= disk_patience);
}

// Nothing may come after the last record that would offer it, and a disk that hangs says neither
// yes nor no.
asio::awaitable<void> Outbox::State::lose_patience() {
    asio::steady_timer timer(loop_);
    for (bool before = false;;) {
        timer.expires_after(500ms);
        co_await timer.async_wait(asio::use_awaitable);
        const bool without = without_disk();
        if (without && !before) offer_rows();
        before = without;
        if (slow_ || !committing_ || !without) continue;
        slow_ = true;
        log::warning("outbox disk is slow, records are sent from RAM");
    }
}

void Outbox::State::offer_rows() {
    const bool from_ram = writes_late() || without_disk();
    for (const Table table : tables)
        lanes_.offer(table, from_ram ? lanes_.next_seq(table) : shelf(table).written());
    if (from_ram) arrival_.notify();
}

void Outbox::State::bound_ram() {
    if (unwritten_bytes() <= ram_bytes_max) return;
    const bool newest = settings_.when_full == WhenFull::drop_newest;
    while (unwritten_bytes() > ram_bytes_max) {
        const Seq end = lanes_.next_seq(Table::data);
        const Seq from = disk_end(Table::data);
        // Frozen rows are on their way to the disk and leave RAM with the commit.
        const auto first = lanes_.waiting(Table::data).next(from);
        if (first && newest) {
            evict_newest(Table::data, from, 1);
        } else if (first) {
            evict_oldest(Table::data, end, 1);
        } else if (const auto alarm = lanes_.waiting(Table::alarm).next(disk_end(Table::alarm))) {
            evict_oldest(Table::alarm, *alarm + 1, 1);
        } else {
            return;
        }
    }
}

Seq Outbox::State::disk_end(Table table) const {
    return std::max(shelf(table).written(), shelf(table).frozen());
}

std::size_t Outbox::State::unwritten_bytes() const {
    return shelves_[0].unwritten_bytes() + shelves_[1].unwritten_bytes();
}

void Outbox::State::want(Clock::time_point at) {
    if (at >= due_) return;
    due_ = at;
    wake_.notify();
}

void Outbox::State::want_now() {
    if (urgent_) return;
    urgent_ = true;
    wake_.notify();
}

void Outbox::State::want_commit() {
    if (must_reopen_ || !disk_ok_) return want(retry_at_);
    if (!writes_late() || !removals_[0].empty() || !removals_[1].empty() || !parked_.empty())
        return want(Clock::now() + settings_.commit);
    plan_next();
}

asio::awaitable<void> Outbox::State::flushed() {
    struct Waiting {
        std::list<Event*>& list;
        std::list<Event*>::iterator place;
        ~Waiting() { list.erase(place); }
    };
    const std::array<Seq, 2> marks{lanes_.next_seq(tables[0]), lanes_.next_seq(tables[1])};
    Event event(loop_);
    const Waiting waiting{flushers_, flushers_.insert(flushers_.end(), &event)};
    const std::uint64_t failures = failures_;
    while (opened_ && disk_ok_ && failures == failures_ && !flushed_to(marks)) {
        if (!under_way_to(marks)) want_now();
        co_await event.wait();
    }
}

bool Outbox::State::flushed_to(const std::array<Seq, 2>& marks) {
    for (const Table table : tables) {
        shelf(table).skip_gone();
        if (shelf(table).written() < marks[index(table)]) return false;
    }
    return true;
}

// The commit that runs has all of it: its end is heard of, and one more would find nothing.
bool Outbox::State::under_way_to(const std::array<Seq, 2>& marks) const {
    return committing_ && disk_end(tables[0]) >= marks[0] && disk_end(tables[1]) >= marks[1];
}

void Outbox::State::notify_flushed() {
    for (Event* event : flushers_) event->notify();
}

void Outbox::State::remove(const Lease& lease) {
    const Lanes::Leased leased = lanes_.finish(lease.id);
    counters_.acknowledged += leased.rows.count();
    gone(table_of(leased.lane), leased.rows);
    if (full_) want_now();
}

void Outbox::State::release(const Lease& lease) {
    lanes_.release(lease.id);
    arrival_.notify();
}

void Outbox::State::quarantine(const Lease& lease, std::string_view why) {
    const Lanes::Leased leased = lanes_.finish(lease.id);
    const Table table = table_of(leased.lane);
    for (const auto& [first, last] : leased.rows.ranges())
        for (Seq seq = first; seq <= last; ++seq) park(table, seq, why);
    counters_.quarantined += leased.rows.count();
    gone(table, leased.rows);
}

void Outbox::State::park(Table table, Seq seq, std::string_view why) {
    Parked parked;
    parked.table = table;
    parked.seq = seq;
    if (const Shelf::Entry* entry = shelf(table).find(seq)) parked.record = entry->record;
    parked.why = why;
    if (parked_.size() >= parked_max) parked_.erase(parked_.begin());
    parked_.push_back(std::move(parked));
}

// Rows that the lanes have already let go.
void Outbox::State::gone(Table table, const SeqSet& rows) {
    const Seq end = disk_end(table);
    counters_dirty_ = true;
    for (const auto& [first, last] : rows.ranges()) {
        if (first < end) removals_[index(table)].add({first, std::min(last, end - 1)});
        if (again_[index(table)].erase({first, last}) > 0)
            removals_[index(table)].add({first, last});
        for (Seq seq = std::max(first, shelf(table).begin());
             seq <= last && seq < shelf(table).end(); ++seq)
            shelf(table).forget(seq);
    }
    if (replaying_ && lanes_.backlog() == 0) {
        replaying_ = false;
        backlog_gone_.notify();
    }
    if (!flushers_.empty()) notify_flushed();
    want_commit();
}

void Outbox::State::mark_backlog() {
    lanes_.mark_backlog();
    for (auto& page : pages_) page.clear();
    replaying_ = lanes_.backlog() > 0;
    arrival_.notify();
}

asio::awaitable<bool> Outbox::State::backlog_gone() {
    return backlog_gone_.wait_until(Clock::now() + empty_after);
}

void Outbox::State::set_held(bool held) {
    held_ = held;
    arrival_.notify();
}

void Outbox::State::restamp(std::chrono::milliseconds offset) {
    proof_ = restamp_ = offset;
    if (!committing_) apply_restamp();
}

void Outbox::State::guess(std::chrono::milliseconds offset) {
    if (proof_ || (impossible_[0].empty() && impossible_[1].empty())) return;
    guess_ = offset;
    if (!committing_) apply_restamp();
}

void Outbox::State::apply_restamp() {
    if (!restamp_ && !guess_) return;
    const std::chrono::milliseconds offset = restamp_ ? *restamp_ : *guess_;
    for (const Table table : tables) {
        SeqSet rows = std::exchange(impossible_[index(table)], {});
        const SeqRange of_this_boot{this_boot_from_[index(table)], lanes_.next_seq(table) - 1};
        if (restamp_ && of_this_boot.first <= of_this_boot.last) rows.add(of_this_boot);
        for (const auto& [first, last] : rows.ranges())
            if (stamps_[index(table)].settle({first, last}, offset)) stamps_dirty_ = true;
        for (Seq seq = shelf(table).begin(); seq < shelf(table).end(); ++seq) {
            const Shelf::Entry* entry = shelf(table).find(seq);
            if (entry == nullptr || entry->record.proven) continue;
            Record copy;
            copy.since_boot = entry->record.since_boot;
            if (stamp(table, seq, copy)) shelf(table).restamp(seq, copy.at);
        }
    }
    for (const Lane lane : lanes_in_order)
        for (Loaded& row : pages_[static_cast<std::size_t>(lane)])
            if (row.this_boot && !row.record.proven) stamp(table_of(lane), row.seq, row.record);
    restamp_.reset();
    guess_.reset();
    arrival_.notify();
    if (stamps_dirty_) want(Clock::now() + settings_.commit);
}

// Of a clock that nobody had set yet.
bool Outbox::State::impossible(const Record& record) const {
    return !record.proven && record.at < floor_;
}

// True if the row has a shift; its record then has its true time.
bool Outbox::State::stamp(Table table, Seq seq, Record& record) const {
    const Stamps::Stamp* stamp = stamps_[index(table)].find(seq);
    if (stamp == nullptr || !stamp->shift) return false;
    record.at = Utc(record.since_boot + *stamp->shift);
    record.proven = true;
    return true;
}

void Outbox::State::note_proven_time(Utc now) {
    if (proven_time_ && now - *proven_time_ < time_step && *proven_time_ - now < time_step) return;
    proven_time_ = now;
    proven_time_dirty_ = true;
}

OutboxStatus Outbox::State::status() const {
    OutboxStatus status;
    status.books.accepted = counters_.accepted;
    status.books.acknowledged = counters_.acknowledged;
    status.books.evicted = counters_.evicted;
    status.books.quarantined = counters_.quarantined;
    status.books.pending = lanes_.pending() + condemned_[0].count() + condemned_[1].count();
    status.backlog = lanes_.backlog();
    status.store_bytes = figures_.store_bytes;
    status.written_bytes = figures_.written_bytes;
    status.buffered = shelves_[0].unwritten() + shelves_[1].unwritten();
    status.open = opened_;
    status.disk_ok = disk_ok_ && !slow_;
    status.turned = std::max(turned_, worker_.seen_working());
    return status;
}

asio::awaitable<void> Outbox::State::close() {
    co_await flows_.stop();
    closing_ = true;
    // A disk that fails now has been tried once more than it would have been.
    const std::uint64_t failures = failures_;
    retry_at_ = Clock::now();
    while (!given_up_ && failures == failures_ && anything_to_write()) co_await commit();
    co_await worker_.run([&] {
        disk_.close();
        return true;
    });
    lock_ = Lock();
}

}  // namespace fieldgate::storage
