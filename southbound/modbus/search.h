#pragma once
#include <cstdint>

#include "southbound/modbus/lessons.h"

namespace fieldgate::southbound::modbus {

// What DevicePlan remembers of its search for what a device does not give.

/// No block reaches from before `at` to `at` or behind, while a refused block is searched for its
/// hole (not proven), and ever after where the hole is between two points (proven).
struct Cut {
    Table table = Table::holding;
    std::uint32_t at = 0;
    std::uint32_t first = 0;  ///< The refused block that was cut here; empty: the edge of one.
    std::uint32_t end = 0;
    bool proven = false;
};

/// What has become of a scan since it is in the plan.
struct Trial {
    bool good = false;
    std::uint32_t failures = 0;  ///< Of its own, in a row.
    std::uint64_t answers = 0;   ///< Of the device, up to the last of them.
};

/// Why a scan has failed, and how often it must until something is done about it.
struct Failure {
    int reason = Lessons::silence;  ///< As Lessons::Refusal::exception.
    std::uint32_t cut_after = 0;
    std::uint32_t given_up_after = 0;  ///< If there is nothing to cut.
};

}  // namespace fieldgate::southbound::modbus
