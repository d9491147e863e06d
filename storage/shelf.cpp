#include "storage/shelf.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/expect.h"

namespace fieldgate::storage {

void Shelf::push(Seq seq, Record record, Clock::time_point now) {
    if (entries_.empty() && seq > begin_) begin_ = written_ = seq;
    expect(seq == end(), "rows to come in order");
    Entry& entry = entries_.emplace_back();
    entry.record = std::move(record);
    entry.appended = now;
    const std::size_t bytes = cost(entry.record);
    bytes_ += bytes;
    unwritten_bytes_ += bytes;
    ++unwritten_;
}

const Shelf::Entry* Shelf::find(Seq seq) const {
    if (seq < begin_ || seq >= end()) return nullptr;
    const Entry& entry = entries_[seq - begin_];
    return entry.gone ? nullptr : &entry;
}

void Shelf::restamp(Seq seq, Utc utc) {
    expect(seq >= frozen_, "a row that is not being written");
    at(seq).record.at = utc;
    at(seq).record.proven = true;
}

void Shelf::forget(Seq seq) {
    if (seq < begin_ || seq >= end() || at(seq).gone) return;
    Entry& entry = at(seq);
    if (seq >= written_) {
        unwritten_bytes_ -= cost(entry.record);
        --unwritten_;
    }
    // The entry itself takes its place until it is at the front.
    bytes_ -= entry.record.properties.capacity();
    entry.gone = true;
    if (seq < frozen_from_ || seq >= frozen_) entry.record.properties = std::string();
    pop();
}

// From the front: what is gone and neither frozen nor in between.
void Shelf::pop() {
    while (!entries_.empty() && entries_.front().gone && begin_ >= frozen_) {
        entries_.pop_front();
        bytes_ -= sizeof(Entry);
        ++begin_;
        if (written_ < begin_) written_ = begin_;
    }
}

void Shelf::skip_gone() {
    while (written_ < end() && at(written_).gone) ++written_;
}

void Shelf::freeze(Seq end) {
    expect(frozen_ == 0, "one commit at a time");
    frozen_from_ = written_;
    frozen_ = end;
}

void Shelf::thaw(bool written) {
    const Seq frozen = std::exchange(frozen_, 0);
    for (Seq seq = std::max(begin_, frozen_from_); seq < frozen && seq < end(); ++seq) {
        Entry& entry = at(seq);
        if (entry.gone) {
            entry.record.properties = std::string();
        } else if (written && seq >= written_) {
            unwritten_bytes_ -= cost(entry.record);
            --unwritten_;
        }
    }
    if (written && frozen > written_) written_ = frozen;
    pop();
}

void Shelf::trim(std::size_t bytes) {
    while (bytes_ - unwritten_bytes_ > bytes && begin_ < written_ && begin_ >= frozen_)
        forget(begin_);
}

void Shelf::write_again() {
    written_ = begin_;
    unwritten_ = 0;
    unwritten_bytes_ = 0;
    for (const Entry& entry : entries_) {
        if (entry.gone) continue;
        ++unwritten_;
        unwritten_bytes_ += cost(entry.record);
    }
}

void Shelf::start_at(Seq seq) {
    expect(frozen_ == 0, "no commit under way");
    written_ += seq - begin_;
    begin_ = seq;
}

}  // namespace fieldgate::storage
