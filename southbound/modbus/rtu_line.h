#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "base/backoff.h"
#include "base/worker.h"
#include "southbound/link.h"
#include "southbound/modbus/rtu_frame.h"
#include "southbound/serial_port.h"
#include "southbound/settings.h"

// libmodbus's type, so that its header stays in one file.
struct _modbus;  // NOLINT(bugprone-reserved-identifier)

namespace fieldgate::southbound::modbus {

/// One serial line with libmodbus, blocking. One thread at a time.
class RtuLine {
public:
    struct Outcome {
        explicit Outcome(Result<Reply> so_far) : reply(std::move(so_far)) {}
        Result<Reply> reply;
        bool up = false;              ///< The port is open.
        std::uint64_t drained = 0;    ///< Times that something had arrived unasked before this.
        std::optional<Instant> sent;  ///< When the request had left, at the latest; if it was sent.
        std::optional<bool> echoes;   ///< The adapter does, or not; absent: nothing shows it.
        bool whole = false;  ///< A frame of the unit that was asked came, with a good checksum.
    };

    RtuLine(SerialSettings settings, std::chrono::milliseconds turnaround);
    ~RtuLine();
    RtuLine(const RtuLine&) = delete;
    RtuLine& operator=(const RtuLine&) = delete;

    /// Opens the port if needed, keeps the silences, sends, and waits for the answer: at most
    /// `timeout` after the last byte sent. Errors as Link::transact(). Once it is unwanted it ends
    /// within 100 ms, but for an answer that is coming in.
    Outcome exchange(const Request& request, std::chrono::microseconds timeout,
                     const Worker::Unwanted& unwanted);

private:
    Result<void> open();
    Result<void> keep_silence(const Request& request, Outcome& outcome,
                              const Worker::Unwanted& unwanted);
    Result<Reply> send_and_receive(const Request& request, std::chrono::microseconds timeout,
                                   Outcome& outcome, const Worker::Unwanted& unwanted);
    void wait_for_answer(Instant deadline, const Worker::Unwanted& unwanted) const;
    void note_echo(const Request& request, const RtuLook& look);
    Result<RtuLook> receive(const Request& request, Instant deadline,
                            const Worker::Unwanted& unwanted);
    Result<Reply> judge(const Request& request, const RtuLook& look, Outcome& outcome);
    Error lost(const Error& error);

    SerialSettings settings_;
    std::chrono::nanoseconds turnaround_;
    SerialPort port_;
    std::unique_ptr<_modbus, void (*)(_modbus*)> context_;
    std::vector<std::uint8_t> frame_;     ///< To be sent.
    std::vector<std::uint8_t> received_;  ///< Since it was.
    std::optional<bool> echoes_;
    Instant last_activity_{};
    std::uint8_t last_unit_ = 0;
    Backoff reopen_;
    Instant next_open_{};
    Error last_failure_;
};

}  // namespace fieldgate::southbound::modbus
