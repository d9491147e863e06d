#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "model/value.h"

namespace fieldgate::southbound::modbus {

/// The four tables of a Modbus device (Application Protocol V1.1b3, 4.3); read by FC 1, 2, 4, 3.
enum class Table : std::uint8_t { coil, discrete, input, holding };

inline constexpr std::array all_tables{Table::coil, Table::discrete, Table::input, Table::holding};
inline constexpr std::size_t index_of(Table table) { return static_cast<std::size_t>(table); }
/// "coil", "discrete", "input", "holding", as templates write them.
const char* to_string(Table table);

/// What a raw value is. bool lies in a coil, a discrete input, or the whole of a register (not 0).
enum class RawType : std::uint8_t {
    boolean,
    u16,
    i16,
    u32,
    i32,
    u64,
    i64,
    f32,
    f64,
    bcd16,
    bcd32,
    string
};

/// How a value lies in its registers, relative to ABCD / ABCDEFGH. Modbus orders the bytes of one
/// register only (4.2); across registers every vendor chooses for itself.
///   CDAB GHEFCDAB: words_swapped.  BADC BADCFEHG: bytes_swapped.  DCBA HGFEDCBA: both.
struct Order {
    bool words_swapped = false;
    bool bytes_swapped = false;
    bool operator==(const Order&) const = default;
};

/// `bits: FIRST..LAST` of an unsigned type, bit 0 the least; `bits: N` is N..N.
struct Bits {
    std::uint8_t first = 0;
    std::uint8_t last = 0;
    bool operator==(const Bits&) const = default;
};

enum class Trim : std::uint8_t { nul, space, none };

/// Where one point lies on a Modbus device and what it means: value = raw * scale + offset,
/// exactly.
struct Field {
    Table table = Table::holding;
    std::uint16_t address = 0;  ///< As on the wire, from 0; address_base is already taken off.
    RawType type = RawType::u16;
    Order order;
    std::optional<Bits> bits;
    std::uint16_t length = 0;  ///< Strings, in bytes.
    Trim trim = Trim::nul;
    Decimal scale{1, 0};
    Decimal offset{0, 0};
    /// Raw bit patterns, at the type's (or the bits') full width, that mean "no value".
    std::vector<std::uint64_t> absent;
    /// Raw bit pattern -> value. If not empty, a raw value that is not listed is no value.
    std::vector<std::pair<std::uint64_t, Value>> values;
    /// A request that reads it begins there, at or before `address`; absent: anywhere.
    std::optional<std::uint16_t> begins_at;
    bool never_read = false;  ///< It is only written.
    bool operator==(const Field&) const = default;
};

/// Registers (or coils) that the field covers: 1, 2, 4, or a string's (length + 1) / 2.
std::uint16_t width(const Field& field);

struct AddressRange {
    Table table = Table::holding;
    std::uint16_t first = 0;
    std::uint16_t last = 0;  ///< Included.
    bool operator==(const AddressRange&) const = default;
};

/// What a template says about reading one kind of device. `fields` is parallel to its points.
struct RegisterMap {
    std::vector<Field> fields;
    std::uint16_t max_registers = 125;    ///< Per request; 16 times as many coils, at most 2000.
    std::vector<AddressRange> forbidden;  ///< Never read across these.
    std::optional<std::uint16_t>
        gap;             ///< Unwanted registers that may be read along; absent: by cost.
    bool alone = false;  ///< No request reads two points, but of the same registers.
    std::uint16_t min_registers = 1;  ///< Per request of registers; fewer are not answered.
    bool operator==(const RegisterMap&) const = default;
};

/// The most registers (bits) that the map lets one request ask for.
std::uint16_t longest_allowed(const RegisterMap& map, Table table);

}  // namespace fieldgate::southbound::modbus
