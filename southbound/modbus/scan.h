#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "model/reading.h"
#include "southbound/link.h"
#include "southbound/modbus/field.h"

namespace fieldgate::southbound::modbus {

/// One field in the answer to a scan.
struct ScanField {
    PointIndex point = 0;      ///< Its position in RegisterMap::fields.
    std::uint16_t offset = 0;  ///< Registers (bits) from Scan::first.
    /// 1: read with every scan. n: a slower point that rides along, wanted once in n ticks.
    std::uint32_t every_nth = 1;
    /// The last turn (tick / every_nth, plus 1) that was read; 0: none yet.
    std::uint64_t turn = 0;
};

/// One request, to be repeated every so often, and the fields that its answer holds.
struct Scan {
    Table table = Table::holding;
    std::uint16_t first = 0;
    std::uint16_t count = 0;
    std::chrono::milliseconds period{0};
    std::vector<ScanField> fields;
    Request request;
    /// Not part of the regular reading: a field that was refused, tried again now and then.
    bool retry = false;
};

/// Raw values that became no reading, by reason (Decoded).
struct NoValues {
    std::uint64_t absent = 0;
    std::uint64_t unlisted = 0;
    std::uint64_t invalid = 0;
};

/// Appends what `reply` (passed by check_reply) says to `out`. `tick` is Schedule::Due::tick: a
/// point that rides along is appended once per turn, with the first scan of it that succeeds.
void decode(const RegisterMap& map, Scan& scan, std::uint64_t tick,
            std::span<const std::uint8_t> reply, std::vector<Reading>& out, NoValues& none);

}  // namespace fieldgate::southbound::modbus
