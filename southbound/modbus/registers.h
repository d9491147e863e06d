#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "model/value.h"
#include "southbound/modbus/field.h"

namespace fieldgate::southbound::modbus {

/// What became of a field.
enum class Decoded : std::uint8_t {
    value,
    absent,    ///< one of the raw values that mean "no value"
    unlisted,  ///< the field has `values`, and the raw value is none of them
    invalid,   ///< digits above 9 in BCD, a float that is not finite, or too few bytes
};

/// Turns what a device sent into the value it means: raw * scale + offset, exact in decimal.
///
/// `data` is reply_data(): registers high byte first, or bits from the lowest of the first byte on
/// (Application Protocol V1.1b3, 4.2, 6.1). `offset` says how many registers (bits) into it the
/// field starts. `out` is set only for Decoded::value, to:
///   bool           for booleans and single bits that have no scale;
///   int64, uint64  for integers, bits and BCD without scale and offset;
///   float, double  for f32, f64 without scale and offset;
///   Decimal        with scale or offset, without trailing zeros; double if the exact result does
///                  not fit its 64-bit mantissa and 18 decimals;
///   string         its bytes as they come, trimmed (nul: ends at the first NUL; space: that, and
///                  without blanks around it; none: whole), UTF-8 or not;
///   or what `values` says.
/// `absent` is compared with all bits of the raw value, or with the picked bits; a boolean in a
/// register with the whole register; a boolean's `values` are those of 0 and 1. Allocates for long
/// strings only.
Decoded decode(const Field& field, std::span<const std::uint8_t> data, std::size_t offset,
               Value& out);

}  // namespace fieldgate::southbound::modbus
