#pragma once
#include <chrono>
#include <deque>

#include "model/record.h"
#include "storage/seq_set.h"

namespace fieldgate::storage {

/// The newest rows of one table in RAM: those that are not on disk yet, and a window of those that
/// are, so that live data is sent without reading it back. Runs on the loop.
///
/// Rows that a commit is writing are frozen: the worker reads them where they lie, so they neither
/// change nor go while its Frozen lives.
class Shelf {
public:
    using Clock = std::chrono::steady_clock;
    struct Entry {
        Record record;
        Clock::time_point appended;
        bool gone = false;
    };

    /// The rows from written() up to `end`, which a commit is writing. One at a time.
    class Frozen {
    public:
        Frozen(Shelf& shelf, Seq end) : shelf_(shelf) { shelf_.freeze(end); }
        ~Frozen() { shelf_.thaw(written_); }
        Frozen(const Frozen&) = delete;
        Frozen& operator=(const Frozen&) = delete;
        /// The commit has put them on disk.
        void written() { written_ = true; }

    private:
        Shelf& shelf_;
        bool written_ = false;
    };

    /// The row must be the one after the last.
    void push(Seq seq, Record record, Clock::time_point now);
    /// nullptr if it is not here.
    const Entry* find(Seq seq) const;
    /// The record gets its true time; not for frozen rows.
    void restamp(Seq seq, Utc at);
    /// Nobody wants the row any more.
    void forget(Seq seq);

    Seq begin() const { return begin_; }
    Seq end() const { return begin_ + entries_.size(); }
    /// Rows below it are on disk or gone.
    Seq written() const { return written_; }
    Seq frozen() const { return frozen_; }
    std::size_t unwritten_bytes() const { return unwritten_bytes_; }
    std::uint64_t unwritten() const { return unwritten_; }

    /// Moves written() over what is gone.
    void skip_gone();
    /// Lets rows on disk go, oldest first, until they and what is gone behind them take no more
    /// than `bytes`.
    void trim(std::size_t bytes);
    /// The disk has lost what it had: all rows here have to be written again.
    void write_again();
    /// Starts empty at `seq`; renumbers what is there.
    void start_at(Seq seq);

    /// What a record costs in RAM.
    static std::size_t cost(const Record& record) {
        return sizeof(Entry) + record.properties.capacity();
    }

private:
    Entry& at(Seq seq) { return entries_[seq - begin_]; }
    void freeze(Seq end);
    void thaw(bool written);
    void pop();

    std::deque<Entry> entries_;
    Seq begin_ = 1;
    Seq written_ = 1;
    Seq frozen_from_ = 0;
    Seq frozen_ = 0;
    std::size_t bytes_ = 0;
    std::size_t unwritten_bytes_ = 0;
    std::uint64_t unwritten_ = 0;
};

}  // namespace fieldgate::storage
