#pragma once
#include <array>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/backoff.h"
#include "base/event.h"
#include "base/task_group.h"
#include "base/worker.h"
#include "storage/lanes.h"
#include "storage/lock.h"
#include "storage/outbox.h"
#include "storage/outbox_disk.h"
#include "storage/shelf.h"

namespace fieldgate::storage {

// Why so long: one object, whose parts (appending, taking, committing, room) share nearly all of
// its members; each part has a file of its own, outbox_*.cpp.

/// The outbox on the loop: which rows there are (Lanes), those in RAM (Shelf), and a flow that
/// commits. The books are exact at any moment because they are made here; the disk follows, and
/// each transaction carries the books that it leaves behind.
class Outbox::State {
public:
    State(const asio::any_io_executor& loop, Settings settings, SeriesTable& series,
          std::string boot_id, Utc floor);

    // outbox.cpp
    Result<void> open();
    asio::awaitable<void> opened(std::chrono::steady_clock::time_point deadline);
    void append(std::span<Record> records);
    asio::awaitable<void> flushed();
    void remove(const Lease& lease);
    void release(const Lease& lease);
    void quarantine(const Lease& lease, std::string_view why);
    void mark_backlog();
    asio::awaitable<bool> backlog_gone();
    void set_held(bool held);
    void restamp(std::chrono::milliseconds offset);
    void note_proven_time(Utc now);
    std::optional<Utc> proven_time() const { return proven_time_ ? proven_time_ : kept_time_; }
    void guess(std::chrono::milliseconds offset);
    OutboxStatus status() const;
    asio::awaitable<void> close();

    // outbox_take.cpp
    asio::awaitable<Lease> take(std::function<Fit(const Record&)> fit,
                                std::chrono::milliseconds linger);

private:
    using Clock = Shelf::Clock;

    /// A row read back from disk.
    struct Loaded {
        Seq seq = 0;
        bool this_boot = false;
        Record record;
    };
    /// On its way to the quarantine table.
    struct Parked {
        Table table = Table::data;
        Seq seq = 0;
        std::optional<Record> record;  ///< absent: on disk
        std::string why;
    };
    static constexpr std::size_t parked_max = 1000;
    /// What take() can do next.
    struct Candidate {
        enum class Kind : std::uint8_t { none, row, load } kind = Kind::none;
        Lane lane = Lane::live;
        SeqRange range;  ///< row: its number, twice; load: what to read
        const Record* record = nullptr;
        Clock::time_point appended;
    };
    struct Taking;
    struct Commit;

    Shelf& shelf(Table table) { return shelves_[index(table)]; }
    const Shelf& shelf(Table table) const { return shelves_[index(table)]; }
    /// Rows below it may be on disk, now or when the commit under way has ended.
    Seq disk_end(Table table) const;
    std::size_t unwritten_bytes() const;
    bool refuses() const { return full_ && settings_.when_full == WhenFull::drop_newest; }
    bool writes_late() const { return settings_.durability == Durability::flash_saver; }

    // outbox.cpp
    void want(Clock::time_point at);
    void want_now();
    void want_commit();
    bool without_disk() const;
    asio::awaitable<void> lose_patience();
    void offer_rows();
    void keep_since_boot_rising(Record& record);
    void bound_ram();
    void gone(Table table, const SeqSet& rows);
    void park(Table table, Seq seq, std::string_view why);
    void apply_restamp();
    bool impossible(const Record& record) const;
    bool stamp(Table table, Seq seq, Record& record) const;
    void notify_flushed();
    bool flushed_to(const std::array<Seq, 2>& marks);
    bool under_way_to(const std::array<Seq, 2>& marks) const;

    // outbox_take.cpp
    Candidate candidate(std::chrono::milliseconds linger);
    Candidate candidate_in(Lane lane);
    const Loaded* loaded(Lane lane, Seq seq) const;
    bool settled(Table table, Seq seq, bool this_boot);
    asio::awaitable<void> load(Lane lane, SeqRange range);
    void install(Lane lane, SeqRange range, Page& page);
    asio::awaitable<void> collect(Taking& taking, const std::function<Fit(const Record&)>& fit,
                                  std::chrono::milliseconds linger);
    void never_fits(const Candidate& next);

    // outbox_commit.cpp
    asio::awaitable<void> keep();
    asio::awaitable<void> commit();
    asio::awaitable<bool> know_disk();
    asio::awaitable<bool> look();
    void saw(const DiskFigures& figures);
    std::int64_t disk_id(SeriesId series);
    std::size_t batch_bytes_max() const;
    void make_batch(Commit& commit);
    void take_removals(Batch& batch);
    void settle_for_taker(Table table, Seq seq, const Record& record);
    void take_back(Table table, const Commit& commit);
    void finish(Commit& commit, const Result<DiskFigures>& done);
    void failed(const Error& error);
    void works();
    bool anything_to_write();
    bool nothing_in(const Batch& batch) const;
    Seq write_end(Table table) const;
    void plan_next();

