#pragma once
#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "model/reading.h"

namespace fieldgate::southbound {

/// A request or a reply as the protocol speaks of it: function code and data, without address,
/// checksum or header (Modbus Application Protocol V1.1b3, 4.1).
using Pdu = std::vector<std::uint8_t>;

/// One request, and what a true answer to it must look like.
struct Request {
    std::uint8_t unit = 0;
    Pdu pdu;
    /// Length of the PDU of a good answer; known beforehand in Modbus.
    std::size_t reply_bytes = 0;
    /// Registers that a read of this device asks for at least; 1: as few as you like.
    std::uint16_t at_least = 1;
    /// From then on nobody waits for it: it is not sent any more.
    Instant not_after = Instant::max();
};

/// A true answer, and when it came.
struct Reply {
    Pdu pdu;
    Instant at;  ///< When its last byte was received.
    /// From the first byte of the request sent to the last byte of the reply received.
    std::chrono::microseconds took{0};
};

/// One wire, one transaction at a time.
///
/// A link knows frames, silence and time; it knows nothing of points. It connects when first used
/// and again after an error, so its callers have no states to learn. Runs on the loop.
class Link {
public:
    virtual ~Link() = default;

    /// Sends `request` and returns the reply, checked against the request: unit, function, byte
    /// count, echo (pdu.h). The answer comes within `timeout`, counted from the last byte sent to
    /// the last received; waiting for the wire to be free or trustworthy again comes on top.
    /// A request whose `not_after` has come before its first byte could leave is an error
    /// `timeout`, and sent() is false. An exception reply is an error `refused` with the exception
    /// code in `detail`. Errors: timeout, closed (connection or port lost, or not to be had),
    /// bad_data (checksum, length, a reply to something else), refused, unsupported (settings this
    /// machine cannot do). Throws operation_aborted when cancelled.
    virtual asio::awaitable<Result<Reply>> transact(const Request& request,
                                                    std::chrono::microseconds timeout) = 0;

    /// A byte of the last transaction's request may have left. If not, the device knows nothing of
    /// it; if so, and no true answer came, nobody knows what the device has done.
    virtual bool sent() const = 0;

    /// A request to `unit` would have to wait until then for what that unit still owes; others not.
    virtual Instant ready_at(std::uint8_t /*unit*/) const { return Instant::min(); }

    /// The cycle has ended; a link that connects per cycle closes.
    virtual void idle() {}

    /// The port or connection is open, as far as the last transaction knows.
    virtual bool up() const = 0;
    /// Requests that have left since start: those sent again and those that prove something too.
    virtual std::uint64_t requests() const = 0;
    /// Late replies recognised and dropped since start.
    virtual std::uint64_t stale() const = 0;
};

}  // namespace fieldgate::southbound
