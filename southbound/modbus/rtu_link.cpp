#include "southbound/modbus/rtu_link.h"

#include <algorithm>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "base/log.h"
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
        std::erase_if(doubts_, [&](const Doubt& d) { return d.looks_like(request); });
        doubts_.push_back({request.unit, request.pdu.front(), request.reply_bytes, until});
    }

    void forget(std::uint8_t unit) {
        std::erase_if(doubts_, [&](const Doubt& d) { return d.unit == unit; });
    }

    /// The answer to `request` could not be told from that to a lost one.
    bool looks_like_a_lost_one(const Request& request) const {
        return std::any_of(doubts_.begin(), doubts_.end(),
                           [&](const Doubt& d) { return d.looks_like(request); });
    }

    bool owes(std::uint8_t unit) const {
        return std::any_of(doubts_.begin(), doubts_.end(),
                           [&](const Doubt& d) { return d.unit == unit; });
    }

    /// The unit is not to be asked earlier: what it still has to say has come by then.
    Instant not_before(std::uint8_t unit) const {
        Instant until = Instant::min();
        for (const Doubt& doubt : doubts_)
            if (doubt.unit == unit) until = std::max(until, doubt.until);
        return until;
    }

private:
    struct Doubt {
        std::uint8_t unit;
        std::uint8_t function;
        std::size_t reply_bytes;
        Instant until;
        bool looks_like(const Request& r) const {
            return unit == r.unit && function == r.pdu.front() && reply_bytes == r.reply_bytes;
        }
    };

    std::vector<Doubt> doubts_;  // a few for each device that does not answer
};

RtuLink::RtuLink(const asio::any_io_executor& loop, SerialSettings settings,
                 std::chrono::milliseconds turnaround)
    : timer_(loop),
      path_(settings.path),
      line_(std::make_unique<RtuLine>(std::move(settings), turnaround)),
      doubts_(std::make_unique<Doubts>()) {}

RtuLink::~RtuLink() = default;

bool RtuLink::sent() const { return sent_; }
Instant RtuLink::ready_at(std::uint8_t unit) const { return doubts_->not_before(unit); }
bool RtuLink::up() const { return up_; }
std::uint64_t RtuLink::requests() const { return requests_; }
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
    const bool ambiguous = doubts_->looks_like_a_lost_one(request);
    RtuLine::Outcome outcome = co_await worker_.run([&](const Worker::Unwanted& unwanted) {
        return line_->exchange(request, timeout, unwanted);
    });
    sent_ = outcome.sent.has_value();
    if (sent_) ++requests_;
    up_ = outcome.up;
    note_echo(outcome.echoes);
    stale_ += outcome.drained;
    // What nobody owed anything before has said is its answer, however untrue: nothing comes behind
    // it.
    const bool answered = outcome.reply || outcome.reply.error().code == Errc::refused ||
                          (outcome.whole && !doubts_->owes(request.unit));
    if (answered) {
        if (!ambiguous) doubts_->forget(request.unit);
        co_return std::move(outcome.reply);
    }
    if (outcome.up) quiet_until_ = Clock::now() + timeout;
    if (outcome.sent) doubts_->lost(request, *outcome.sent + until_forgotten(timeout));
    co_return std::move(outcome.reply);
}

void RtuLink::note_echo(std::optional<bool> echoes) {
    if (echoes == true && echoes_ != true)
        log::notice("the adapter echoes what is sent: that is passed over", {{"port", path_}});
    echoes_ = echoes;
}

// A read that looks like nothing lost: a device answers in order, so whatever it says to that, the
// lost ones are gone. nullopt: there is none.
std::optional<Request> RtuLink::proof_of(const Request& request) const {
    if (is_read(request)) {
        std::optional<Request> other = probe_of_other_length(request);
        while (other && doubts_->looks_like_a_lost_one(*other))
            other = probe_of_other_length(*other);
        return other;
    }
    // What is written need not be readable: an exception proves as much.
    const unsigned first = request.pdu[1] * 256U + request.pdu[2];
    const bool coil = request.pdu.front() == 5 || request.pdu.front() == 15;
    for (unsigned count = 1; count <= 57 && first + count <= 0x10000; count += 8) {
        const Request read =
            read_request(request.unit, coil ? Table::coil : Table::holding,
                         static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(count));
        if (!doubts_->looks_like_a_lost_one(read)) return read;
    }
    return std::nullopt;
}

// Where there is no such thing the same is read, and this answer is owed from now on: it may have
// been an old one that came. A write is no proof and is not sent twice.
asio::awaitable<Result<void>> RtuLink::prove(const Request& request,
                                             std::chrono::microseconds timeout) {
    const std::optional<Request> other = proof_of(request);
    if (!other && !is_read(request)) {
        sent_ = false;
        co_return Error(Errc::timeout, "an answer to an earlier write is still owed");
    }
    const Request& probe = other ? *other : request;
    const Result<Reply> answer = co_await exchange(probe, timeout);
    if (!is_read(request)) sent_ = false;  // nothing of the write
    if (!answer && answer.error().code != Errc::refused) co_return answer.error();
    if (!other) {
        doubts_->lost(request, Clock::now() + until_forgotten(timeout));
        co_await sleep_until(doubts_->not_before(request.unit));
        doubts_->forget(request.unit);
    }
    co_return Result<void>();
}

asio::awaitable<Result<Reply>> RtuLink::transact(const Request& request,
                                                 std::chrono::microseconds timeout) {
    expect(!request.pdu.empty(), "a request");
    co_await sleep_until(doubts_->not_before(request.unit));
    // Whatever a read comes to, it shows whether what comes back first is only an echo.
    if (is_write(request) && !echoes_) {
        if (const std::optional<Request> read = proof_of(request))
            (void)co_await exchange(*read, timeout);
        sent_ = false;
        co_await sleep_until(doubts_->not_before(request.unit));
    }
    if (doubts_->looks_like_a_lost_one(request)) {
        const Result<void> proven = co_await prove(request, timeout);
        if (!proven) co_return proven.error();
    }
    Result<Reply> reply = co_await exchange(request, timeout);
    co_return reply;
}

}  // namespace fieldgate::southbound::modbus
