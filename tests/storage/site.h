#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/series.h"
#include "storage/outbox.h"
#include "tests/storage/loop.h"

namespace fieldgate::storage {

inline Utc utc(std::int64_t milliseconds) { return Utc(std::chrono::milliseconds(milliseconds)); }

inline Record record(std::int64_t number, SeriesId series = 0,
                     Priority priority = Priority::normal) {
    Record made;
    made.series = series;
    made.priority = priority;
    made.at = utc(1'700'000'000'000 + number);
    made.since_boot = std::chrono::milliseconds(number);
    made.proven = true;
    made.properties = "{\"n\":" + std::to_string(number) + "}";
    return made;
}

inline std::int64_t number_of(const Record& made) {
    return std::stoll(made.properties.substr(made.properties.find(':') + 1));
}

/// An outbox and its loop, run until something has happened.
class Site : public Loop {
public:
    explicit Site(std::string folder) { settings.path = std::move(folder); }
    ~Site() {
        if (outbox) close();
    }
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    /// `before`: done to the outbox that is not open yet.
    Result<void> open(const std::function<void()>& before = {}) {
        Result<void> locked = begin_to_open(before);
        if (locked) run(outbox->opened());
        return locked;
    }
    /// The same without waiting until the store is open.
    Result<void> begin_to_open(const std::function<void()>& before = {}) {
        outbox = std::make_unique<Outbox>(loop.get_executor(), settings, series, boot_id, floor);
        if (before) before();
        for (int id = 0; id < 3; ++id) series.intern("meter-" + std::to_string(id), "Electrical");
        Result<void> locked = outbox->open();
        if (!locked) outbox.reset();
        return locked;
    }
    void close() {
        run(outbox->close());
        outbox.reset();
    }

    void append(Record made) { outbox->append({&made, 1}); }
    void append(std::int64_t first, std::int64_t last, SeriesId of = 0,
                Priority priority = Priority::normal) {
        for (std::int64_t number = first; number <= last; ++number)
            append(record(number, of, priority));
    }
    void flush() { run(outbox->flushed()); }

    struct Taken {
        Lease lease;
        std::vector<Record> records;
        std::vector<std::int64_t> numbers() const {
            std::vector<std::int64_t> all;
            for (const Record& one : records) all.push_back(number_of(one));
            return all;
        }
    };
    /// At most `most` records; waits for the first.
    Taken take(std::size_t most = 1000, std::chrono::milliseconds linger = 0ms) {
        Taken taken;
        taken.lease = run(outbox->take(
            [&](const Record& offered) {
                if (taken.records.size() == most) return Fit::full;
                taken.records.push_back(offered);
                return Fit::taken;
            },
            linger));
        return taken;
    }
    std::vector<Record> take_everything() {
        std::vector<Record> all;
        while (outbox->status().books.pending > 0) {
            const Taken taken = take();
            all.insert(all.end(), taken.records.begin(), taken.records.end());
            outbox->remove(taken.lease);
        }
        return all;
    }
    bool balanced() const {
        const Books books = outbox->status().books;
        return books.accepted ==
               books.acknowledged + books.pending + books.evicted + books.quarantined;
    }

    Settings settings;
    std::string boot_id = "boot-1";
    Utc floor = utc(1'600'000'000'000);
    SeriesTable series;
    std::unique_ptr<Outbox> outbox;
};

}  // namespace fieldgate::storage
