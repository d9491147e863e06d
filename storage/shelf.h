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
/// change nor go until thaw().
class Shelf {
public:
    using Clock = std::chrono::steady_clock;
    struct Entry {
        Record record;
        Clock::time_point appended;
        bool gone = false;
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
    void freeze(Seq end) {
        frozen_from_ = written_;
        frozen_ = end;
    }
    /// The commit has ended; `written`: it put the frozen rows on disk.
    void thaw(bool written);
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
