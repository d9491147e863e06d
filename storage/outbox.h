#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/record.h"
#include "model/series.h"
#include "storage/settings.h"

namespace fieldgate::storage {

/// Where every record has gone, in records, since the store was made. Each is counted for itself;
/// they balance at any moment: accepted = acknowledged + pending + evicted + quarantined. What a
/// crash takes from RAM has never been accepted; what damage takes from the disk is quarantined.
struct Books {
    std::uint64_t accepted = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t pending = 0;
    std::uint64_t evicted = 0;
    std::uint64_t quarantined = 0;
};

struct OutboxStatus {
    Books books;
    std::uint64_t backlog = 0;        ///< of pending: stored before the connection of now
    std::uint64_t store_bytes = 0;    ///< files on disk
    std::uint64_t written_bytes = 0;  ///< estimated block writes since start
    std::uint64_t buffered = 0;       ///< records in RAM that are not on disk
    bool open = false;                ///< false: not read yet; its records are not in the books
    bool disk_ok = true;              ///< false: RAM only, see the log; heals by itself
    /// When the flow that commits last turned or its worker was last seen to work: a store may take
    /// long to read, or to rescue. Older than some 10 s: the disk holds it.
    std::chrono::steady_clock::time_point turned;
};

/// The records that one publish carries, until it is acknowledged or has failed.
struct Lease {
    std::uint64_t id = 0;
    std::size_t records = 0;
    bool backlog = false;
};

/// The only queue of data: a bounded buffer in RAM that its own timer commits to disk (SQLite, WAL,
/// synchronous=FULL, on a worker). What is sent was on disk before (but in flash_saver); what
/// leaves the disk was acknowledged before. A disk that has failed, or has not opened the store,
/// for 5 s is the other exception: records are then sent from RAM, which loses less than evicting
/// them there. Bounded by max_size and keep_free: oldest first, alarms last, all counted.
///
/// Three lanes: alarms, live, backlog (what was pending at mark_backlog()); take() serves them in
/// this order, and each in the order of append(). Runs on the loop.
class Outbox {
public:
    /// `series` must outlive the outbox. `boot_id`: /proc/sys/kernel/random/boot_id; records of
    /// another boot whose time was never plausible (before `floor`) are quarantined once it is
    /// open.
    Outbox(const asio::any_io_executor& loop, Settings settings, SeriesTable& series,
           std::string boot_id, Utc floor);
    ~Outbox();

    /// Locks the store and has it opened, or made; waits for neither: everything may be called at
    /// once, and records stay in RAM meanwhile. A damaged one is set aside, salvaged and counted,
    /// never a reason not to start; a disk that is full or broken is tried again. Errors: busy
    /// (another process holds it; `detail` is its pid), io (the folder cannot be made).
    Result<void> open();
    /// Waits until the store is open, or has failed to open once, or `deadline`. One caller at a
    /// time.
    asio::awaitable<void> opened(std::chrono::steady_clock::time_point deadline =
                                     std::chrono::steady_clock::time_point::max());

    /// Moves them into the RAM buffer; never waits. What does not fit any more is evicted and
    /// counted here.
    void append(std::span<Record> records);

    /// Waits until all that was appended so far is on disk, or has been given up (durability:
    /// strict); not for a store that is not open.
    asio::awaitable<void> flushed();

    /// Waits for a first record, then for more until `fit` says full or `linger` has passed since
    /// the first was appended (backlog does not linger, and goes before live data that still does).
    /// `fit` is offered records one by one, on the loop. An empty lease (`records` 0, nothing to
    /// settle) after 10 s without any, so that the caller turns. Throws operation_aborted when
    /// cancelled. One caller at a time.
    asio::awaitable<Lease> take(std::function<Fit(const Record&)> fit,
                                std::chrono::milliseconds linger);

    /// The platform has acknowledged it: acknowledged, and off the disk with the next commit.
    void remove(const Lease& lease);
    /// It was not acknowledged: pending again, at its old place.
    void release(const Lease& lease);
    /// The platform will never take it: into quarantine, counted.
    void quarantine(const Lease& lease, std::string_view why);

    /// All that is pending from now on counts as backlog; what is appended later is live. At every
    /// connect.
    void mark_backlog();
    /// Waits until a backlog has gone, of mark_backlog() or of a store that opened after it,
    /// wherever its last record went; 10 s at most. True if one has since the last call. One caller
    /// at a time.
    asio::awaitable<bool> backlog_gone();

    /// While held, records whose time is not proven are not taken.
    void set_held(bool held);
    /// UTC is `offset` + time since boot: records of this boot that are not proven and were never
    /// taken get their true time, now and on disk; so do those that a store has which opens later.
    void restamp(std::chrono::milliseconds offset);
    /// The same by a clock that is only plausible, and only for records whose time is before
    /// `floor`: these are never taken as they are. Costs nothing when there are none.
    void guess(std::chrono::milliseconds offset);
    /// UTC is known to be `now`: kept with a commit that is made anyway, if what was kept last is
    /// 5 minutes away from it, and hourly beside the store (proven_time.h).
    void note_proven_time(Utc now);
    /// The last one noted, by an earlier run or this one; from open() on, whatever the store does.
    std::optional<Utc> proven_time() const;

    OutboxStatus status() const;

    /// Stops the timer, commits everything that the disk takes, closes. After it nothing may be
    /// called but status(), whose `buffered` are lost now, and the destructor.
    asio::awaitable<void> close();

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace fieldgate::storage
