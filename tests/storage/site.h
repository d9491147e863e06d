#pragma once
#include <stdlib.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/series.h"
#include "storage/outbox.h"

// Why so long: everything the outbox tests share, and templates cannot go to a .cpp file.

namespace fieldgate::storage {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// A folder that goes with the test.
class TempFolder {
public:
    TempFolder() {
        std::string name = (fs::temp_directory_path() / "fieldgate-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TempFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

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
class Site {
public:
    explicit Site(std::string folder) { settings.path = std::move(folder); }
    ~Site() {
        if (outbox) close();
    }
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    Result<void> open() {
        outbox = std::make_unique<Outbox>(loop.get_executor(), settings, series, boot_id, floor);
        for (int id = 0; id < 3; ++id) series.intern("meter-" + std::to_string(id), "Electrical");
        Result<void> opened = run(outbox->open());
        if (!opened) outbox.reset();
        return opened;
    }
    void close() {
        run(outbox->close());
        outbox.reset();
    }

    void run(asio::awaitable<void> flow) {
        bool done = false;
        std::exception_ptr thrown;
        asio::co_spawn(loop, std::move(flow), [&](const std::exception_ptr& failure) {
            thrown = failure;
            done = true;
        });
        while (!done) loop.run_one();
        if (thrown) std::rethrow_exception(thrown);
    }
    template <class T>
    T run(asio::awaitable<T> flow) {
        std::optional<T> answer;
        run(keep(std::move(flow), answer));
        return std::move(*answer);
    }
    /// Turns the loop until it is so. False after `limit`.
    bool until(const std::function<bool()>& so, std::chrono::milliseconds limit = 20s) {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (!so() && std::chrono::steady_clock::now() < end) loop.run_one_for(5ms);
        return so();
    }

    void append(const Record& made) { outbox->append({&made, 1}); }
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
    Taken take(std::size_t most = 1000) {
        Taken taken;
        taken.lease = run(outbox->take(
            [&](const Record& offered) {
                if (taken.records.size() == most) return Fit::full;
                taken.records.push_back(offered);
                return Fit::taken;
            },
            0ms));
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
    asio::io_context loop{1};
    SeriesTable series;
    std::unique_ptr<Outbox> outbox;

private:
    asio::executor_work_guard<asio::io_context::executor_type> work_{loop.get_executor()};

    template <class T>
    static asio::awaitable<void> keep(asio::awaitable<T> flow, std::optional<T>& answer) {
        answer.emplace(co_await std::move(flow));
    }
};

/// What a power cut would have left: the files as they are now.
inline void copy_store(const std::string& from, const std::string& to) {
    for (const char* name : {"outbox.db", "outbox.db-wal"})
        if (fs::exists(from + "/" + name))
            fs::copy_file(from + "/" + name, to + "/" + name, fs::copy_options::overwrite_existing);
}

}  // namespace fieldgate::storage