    // outbox_reopen.cpp
    asio::awaitable<bool> reopen();
    void took(Clock::duration time) const;
    void adopt(const Inventory& inventory);
    void reconcile(const Inventory& inventory);
    void learn_names(const Inventory& inventory);

    // outbox_room.cpp
    void make_room();
    std::uint64_t row_bytes() const;
    std::uint64_t rows_in(std::uint64_t pages) const;
    std::uint64_t usual_slice() const;
    std::uint64_t leaving() const;
    void quarantine_condemned();
    std::uint64_t page_limit() const;
    std::uint64_t pages_needed() const;
    void evict(std::uint64_t required, std::uint64_t rows, std::uint64_t stored_max);
    std::uint64_t evict_oldest(Table table, Seq end, std::uint64_t rows);
    std::uint64_t evict_newest(Table table, Seq from, std::uint64_t rows);

    asio::any_io_executor loop_;
    Settings settings_;
    SeriesTable& series_;
    Utc floor_;
    OutboxDisk disk_;
    Worker worker_;  // after disk_: its last job ends first
    TaskGroup flows_;
    Lock lock_;

    Lanes lanes_;
    std::array<Shelf, 2> shelves_;
    std::array<std::vector<Loaded>, 3> pages_;  // by lane
    std::array<SeqSet, 2> removals_;            // may be on disk, wanted no more
    std::array<SeqSet, 2> again_;               // on disk, and to be written again
    std::array<SeqSet, 2> condemned_;           // on disk, pending, and never to be taken
    std::vector<Parked> parked_;
    std::vector<Parked> parking_;  // of the commit under way
    Counters counters_;

    std::array<Stamps, 2> stamps_;
    std::array<Seq, 2> this_boot_from_{1, 1};
    bool stamps_dirty_ = false;
    bool stamps_under_way_ = false;
    std::array<SeqSet, 2> impossible_;                  // of this boot, before floor_, not stamped
    std::optional<std::chrono::milliseconds> proof_;    // the last
    std::optional<std::chrono::milliseconds> restamp_;  // waits for the commit under way
    std::optional<std::chrono::milliseconds> guess_;    // the same
    bool held_ = false;
    std::optional<Utc> proven_time_;
    bool proven_time_dirty_ = false;
    std::optional<Utc> kept_time_;  // of the file beside the store, read before that is open
    std::vector<std::chrono::milliseconds> last_since_boot_;  // by series, of unproven ones

    std::vector<std::int64_t> disk_ids_;  // by SeriesId; 0: none yet
    std::unordered_map<std::int64_t, SeriesId> series_of_disk_;
    std::int64_t next_disk_id_ = 1;
    std::vector<SeriesId> new_names_;  // have an id and are not on disk

    Clock::time_point due_ = Clock::time_point::max();
    bool urgent_ = false;
    bool committing_ = false;
    Clock::time_point committing_since_;
    bool slow_ = false;  // the commit under way takes longer than anybody waits for
    bool closing_ = false;
    bool given_up_ = false;        // to open it, because we stop
    bool spill_ = false;           // flash_saver: write everything now
    bool counters_dirty_ = false;  // the books have changed since the last batch was made
    bool taking_ = false;
    std::set<SeriesId> too_large_;  // series of which it was told that a record was
    bool replaying_ = false;        // there is a backlog
    bool full_ = false;             // the last commit had to evict
    bool full_told_ = false;
    std::uint64_t slice_ = 0;  // rows that leave with the next commit, at most
    bool sliced_ = false;      // more has to leave than the last commit could take
    bool opened_ = false;      // once
    bool must_reopen_ = true;  // not open, or not to be trusted
    bool disk_ok_ = true;
    Clock::time_point turned_ = Clock::now();
    bool cap_reached_ = false;  // SQLite refused for its page cap
    Clock::time_point bad_since_;
    Clock::time_point opening_since_;
    Clock::time_point retry_at_;
    Backoff retry_{std::chrono::milliseconds(100), std::chrono::seconds(10)};
    std::uint64_t failures_ = 0;
    DiskFigures figures_;
    Clock::time_point looked_;  // when they were so

    Event wake_;     // keep()
    Event arrival_;  // take()
    Event backlog_gone_;
    Event first_look_;  // opened()
    std::list<Event*> flushers_;
};

}  // namespace fieldgate::storage
