#include <algorithm>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "base/log.h"
#include "storage/outbox_state.h"

namespace fieldgate::storage {
namespace {

constexpr std::size_t read_rows = 256;
constexpr std::size_t passed_at_once = 64;
constexpr auto give_up_after = std::chrono::seconds(10);
// Unproven rows whose time is settled in one commit, ahead of the one that is to be handed out.
constexpr Seq settle_ahead = 1000;

}  // namespace

/// The lease under construction. When take() is cancelled its rows wait again.
struct Outbox::State::Taking {
    explicit Taking(State& owner) : state(owner) {
        expect(!state.taking_, "one take() at a time");
        state.taking_ = true;
    }
    ~Taking() {
        state.taking_ = false;
        if (id != 0) state.lanes_.release(id);
    }
    Taking(const Taking&) = delete;
    Taking& operator=(const Taking&) = delete;

    State& state;
    std::uint64_t id = 0;
    std::optional<Lane> lane;
    std::size_t records = 0;
    std::size_t passed = 0;     ///< that never fit
    Clock::time_point until;    ///< of lingering
    Clock::time_point give_up;  ///< of waiting for a first record
};

asio::awaitable<Lease> Outbox::State::take(std::function<Fit(const Record&)> fit,
                                           std::chrono::milliseconds linger) {
    Taking taking(*this);
    taking.give_up = Clock::now() + give_up_after;
    while (taking.records == 0 && Clock::now() < taking.give_up)
        co_await collect(taking, fit, linger);
    Lease lease;
    lease.id = std::exchange(taking.id, 0);
    lease.records = taking.records;
    lease.backlog = taking.lane == Lane::backlog;
    co_return lease;
}

// A parcel holds rows of one lane: mixed, the times of a series would not rise within it.
asio::awaitable<void> Outbox::State::collect(Taking& taking,
                                             const std::function<Fit(const Record&)>& fit,
                                             std::chrono::milliseconds linger) {
    for (;;) {
        const Candidate next = taking.lane ? candidate_in(*taking.lane) : candidate(linger);
        if (next.kind == Candidate::Kind::load) {
            co_await load(next.lane, next.range);
            continue;
        }
        if (next.kind == Candidate::Kind::none) {
            if (!taking.lane) {
                const bool arrived = co_await arrival_.wait_until(taking.give_up);
                if (!arrived) co_return;
                continue;
            }
            if (taking.lane == Lane::backlog || Clock::now() >= taking.until) co_return;
            co_await arrival_.wait_until(taking.until);
            continue;
        }
        const Fit answer = fit(*next.record);
        if (answer == Fit::full) {
            expect(taking.records > 0, "an empty parcel to have room");
            co_return;
        }
        if (!taking.lane) {
            taking.lane = next.lane;
            taking.id = lanes_.lease(next.lane);
            taking.until = next.appended + linger;
        }
        if (answer == Fit::taken) {
            lanes_.take(taking.id, next.range.first);
            ++taking.records;
            continue;
        }
        never_fits(next);
        // There may be a whole store of them: the rest of the loop has its turn in between.
        if (++taking.passed % passed_at_once == 0) co_await asio::post(loop_, asio::use_awaitable);
        if (taking.records == 0) {
            lanes_.release(std::exchange(taking.id, 0));
            taking.lane.reset();
        }
    }
}

void Outbox::State::never_fits(const Candidate& next) {
    const SeriesId id = next.record->series;
    if (too_large_.insert(id).second)
        log::error("too large for a publish, into quarantine",
                   {{"device", series_[id].device_id}, {"service", series_[id].service_id}});
    const Table table = table_of(next.lane);
    park(table, next.range.first, "too large for a publish");
    SeqSet row;
    row.add(next.range);
    lanes_.drop(table, next.range);
    ++counters_.quarantined;
    gone(table, row);
}

// Live data that may still wait for company lets the backlog go first: a parcel of that does not
// linger, and all the time that live data lingers is its own.
Outbox::State::Candidate Outbox::State::candidate(std::chrono::milliseconds linger) {
    Candidate lingering;
    for (const Lane lane : lanes_in_order) {
        const Candidate found = candidate_in(lane);
        if (found.kind == Candidate::Kind::none) continue;
        const bool may_wait = lane == Lane::live && found.kind == Candidate::Kind::row &&
                              Clock::now() < found.appended + linger;
        if (!may_wait) return found;
        lingering = found;
    }
    return lingering;
}

Outbox::State::Candidate Outbox::State::candidate_in(Lane lane) {
    const std::optional<Seq> seq = lanes_.front(lane);
    auto& page = pages_[static_cast<std::size_t>(lane)];
    if (!seq) {
        page = std::vector<Loaded>();
        return {};
    }
    const Table table = table_of(lane);
    Candidate found;
    found.lane = lane;
    found.range = {*seq, *seq};
    bool this_boot = true;
    if (const Shelf::Entry* entry = shelf(table).find(*seq)) {
        found.record = &entry->record;
        found.appended = entry->appended;
    } else if (const Loaded* row = loaded(lane, *seq)) {
        found.record = &row->record;
        this_boot = row->this_boot;
    } else {
        if (must_reopen_) return {};  // read when the disk works again
        found.kind = Candidate::Kind::load;
        found.range.last = std::max(*seq, shelf(table).begin() - 1);
        return found;
    }
    if (!found.record->proven && (held_ || restamp_ || !settled(table, *seq, this_boot))) return {};
    found.kind = Candidate::Kind::row;
    return found;
}

const Outbox::State::Loaded* Outbox::State::loaded(Lane lane, Seq seq) const {
    const auto& page = pages_[static_cast<std::size_t>(lane)];
    const auto row = std::lower_bound(page.begin(), page.end(), seq,
                                      [](const Loaded& a, Seq b) { return a.seq < b; });
    return row != page.end() && row->seq == seq ? &*row : nullptr;
}

// What is handed out with an unproven time keeps that time for good, also if we crash and send it
// again; so that is on disk before it goes out.
bool Outbox::State::settled(Table table, Seq seq, bool this_boot) {
    if (!this_boot) return true;  // nobody will ever know better
    Stamps& stamps = stamps_[index(table)];
    const SeqSet& impossible = impossible_[index(table)];
    if (impossible.contains(seq)) return false;  // until there is a guess
    if (seq >= disk_end(table)) {
        if (stamps.settle({seq, seq}, std::nullopt)) stamps_dirty_ = true;
        return true;
    }
    if (stamps.find(seq) != nullptr && !stamps_dirty_ && !stamps_under_way_) return true;
    if (stamps.find(seq) == nullptr) {
        const Seq end = std::min({seq + settle_ahead, lanes_.next_seq(table),
                                  impossible.next(seq).value_or(seq + settle_ahead)});
        stamps.settle({seq, std::max(seq, end - 1)}, std::nullopt);
        stamps_dirty_ = true;
    }
    if (stamps_dirty_ && disk_ok_) want_now();
    return false;
}

asio::awaitable<void> Outbox::State::load(Lane lane, SeqRange range) {
    const Table table = table_of(lane);
    Result<Page> page = co_await worker_.run([&] { return disk_.read(table, range, read_rows); });
    if (page)
        install(lane, range, *page);
    else
        failed(page.error());
}

void Outbox::State::install(Lane lane, SeqRange range, Page& read) {
    const Table table = table_of(lane);
    std::vector<Loaded> page;
    page.reserve(read.rows.size());
    for (StoredRow& row : read.rows) {
        const auto series = series_of_disk_.find(row.series);
        if (series == series_of_disk_.end()) {
            read.bad.push_back(row.seq);
            continue;
        }
        Loaded& loaded = page.emplace_back();
        loaded.seq = row.seq;
        loaded.this_boot = row.this_boot;
        loaded.record.series = series->second;
        loaded.record.priority = table == Table::alarm ? Priority::alarm : Priority::normal;
        loaded.record.at = row.at;
        loaded.record.since_boot = row.since_boot;
        loaded.record.proven = row.proven;
        loaded.record.properties = std::move(row.properties);
        if (!row.proven) stamp(table, row.seq, loaded.record);
    }
    // Waiting, looked for, and not there: lost, and counted.
    SeqSet lost;
    const Seq through = std::min(read.through, range.last);
    auto row = page.begin();
    for (auto seq = lanes_.waiting(table).next(range.first); seq && *seq <= through;
         seq = lanes_.waiting(table).next(*seq + 1)) {
        while (row != page.end() && row->seq < *seq) ++row;
        if (row == page.end() || row->seq != *seq) lost.add({*seq, *seq});
    }
    pages_[static_cast<std::size_t>(lane)] = std::move(page);
    if (lost.empty()) return;
    log::error("outbox rows damaged", {{"rows", std::to_string(lost.count())}});
    for (const Seq seq : read.bad)
        if (lost.contains(seq)) park(table, seq, "wrong check sum");
    for (const auto& [first, last] : lost.ranges())
        counters_.quarantined += lanes_.drop(table, {first, last});
    gone(table, lost);
}

}  // namespace fieldgate::storage
