#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/worker.h"
#include "southbound/link.h"
#include "southbound/settings.h"

namespace fieldgate::southbound::modbus {

class RtuLine;

/// Modbus RTU on a serial line: libmodbus on a thread of its own; answers are found behind stray
/// bytes and an adapter's echo (rtu_frame.h).
///
/// RTU answers have no number, so a late one looks like the answer to the next request. Therefore
/// after any error the line stays silent for one response timeout and is drained, and a unit that
/// owes an answer is not asked before three and a half timeouts have passed: no answer is later
/// than three, or the timeout is too short; others may be (ready_at()). Besides, before a request
/// of the same unit, function and length as one that was lost, something of a length that is not
/// owed is read and thrown away: a device answers in order, so this proves that the lost ones are
/// gone, be they as late as they like. A write that looks like a lost one is proven by such a read,
/// too (FC 16 echoes no values). Where there is no such length (one register, up to 8 bits) the
/// same is read, not believed, and read again three and a half timeouts later. Late values are
/// never taken for new ones.
///
/// t3.5 of silence is kept between frames, `turnaround` when the unit changes. A port that is lost
/// is closed at once, and opened again by path, at most every 100 ms to 2 s. Runs on the loop.
class RtuLink final : public Link {
public:
    RtuLink(const asio::any_io_executor& loop, SerialSettings settings,
            std::chrono::milliseconds turnaround);
    /// Waits for the transaction in progress.
    ~RtuLink() override;
    RtuLink(const RtuLink&) = delete;
    RtuLink& operator=(const RtuLink&) = delete;

    /// As Link::transact(); also busy: another process has the port, the text names it.
    asio::awaitable<Result<Reply>> transact(const Request& request,
                                            std::chrono::microseconds timeout) override;
    bool sent() const override;
    Instant ready_at(std::uint8_t unit) const override;
    bool up() const override;
    std::uint64_t requests() const override;
    std::uint64_t stale() const override;

private:
    class Doubts;
    asio::awaitable<Result<Reply>> exchange(const Request& request,
                                            std::chrono::microseconds timeout);
    std::optional<Request> proof_of(const Request& request) const;
    asio::awaitable<Result<void>> prove(const Request& request, std::chrono::microseconds timeout);
    asio::awaitable<void> sleep_until(Instant when);

    void note_echo(std::optional<bool> echoes);

    asio::steady_timer timer_;
    std::string path_;
    std::unique_ptr<RtuLine> line_;  ///< Used by the worker's jobs only.
    std::unique_ptr<Doubts> doubts_;
    Instant quiet_until_{};
    std::optional<bool> echoes_;  ///< The adapter sends back what it is given; absent: unknown.
    bool sent_ = false;
    bool up_ = false;
    std::uint64_t requests_ = 0;
    std::uint64_t stale_ = 0;
    Worker worker_;  ///< Last: its end waits for the job that uses the line.
};

}  // namespace fieldgate::southbound::modbus
