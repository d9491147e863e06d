#include "daemon/answers.h"

using namespace std::chrono_literals;

namespace fieldgate {

namespace codes = northbound::result_code;

bool Answers::owe(const northbound::Request& request, Instant now) {
    Owed owed;
    owed.busy = northbound::refusal(request, codes::busy, "busy: not begun in time");
    owed.unknown = northbound::refusal(request, codes::unknown, "not finished in time");
    if (!owed_.emplace(request.id, std::move(owed)).second) return false;
    deadlines_.push_back({now + patience, request.id});
    wake_.notify();
    return true;
}

bool Answers::begin(const std::string& request_id) {
    const auto found = owed_.find(request_id);
    if (found == owed_.end()) return false;
    found->second.begun = true;
    return true;
}

void Answers::give(const std::string& request_id, northbound::Answer answer) {
    if (owed_.erase(request_id) == 0) return;
    ready_.push_back({request_id, std::move(answer)});
    wake_.notify();
}

void Answers::refuse(std::string request_id, northbound::Answer answer) {
    if (refusals_.size() >= refusals_max) {
        ++given_up_;
        return;
    }
    refusals_.push_back({std::move(request_id), std::move(answer)});
    wake_.notify();
}

void Answers::sent() {
    --sending_;
    wake_.notify();
}

void Answers::expire(Instant now) {
    while (!deadlines_.empty() && deadlines_.front().at <= now) {
        const auto found = owed_.find(deadlines_.front().request_id);
        if (found != owed_.end()) {
            Owed owed = std::move(found->second);
            owed_.erase(found);
            ++late_;
            ready_.push_back({std::move(deadlines_.front().request_id),
                              std::move(owed.begun ? owed.unknown : owed.busy)});
        }
        deadlines_.pop_front();
    }
}

asio::awaitable<std::optional<Answers::Ready>> Answers::next() {
    const Instant turn = Event::Clock::now() + 10s;
    for (;;) {
        const Instant now = Event::Clock::now();
        expire(now);
        std::deque<Ready>& queue = ready_.empty() ? refusals_ : ready_;
        if (!queue.empty() && sending_ < sending_max) {
            ++sending_;
            std::optional<Ready> first = std::move(queue.front());
            queue.pop_front();
            co_return first;
        }
        if (now >= turn) co_return std::nullopt;
        const Instant until = deadlines_.empty() ? turn : std::min(turn, deadlines_.front().at);
        co_await wake_.wait_until(until);
    }
}

}  // namespace fieldgate
