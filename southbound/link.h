#pragma once
#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace fieldgate::southbound {

/// A request or a reply as the protocol speaks of it: function code and data, without address,
/// checksum or header (Modbus Application Protocol V1.1b3, 4.1).
using Pdu = std::vector<std::uint8_t>;

/// One request, and what a true answer to it must look like.
struct Request {
    std::uint8_t unit = 0;
    Pdu pdu;
    std::size_t reply_bytes =
        0;  ///< Length of the PDU of a good answer; known beforehand in Modbus.
};

/// One wire, one transaction at a time.
///
/// A link knows frames, silence and time; it knows nothing of points. It connects when first used
/// and again after an error, so its callers have no states to learn. Runs on the loop.
class Link {
public:
    virtual ~Link() = default;

    /// Sends `request` and returns the reply PDU, checked against the request: unit, function, byte
    /// count, echo (pdu.h). An exception reply is an error `refused` with the exception code in
    /// `detail`. Returns within the wire's response timeout, counted from the last byte sent to the
    /// last received. Errors: timeout, closed, bad_data (checksum, length, a reply to something
    /// else), refused.
    virtual asio::awaitable<Result<Pdu>> transact(const Request& request) = 0;

    /// The cycle has ended; a link that connects per cycle closes.
    virtual void idle() {}

    /// The port or connection is open.
    virtual bool up() const = 0;
    /// Late replies recognised and dropped since start.
    virtual std::uint64_t stale() const = 0;
};

}  // namespace fieldgate::southbound
