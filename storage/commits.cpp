#include "storage/commits.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "storage/control_disk.h"

using namespace std::chrono_literals;

namespace fieldgate::storage {
namespace {

constexpr auto turn = 10s;

}  // namespace

Commits::Commits(const asio::any_io_executor& loop, std::string folder, std::int64_t life,
                 std::chrono::milliseconds interval)
    : loop_(loop),
      interval_(interval),
      disk_(std::make_unique<ControlDisk>(std::move(folder), life)),
      flows_(loop),
      wake_(loop),
      first_look_(loop) {}

Commits::~Commits() = default;

void Commits::open() {
    due_ = Clock::now();
    flows_.spawn("control", keep());
}

asio::awaitable<void> Commits::opened(Clock::time_point deadline) {
    while (must_reopen_ && !broken_ && Clock::now() < deadline)
        co_await first_look_.wait_until(deadline);
}

asio::awaitable<void> Commits::close() {
    co_await flows_.stop();
    // A disk that fails now has been tried once more than it would have been.
    if (!jobs_.empty()) co_await commit();
    settle(std::exchange(jobs_, {}), Error(Errc::closed, "the store is closed"));
    co_await worker_.run([&] {
        disk_->close();
        return true;
    });
}

void Commits::now(ControlJob job) { add(std::move(job), Clock::now()); }

void Commits::soon(ControlJob job) { add(std::move(job), Clock::now() + interval_); }

void Commits::add(ControlJob job, Clock::time_point at) {
    const bool opening = must_reopen_ && !broken_ && !unnoted_allowed_;
    const bool waits = job.patient || (job.awaits_opening && opening);
    if (must_reopen_ && !waits) return job.settled(not_open());
    if (broken_ && !job.patient && Clock::now() < retry_at_) return job.settled(*broken_);
    jobs_.push_back(std::move(job));
    if (broken_) at = std::max(at, retry_at_);
    if (at >= due_) return;
    due_ = at;
    wake_.notify();
}

Error Commits::not_open() const {
    const std::string why = broken_ ? ": " + broken_->what : " yet";
    return Error(Errc::busy, "the control store is not open" + why);
}

asio::awaitable<Result<void>> Commits::written(ControlJob job) {
    struct Waiting {
        explicit Waiting(const asio::any_io_executor& loop) : event(loop) {}
        Event event;
        Result<void> done;
    };
    // The waiter may be cancelled before the commit ends.
    const auto waiting = std::make_shared<Waiting>(loop_);
    job.settled = [waiting, first = std::move(job.settled)](const Result<void>& done) {
        if (first) first(done);
        waiting->done = done;
        waiting->event.notify();
    };
    now(std::move(job));
    co_await waiting->event.wait();
    co_return waiting->done;
}

asio::awaitable<Result<void>> Commits::read(std::function<Result<void>(Database&)> query) {
    co_return co_await worker_.run([&] { return disk_->read(query); });
}

asio::awaitable<void> Commits::keep() {
    for (;;) {
        turned_ = Clock::now();
        const auto until = std::min(due_, turned_ + turn);
        co_await wake_.wait_until(until);
        if (Clock::now() >= due_) co_await commit();
    }
}

asio::awaitable<void> Commits::commit() {
    due_ = Clock::time_point::max();
    if (must_reopen_) {
        const bool open = co_await reopen();
        if (!open) co_return;
        // Stopped meanwhile: the wait below would not begin, and its jobs would be lost.
        const auto stop = (co_await asio::this_coro::cancellation_state).cancelled();
        const bool idle = jobs_.empty() && !disk_->has_unnoted();
        if (stop != asio::cancellation_type::none || idle) co_return;
    }
    std::vector<ControlJob> jobs = std::exchange(jobs_, {});
    // Nobody tells any more of what this commit takes over.
    unnoted_allowed_ = false;
    const bool unnoted = unnoted_used_;
    const Result<void> done = co_await worker_.run([&] { return disk_->commit(jobs, unnoted); });
    unnoted_allowed_ = disk_->unnoted_allowed();
    unnoted_used_ = unnoted_used_ && !done;
    if (done)
        works();
    else
        failed(done.error());
    settle(std::move(jobs), done);
}

// A rescue takes its time: what is refused meanwhile is told, as soon as that may be.
asio::awaitable<Result<ControlStock>> Commits::open_disk() {
    Result<ControlStock> stock = co_await worker_.run([&] { return disk_->open_sound(); });
    unnoted_allowed_ = disk_->unnoted_allowed();
    if (!ControlDisk::is_damage(stock)) co_return stock;
    settle(std::exchange(jobs_, {}), not_open());
    stock = co_await worker_.run([&] { return disk_->rescue(); });
    co_return stock;
}

asio::awaitable<bool> Commits::reopen() {
    const Result<ControlStock> stock = co_await open_disk();
    if (!stock) {
        failed(stock.error());
        settle(std::exchange(jobs_, {}), stock.error());
        co_return false;
    }
    if (!stock->set_aside.empty())
        log::error("control store was damaged",
                   {{"kept", stock->set_aside},
                    {"rescued", std::to_string(stock->rescued)},
                    {"request_ids_lost", stock->lost < 0 ? "?" : std::to_string(stock->lost)}});
    if (stock->healed > 0)
        log::error("control store had bad rows", {{"rows", std::to_string(stock->healed)}});
    must_reopen_ = false;
    works();
    if (seen_) seen_(*stock);
    first_look_.notify();
    co_return true;
}

// Patient ones that failed go back to their place, before what has come meanwhile.
void Commits::settle(std::vector<ControlJob> jobs, const Result<void>& done) {
    std::vector<ControlJob> again;
    for (ControlJob& job : jobs) {
        if (!done && job.patient)
            again.push_back(std::move(job));
        else if (job.settled)
            job.settled(done);
    }
    if (again.empty()) return;
    jobs_.insert(jobs_.begin(), std::make_move_iterator(again.begin()),
                 std::make_move_iterator(again.end()));
    due_ = std::min(due_, retry_at_);
}

void Commits::failed(const Error& error) {
    if (!broken_) log::error("control store fails, commands are refused", {{"why", error.what}});
    // What is full works again by itself once there is room.
    must_reopen_ = must_reopen_ || (error.code != Errc::out_of_range && error.code != Errc::busy);
    broken_ = error;
    retry_at_ = Clock::now() + retry_.next();
    due_ = retry_at_;
    first_look_.notify();
}

void Commits::works() {
    if (broken_) log::notice("control store works again");
    broken_.reset();
    retry_.reset();
}

}  // namespace fieldgate::storage
