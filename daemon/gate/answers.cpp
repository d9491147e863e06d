#include "daemon/gate/answers.h"

#include <iterator>
#include <utility>

#include "base/log.h"

using namespace std::chrono_literals;

namespace fieldgate {

namespace codes = northbound::result_code;
using northbound::Rank;

Answers::Known Answers::known(const northbound::Request& request) const {
    if (owed_.contains(request.id)) return Known::owed;
    const Verdicts::Verdict* told = verdicts_.find(request.id);
    if (!told) return Known::no;
    const bool known = !told->digest.empty();
    if (known && told->digest != request.digest) return Known::different;
    // A note of an older version does not say which kind of answer it was.
    const bool set = std::holds_alternative<northbound::SetProperties>(request.ask);
    const bool fits =
        told->answer && set == std::holds_alternative<northbound::SetAnswer>(*told->answer);
    return fits ? Known::told : Known::noted;
}

void Answers::owe(const northbound::Request& request, Instant received, bool acts) {
    Owed owed;
    owed.received = received;
    owed.digest = request.digest;
    owed.busy = northbound::refusal(request, codes::busy, "busy: not begun in time");
    owed.unknown = northbound::refusal(request, codes::unknown, "not finished in time");
    owed.stage = acts ? Stage::noting : Stage::waiting;
    owed.number = ++numbers_;
    deadlines_.push_back({received + patience, request.id, owed.number});
    owed_.insert_or_assign(request.id, std::move(owed));
    wake_.notify();
}

bool Answers::noted(const std::string& request_id) {
    const auto found = owed_.find(request_id);
    if (found == owed_.end()) return false;
    found->second.stage = Stage::waiting;
    return true;
}

bool Answers::begin(const std::string& request_id) {
    const auto found = owed_.find(request_id);
    if (found == owed_.end()) return false;
    found->second.stage = Stage::begun;
    return true;
}

void Answers::give(const std::string& request_id, northbound::Answer answer) {
    const auto found = owed_.find(request_id);
    if (found != owed_.end()) settle(found, std::move(answer));
}

void Answers::give_unnoted(const std::string& request_id, northbound::Answer answer) {
    const auto found = owed_.find(request_id);
    if (found == owed_.end()) return;
    if (unnoted_allowed_) return settle(found, std::move(answer), true);
    found->second.unnoted = std::move(answer);
    held_owed_.push_back(request_id);
}

void Answers::settle(std::unordered_map<std::string, Owed>::iterator owed,
                     northbound::Answer answer, bool unnoted) {
    std::string id = owed->first;
    verdicts_.add(id, {std::move(owed->second.digest), answer, unnoted}, Event::Clock::now());
    const Instant until = owed->second.received + of_use;
    owed_.erase(owed);
    ready_.push_back({std::move(id), std::move(answer), Rank::urgent, until});
    wake_.notify();
}

bool Answers::has_room() {
    const bool room = refusals_.size() + held_.size() < refusals_max;
    given_up_ += room ? 0 : 1;
    return room;
}

void Answers::refuse(const northbound::Request& request, northbound::Answer answer,
                     Instant received, bool unnoted) {
    if (!has_room()) return;
    if (!verdicts_.add_refusal(request.id, {request.digest, answer, unnoted},
                               Event::Clock::now())) {
        ++given_up_;
        return;
    }
    add_refusal(request.id, std::move(answer), received, unnoted && !unnoted_allowed_);
}

void Answers::refuse(std::string request_id, northbound::Answer answer, Instant received) {
    if (!has_room()) return;
    add_refusal(std::move(request_id), std::move(answer), received, false);
}

void Answers::repeat(const northbound::Request& request, Instant received) {
    if (!has_room()) return;
    const Verdicts::Verdict& told = *verdicts_.find(request.id);
    add_refusal(request.id, *told.answer, received, told.unnoted && !unnoted_allowed_);
}

void Answers::add_refusal(std::string request_id, northbound::Answer answer, Instant received,
                          bool held) {
    (held ? held_ : refusals_)
        .push_back({std::move(request_id), std::move(answer), Rank::ordinary, received + of_use});
    wake_.notify();
}

// Since it was refused the store may have said what an earlier life made of it.
northbound::Answer Answers::unnoted_answer(const std::string& id, const Owed& owed) const {
    const Verdicts::Verdict* told = verdicts_.find(id);
    if (!told || (!told->digest.empty() && told->digest != owed.digest)) return *owed.unnoted;
    const bool fits = told->answer && told->answer->index() == owed.unknown.index();
    return fits ? *told->answer : owed.unknown;
}

void Answers::allow_unnoted(bool allowed) {
    unnoted_allowed_ = allowed;
    if (!allowed) return;
    for (const std::string& id : std::exchange(held_owed_, {})) {
        const auto found = owed_.find(id);
        if (found == owed_.end() || !found->second.unnoted) continue;
        northbound::Answer answer = unnoted_answer(id, found->second);
        settle(found, std::move(answer), true);
    }
    if (held_.empty()) return;
    refusals_.insert(refusals_.end(), std::move_iterator(held_.begin()),
                     std::move_iterator(held_.end()));
    held_.clear();
    wake_.notify();
}

void Answers::give_up_held() {
    given_up_ += held_.size();
    held_.clear();
}

void Answers::recall(std::string request_id, std::string digest,
                     std::optional<northbound::Answer> answer) {
    verdicts_.add(std::move(request_id), {std::move(digest), std::move(answer)},
                  Event::Clock::now());
}

std::size_t& Answers::sending(Rank rank) {
    return rank == Rank::urgent ? sending_ : refusals_sending_;
}

void Answers::sent(Rank rank) {
    --sending(rank);
    wake_.notify();
}

std::deque<Answers::Ready>& Answers::queue_of(const Ready& ready) {
    if (ready.losses > 1) return alone_;
    return ready.rank == Rank::urgent ? ready_ : refusals_;
}

void Answers::lost(Ready ready, std::uint64_t link, int died, Instant now) {
    sent(ready.rank);
    if (link == link_) open_ = false;
    suspected_ |= died > 0;
    ready.losses += died > 0 ? 1 : 0;
    const bool guilty = died == 1 && ready.losses > 1;
    if (guilty)
        log::warning(
            "an answer is given up: the platform closes the connection whenever it is sent",
            {{"request", ready.request_id}});
    if (guilty || now >= ready.until)
        ++given_up_;
    else
        queue_of(ready).push_front(std::move(ready));
}

void Answers::open() {
    open_ = true;
    suspected_ = false;
    ++link_;
    wake_.notify();
}

void Answers::expire(Instant now) {
    while (!deadlines_.empty() && deadlines_.front().at <= now) {
        const auto found = owed_.find(deadlines_.front().request_id);
        if (found != owed_.end() && found->second.number == deadlines_.front().number) {
            ++late_;
            const bool certain = found->second.stage == Stage::waiting;
            northbound::Answer answer = certain ? found->second.busy : found->second.unknown;
            settle(found, std::move(answer));
        }
        deadlines_.pop_front();
    }
}

// They stand in the order of their receipt, nearly: what is late behind others is dropped with
// them.
void Answers::drop_late(std::deque<Ready>& queue, Instant now) {
    while (!queue.empty() && queue.front().until <= now) {
        queue.pop_front();
        ++given_up_;
    }
}

std::optional<Answers::Ready> Answers::take(std::deque<Ready>& queue) {
    std::optional<Ready> first = std::move(queue.front());
    queue.pop_front();
    ++sending(first->rank);
    return first;
}

std::optional<Answers::Ready> Answers::next_alone(Instant now) {
    drop_late(alone_, now);
    if (alone_.empty()) return std::nullopt;
    return take(alone_);
}

asio::awaitable<std::optional<Answers::Ready>> Answers::next() {
    const Instant turn = Event::Clock::now() + 10s;
    for (;;) {
        const Instant now = Event::Clock::now();
        expire(now);
        for (auto* queue : {&ready_, &refusals_, &alone_, &held_}) drop_late(*queue, now);
        if (open_ && !ready_.empty() && sending_ < sending_max) co_return take(ready_);
        const bool refuses = open_ && !refusals_.empty() && refusals_sending_ < sending_max;
        if (refuses && refusals_pace_.take(now)) co_return take(refusals_);
        if (now >= turn) co_return std::nullopt;
        Instant until = deadlines_.empty() ? turn : std::min(turn, deadlines_.front().at);
        if (refuses) until = std::min(until, refusals_pace_.ready_at(now));
        co_await wake_.wait_until(until);
    }
}

}  // namespace fieldgate
