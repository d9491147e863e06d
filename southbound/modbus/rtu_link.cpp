#include "southbound/modbus/rtu_link.h"

#include <algorithm>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "southbound/modbus/pdu.h"
#include "southbound/modbus/rtu_line.h"

namespace fieldgate::southbound::modbus {
namespace {

using Clock = std::chrono::steady_clock;
// No answer is later than three timeouts; half a one more for those that are just that late.
std::chrono::microseconds until_forgotten(std::chrono::microseconds timeout) {
    return timeout * 7 / 2;
}

bool is_read(const Request& request) { return request.pdu.front() <= 4; }

}  // namespace

/// Requests that got no true answer, and whose answers may still come.
class RtuLink::Doubts {
public:
    void lost(const Request& request, Instant until) {
        if (Doubt* known = find(request)) {
            known->until = std::max(known->until, until);
            known->proven_gone = false;
        } else {
            doubts_.push_back(
                {request.unit, request.pdu.front(), request.reply_bytes, until, false});
        }
    }

    /// `request` got a true answer, so what was lost of its unit before is gone, but for what looks
    /// the same.
    void answered(const Request& request) {
        for (Doubt& doubt : doubts_)
            if (doubt.unit == request.unit && !doubt.looks_like(request)) doubt.proven_gone = true;
    }

    void forget(const Request& request) {
        std::erase_if(doubts_, [&](const Doubt& d) { return d.looks_like(request); });
    }

    /// Its answer could not be told from that to a lost one.
    bool proof_needed(const Request& request) {
        const Doubt* known = find(request);
        return known != nullptr && !known->proven_gone;
    }

    /// Not to be sent earlier: some device or adapter may not answer in order.
    Instant not_before(const Request& request) {
        const Doubt* known = find(request);
        return known == nullptr ? Instant::min() : known->until;
    }

    /// An exception has the length of no request: from this unit and function it may be a late one.
    bool exception_may_be_late(const Request& request, Instant sent) const {
        return std::any_of(doubts_.begin(), doubts_.end(), [&](const Doubt& d) {
            return d.unit == request.unit && d.function == request.pdu.front() && sent < d.until;
        });
    }

private:
    struct Doubt {
        std::uint8_t unit;
        std::uint8_t function;
        std::size_t reply_bytes;
        Instant until;
        bool proven_gone;
        bool looks_like(const Request& r) const {
            return unit == r.unit && function == r.pdu.front() && reply_bytes == r.reply_bytes;
        }
    };

    Doubt* find(const Request& request) {
        const auto found = std::find_if(doubts_.begin(), doubts_.end(),
                                        [&](const Doubt& d) { return d.looks_like(request); });
        return found == doubts_.end() ? nullptr : &*found;
    }

    std::vector<Doubt> doubts_;  // a few: one or two for each device that does not answer
};

RtuLink::RtuLink(const asio::any_io_executor& loop, SerialSettings settings,
                 std::chrono::milliseconds turnaround)
    : timer_(loop),
      line_(std::make_unique<RtuLine>(std::move(settings), turnaround)),
      doubts_(std::make_unique<Doubts>()) {}

RtuLink::~RtuLink() = default;

bool RtuLink::sent() const { return sent_; }
bool RtuLink::up() const { return up_; }
std::uint64_t RtuLink::stale() const { return stale_; }

asio::awaitable<void> RtuLink::sleep_until(Instant when) {
    if (when <= Clock::now()) co_return;
    timer_.expires_at(when);
    co_await timer_.async_wait(asio::use_awaitable);
}

asio::awaitable<Result<Reply>> RtuLink::exchange(const Request& request,
                                                 std::chrono::microseconds timeout) {
    sent_ = false;
    co_await sleep_until(quiet_until_);
    const auto asked = Clock::now();
    RtuLine::Outcome outcome =
        co_await worker_.run([&] { return line_->exchange(request, timeout); });
    sent_ = outcome.sent.has_value();
    up_ = outcome.up;
    stale_ += outcome.drained;
    if (outcome.reply) {
        doubts_->answered(request);
        co_return std::move(outcome.reply);
    }
    const Error& error = outcome.reply.error();
    if (error.code == Errc::refused && !doubts_->exception_may_be_late(request, asked)) {
        doubts_->answered(request);
        co_return std::move(outcome.reply);
    }
    if (outcome.up) quiet_until_ = Clock::now() + timeout;
    if (outcome.sent) doubts_->lost(request, *outcome.sent + until_forgotten(timeout));
    if (error.code == Errc::refused) {
        const Error late(Errc::bad_data, error.what + ", maybe of an earlier request");
        co_return late;
    }
    co_return std::move(outcome.reply);
}

// Reads something that looks different, and throws it away. Where there is nothing different the
// same is read, and what it says is not believed either.
asio::awaitable<Result<void>> RtuLink::prove(const Request& request,
                                             std::chrono::microseconds timeout) {
    const std::optional<Request> other = probe_of_other_length(request);
    const Request& probe = other ? *other : request;
    const Result<Reply> answer = co_await exchange(probe, timeout);
    // A refusal was checked for being late: it proves as much as an answer.
    if (!answer && answer.error().code != Errc::refused) co_return answer.error();
    co_await sleep_until(doubts_->not_before(request));
    co_return Result<void>();
}

asio::awaitable<Result<Reply>> RtuLink::transact(const Request& request,
                                                 std::chrono::microseconds timeout) {
    expect(!request.pdu.empty(), "a request");
    // A write is no proof and is not sent twice; it waits.
    if (is_read(request) && doubts_->proof_needed(request)) {
        const Result<void> proven = co_await prove(request, timeout);
        if (!proven) co_return proven.error();
    } else {
        co_await sleep_until(doubts_->not_before(request));
    }
    doubts_->forget(request);
    Result<Reply> reply = co_await exchange(request, timeout);
    co_return reply;
}

}  // namespace fieldgate::southbound::modbus
