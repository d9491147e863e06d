#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "southbound/link.h"

namespace fieldgate::southbound::modbus {

inline constexpr std::size_t checksum_bytes = 2;

/// What the bytes are that have come since a request was sent (Serial Line V1.02, 2.5.1).
struct RtuLook {
    enum class Is : std::uint8_t {
        incomplete,  ///< `missing` more bytes at least.
        answer,   ///< A frame of the unit, of the length and function asked for, or an exception.
        untrue,   ///< A frame of the unit with a good checksum that is neither.
        garbage,  ///< No frame of the unit begins here, however much follows.
    };
    Is is = Is::incomplete;
    std::size_t first = 0;    ///< Of the frame; the unit.
    std::size_t bytes = 0;    ///< Without the checksum.
    std::size_t missing = 1;  ///< Never more than belong to the frame.
    bool echoed = false;      ///< What was sent stands before it.
};

/// Stray bytes in front (0x00, 0xFF: a transceiver that turns round) are passed over, and so is the
/// request itself, where an adapter echoes it. The answer to FC 5, 6 and 22 is like the request:
/// `echoes` says that the adapter is known to echo, and the first of two is no answer. Pure.
RtuLook look_for_answer(const Request& request, bool echoes, std::span<const std::uint8_t> bytes);

}  // namespace fieldgate::southbound::modbus
