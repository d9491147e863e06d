#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/lab/plant/slave.h"

namespace fieldgate::lab {

/// What goes wrong with an answer on its way.
enum class FaultKind : std::uint8_t {
    none,
    late,               ///< comes `delay` later, and so does all behind it
    overtaken,          ///< comes `delay` later, alone: what is behind it comes first
    silent,             ///< does not come
    unheard,            ///< the request itself is lost: the device does nothing
    truncated,          ///< half of it
    wrong_unit,         ///< another unit, with a good checksum
    wrong_transaction,  ///< TCP; none on RTU
    wrong_protocol,     ///< TCP; none on RTU
    wrong_function,     ///< another function, with a good checksum
    wrong_length,       ///< one register less than asked for, in a good frame
    wrong_header,      ///< TCP: the header's length is 3 more than what comes; RTU: 3 bytes missing
    wrong_byte_count,  ///< the byte count alone is wrong, with a good checksum
    wrong_checksum,    ///< RTU; none on TCP
    dribble,           ///< a byte every `delay`
    stray_before,      ///< RTU: a 0x00, as from a transceiver that turns round; none on TCP
    noise_before,
    noise_inside,
    noise_after,
    exception,    ///< exception `code`
    drop,         ///< the connection is closed instead; silent on RTU
    close_after,  ///< the connection is closed after it; none on RTU
};

struct Fault {
    FaultKind kind = FaultKind::none;
    std::chrono::milliseconds delay{0};
    std::uint8_t code = 2;
    /// How many answers; 0: all from now on.
    unsigned times = 1;
    std::uint8_t function = 0;  ///< To requests of this function only; 0: of any.
};

/// Bytes for the wire, and when.
struct Chunk {
    std::chrono::milliseconds after{0};  ///< After the answer's own time.
    Bytes bytes;
};

struct Spoiled {
    std::vector<Chunk> chunks;
    bool close = false;      ///< The connection, after the last chunk.
    bool overtaken = false;  ///< What comes later does not wait for this.
};

/// What arrives instead of `answer`.
Spoiled spoil(const Fault& fault, Framing framing, Bytes answer);

/// Which fault comes next, by the rules of Fault::times.
class FaultScript {
public:
    void set(Fault fault) { fault_ = fault; }
    Fault next(std::uint8_t function);
    /// How many answers it has spoiled.
    std::uint64_t strikes() const { return strikes_; }

private:
    Fault fault_;
    std::uint64_t strikes_ = 0;
};

}  // namespace fieldgate::lab
