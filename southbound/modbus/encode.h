#pragma once
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "model/value.h"
#include "southbound/modbus/field.h"

namespace fieldgate::southbound::modbus {

/// What a value looks like on the wire: the bits in `mask` of the field's registers become those of
/// `words`. Of a coil there is one word, 0 or 1. Bits that `mask` leaves out are not the field's.
struct Image {
    std::vector<std::uint16_t> words;
    std::vector<std::uint16_t> mask;
    /// Every bit of its registers is the field's.
    bool whole() const;
};

/// The inverse of decode() (registers.h): what decode() makes of the result is `value`, exactly,
/// but that a number for f32 and f64 becomes the nearest one that these can hold.
///
/// Numbers of every kind are taken by their quantity (5, 5.0); a bool is 0 or 1. A string is padded
/// (nul: with NULs; space: with blanks) and must come back as it is, so `nul` takes none with a NUL
/// in it, `space` none with blanks around it, and `none` only such of the full length. With
/// `values` the value must be one of them.
///
/// Errors: out_of_range (more than the raw type holds; between two steps of the scale; none of
/// `values`; too long; a raw value that means "absent"), bad_data (a text for a number, a number
/// for a text, a float that is not finite), unsupported (discrete inputs and input registers). The
/// text says which limit.
Result<Image> encode(const Field& field, const Value& value);

/// `image` as an answer would hold it, for decode() with offset 0.
std::vector<std::uint8_t> to_bytes(const Field& field, const Image& image);

}  // namespace fieldgate::southbound::modbus
