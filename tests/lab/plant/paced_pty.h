#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tests/lab/plant/fault.h"

namespace fieldgate::lab {

struct LineOptions {
    /// 0: as fast as the pty; else frames take their time at this speed, 11 bits a byte, and are
    /// delivered as a whole when the last bit would have come.
    std::uint32_t baud = 0;
    std::chrono::microseconds latency{0};  ///< Between the silence after a request and its answer.
    bool echo = false;                     ///< The adapter sends back what it is given.
};

/// The device's end of a serial line that is a pty, behind a symbolic link that can be unplugged.
/// Runs on its loop.
class PacedPty : public std::enable_shared_from_this<PacedPty> {
public:
    /// What to send for one whole request frame with a good checksum.
    using Answer = std::function<Spoiled(const Bytes& frame)>;

    PacedPty(const asio::any_io_executor& loop, std::string link, LineOptions options,
             Answer answer);
    ~PacedPty();
    PacedPty(const PacedPty&) = delete;
    PacedPty& operator=(const PacedPty&) = delete;

    /// Makes the pty and the link, and starts to answer.
    void plug();
    /// As pulling the plug: the other end gets EIO, the link is gone.
    void unplug();

    std::uint64_t requests() const { return requests_; }
    /// Requests that began earlier than t3.5 after the last answer; paced lines only.
    std::uint64_t silence_violations() const { return violations_; }
    /// How much later than planned all answers were delivered, in sum.
    std::chrono::nanoseconds late() const { return late_; }

private:
    using Clock = std::chrono::steady_clock;
    void read();
    void take_frames();
    void reply(const Bytes& frame);
    void send_at(Clock::time_point when, Bytes bytes);
    std::chrono::nanoseconds time_of(std::size_t bytes) const;
    std::chrono::nanoseconds silence() const;

    asio::any_io_executor loop_;
    std::string link_;
    LineOptions options_;
    Answer answer_;
    asio::posix::stream_descriptor master_;
    int slave_ = -1;  ///< Kept open, so that the line lives on when the gateway closes it.
    std::uint64_t plugged_ = 0;  ///< How often; what was to be sent before is not sent after.
    Bytes chunk_ = Bytes(512);
    Bytes received_;
    Clock::time_point began_{};    ///< When the first byte of received_ came.
    Clock::time_point free_at_{};  ///< When the last answer has left.
    std::uint64_t requests_ = 0;
    std::uint64_t violations_ = 0;
    std::chrono::nanoseconds late_{0};
};

}  // namespace fieldgate::lab
