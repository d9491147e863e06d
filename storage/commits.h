#pragma once
#include <algorithm>
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/event.h"
#include "base/task_group.h"
#include "base/worker.h"
#include "storage/control_job.h"

namespace fieldgate::storage {

class ControlDisk;

/// Writes what ledger, audit and roster give it: whatever waits at one time is one commit. A disk
/// that fails is opened anew, with pauses; meanwhile jobs that are not patient are refused at once:
/// busy while the file is not open (not yet, or a rescue is under way), otherwise with what is
/// wrong. Runs on the loop.
class Commits {
public:
    using Clock = std::chrono::steady_clock;

    /// `interval`: how long soon() may wait.
    Commits(const asio::any_io_executor& loop, std::string folder, std::int64_t life,
            std::chrono::milliseconds interval);
    ~Commits();

    /// `seen` is told what is in the file each time it has been opened. Before open().
    void on_open(std::function<void(const ControlStock&)> seen) { seen_ = std::move(seen); }
    /// Has the file opened; waits for nothing. Never a reason not to start: a disk that fails is
    /// tried again.
    void open();
    /// Waits until the file is open, has failed to open once, or `deadline`. One caller at a time.
    asio::awaitable<void> opened(Clock::time_point deadline);
    /// Writes what waits, and closes. After it nothing may be called but the destructor.
    asio::awaitable<void> close();

    /// With the next commit, which is due now.
    void now(ControlJob job);
    /// With the next commit, within the interval.
    void soon(ControlJob job);
    /// As now(), and waits for it. The job's own `settled` is called before.
    asio::awaitable<Result<void>> written(ControlJob job);
    /// Runs `query` on the worker between commits. Errors: closed (not open), and its own.
    asio::awaitable<Result<void>> read(std::function<Result<void>(Database&)> query);

    /// What is refused without a note may be told, although the file is not open or cannot be
    /// written: the next life will know (unnoted.h). Whoever tells it says so with use_unnoted().
    bool unnoted_allowed() const { return unnoted_allowed_; }
    void use_unnoted() { unnoted_used_ = true; }

    bool disk_ok() const { return !broken_; }
    std::size_t waiting() const { return jobs_.size(); }
    /// When its flow last turned, or its worker was last seen to work.
    Clock::time_point turned() const { return std::max(turned_, worker_.seen_working()); }

private:
    asio::awaitable<void> keep();
    asio::awaitable<void> commit();
    asio::awaitable<bool> reopen();
    asio::awaitable<Result<ControlStock>> open_disk();
    void add(ControlJob job, Clock::time_point at);
    void settle(std::vector<ControlJob> jobs, const Result<void>& done);
    void failed(const Error& error);
    Error not_open() const;
    void works();

    asio::any_io_executor loop_;
    std::chrono::milliseconds interval_;
    std::unique_ptr<ControlDisk> disk_;
    Worker worker_;  // after disk_: its last job ends first
    TaskGroup flows_;
    std::function<void(const ControlStock&)> seen_;

    std::vector<ControlJob> jobs_;
    Clock::time_point due_ = Clock::time_point::max();
    Clock::time_point turned_ = Clock::now();
    bool must_reopen_ = true;
    bool unnoted_allowed_ = false;
    bool unnoted_used_ = false;
    std::optional<Error> broken_;
    Clock::time_point retry_at_;
    Backoff retry_{std::chrono::milliseconds(100), std::chrono::seconds(10)};
    Event wake_;
    Event first_look_;  // opened()
};

}  // namespace fieldgate::storage
