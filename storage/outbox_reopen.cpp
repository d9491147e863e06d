#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "storage/outbox_state.h"

using namespace std::chrono_literals;

// What is on the disk, seen for the first time or again after an error.
namespace fieldgate::storage {
namespace {

constexpr auto slow = 5s;  // to open

// Where the damage has taken the books themselves, nobody knows.
std::string lost_text(const Inventory& inventory) {
    return inventory.lost_known ? std::to_string(inventory.lost) : "unknown";
}

}  // namespace

asio::awaitable<bool> Outbox::State::reopen() {
    const auto began = Clock::now();
    const auto look = [this](const Worker::Unwanted& unwanted) {
        // At the end there is no time for more than is nearly done.
        static const Worker::Unwanted at_the_end{true};
        return disk_.open(closing_ ? at_the_end : unwanted);
    };
    const Result<Inventory> inventory = co_await worker_.run(look);
    if (!inventory) {
        given_up_ = inventory.error().code == Errc::closed;
        if (given_up_)
            log::notice("outbox left unopened", {{"why", inventory.error().what}});
        else
            failed(inventory.error());
        co_return false;
    }
    if (!inventory->set_aside.empty())
        log::error("outbox was damaged", {{"kept", inventory->set_aside},
                                          {"salvaged", std::to_string(inventory->salvaged)},
                                          {"lost", lost_text(*inventory)}});
    took(Clock::now() - began);
    if (opened_)
        reconcile(*inventory);
    else
        adopt(*inventory);
    opened_ = true;
    must_reopen_ = false;
    if (proven_time_ && inventory->proven_time != proven_time_) proven_time_dirty_ = true;
    first_look_.notify();
    saw(inventory->figures);
    quarantine_condemned();
    offer_rows();
    arrival_.notify();
    want_commit();
    co_return true;
}

// So that it is known why so much was in RAM meanwhile.
void Outbox::State::took(Clock::duration time) const {
    if (time < slow) return;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
    log::notice("outbox opened", {{"seconds", std::to_string(seconds)}});
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

}  // namespace fieldgate::storage
