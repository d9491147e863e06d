#include "storage/ledger.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace fieldgate::storage {
namespace {

constexpr auto mark_holds = LedgerTable::mark_holds;

}  // namespace

Result<Ledger::Entry> Ledger::known(const UnderWay& request, const std::string& digest) const {
    Entry entry;
    if (request.digest != digest) {
        entry.state = Entry::State::different;
    } else if (request.answer) {
        entry.state = Entry::State::finished;
        entry.answer = *request.answer;
    } else {
        entry.state = Entry::State::under_way;
    }
    return entry;
}

asio::awaitable<Result<Ledger::Entry>> Ledger::begin(std::string request_id, std::string digest) {
    expect(!digest.empty(), "a digest");
    if (request_id.size() > id_bytes_max)
        co_return Error(Errc::out_of_range, "a request id of more than 320 bytes");
    const auto copy = under_way_.find(request_id);
    if (copy != under_way_.end()) co_return known(copy->second, digest);
    if (under_way_.size() >= under_way_max)
        co_return Error(Errc::busy, "too many commands under way");
    under_way_[request_id].digest = digest;

    const auto entry = std::make_shared<Entry>();
    ControlJob job;
    job.write = [life = life_, doubtful_until = doubtful_until_, request_id, digest, entry](
                    Database& database, std::chrono::milliseconds now) {
        Result<Entry> found = LedgerTable(database, life).begin(request_id, digest, now);
        if (!found) return Result<void>(found.error());
        *entry = std::move(*found);
        if (entry->state == Entry::State::fresh && now < doubtful_until)
            entry->state = Entry::State::doubtful;
        return Result<void>();
    };
    job.settled = [this, request_id, entry](const Result<void>& done) {
        const bool noted =
            entry->state == Entry::State::fresh || entry->state == Entry::State::doubtful;
        if (!done || !noted) under_way_.erase(request_id);
    };
    const Result<void> done = co_await commits_.written(std::move(job));
    if (!done) co_return done.error();
    co_return *entry;
}

void Ledger::adopt(const ControlStock& stock) {
    recent_ = stock.recent;
    doubtful_until_ = std::max(doubtful_until_, stock.doubtful_until);
}

// The clock begins before the commit: it says rather too early than too late that time is over.
void Ledger::mark(std::function<void(bool)> settled) {
    if (commits_.unnoted_allowed()) {
        commits_.use_unnoted();
        return settled(true);
    }
    if (marking_ || Clock::now() + mark_holds / 2 < marked_until_) return;
    marking_ = true;
    const auto until = std::make_shared<Clock::time_point>();
    ControlJob job;
    job.awaits_opening = true;
    job.write = [life = life_, until](Database& database, std::chrono::milliseconds now) {
        *until = Clock::now() + mark_holds;
        return LedgerTable(database, life).mark(now + mark_holds);
    };
    job.settled = [this, until, settled = std::move(settled)](const Result<void>& done) {
        marking_ = false;
        if (done) marked_until_ = *until;
        if (commits_.unnoted_allowed()) commits_.use_unnoted();
        settled(marked());
    };
    commits_.now(std::move(job));
}

ControlJob Ledger::finishing(const std::string& request_id, const UnderWay& request) {
    ControlJob job;
    job.write = [life = life_, request_id, digest = request.digest, answer = *request.answer](
                    Database& database, std::chrono::milliseconds now) {
        return LedgerTable(database, life).finish(request_id, digest, answer, now);
    };
    job.settled = [this, request_id](const Result<void>& done) {
        if (done)
            under_way_.erase(request_id);
        else
            write_later(request_id);
    };
    return job;
}

void Ledger::write_later(const std::string& request_id) {
    ControlJob job = finishing(request_id, under_way_.at(request_id));
    job.patient = true;
    job.settled = [this, request_id](const Result<void>& done) {
        if (done) under_way_.erase(request_id);
    };
    commits_.soon(std::move(job));
}

void Ledger::note_later(const std::string& request_id, std::string digest, std::string answer) {
    if (under_way_.size() >= notes_max || under_way_.contains(request_id)) return;
    const UnderWay& request =
        under_way_.emplace(request_id, UnderWay{std::move(digest), std::move(answer)})
            .first->second;
    ControlJob job;
    job.patient = true;
    job.write = [life = life_, request_id, request](Database& database,
                                                    std::chrono::milliseconds now) {
        LedgerTable table(database, life);
        const Result<Entry> found = table.begin(request_id, request.digest, now);
        if (!found) return Result<void>(found.error());
        if (found->state != Entry::State::fresh) return Result<void>();  // that stands
        return table.finish(request_id, request.digest, *request.answer, now);
    };
    job.settled = [this, request_id](const Result<void>& done) {
        if (done) under_way_.erase(request_id);
    };
    commits_.soon(std::move(job));
}

asio::awaitable<Result<void>> Ledger::finish(std::string request_id, std::string answer) {
    if (answer.size() > answer_bytes_max)
        co_return Error(Errc::out_of_range, "an answer of more than 64 KiB");
    const auto request = under_way_.find(request_id);
    expect(request != under_way_.end() && !request->second.answer, "a request that is under way");
    request->second.answer = std::move(answer);
    ControlJob job = finishing(request_id, request->second);
    co_return co_await commits_.written(std::move(job));
}

}  // namespace fieldgate::storage
