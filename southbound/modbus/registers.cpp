#include "southbound/modbus/registers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fieldgate::southbound::modbus {
namespace {

__extension__ using Int128 = __int128;  // the product of two 64-bit numbers, exactly

constexpr int decimals_max = 18;

/// raw * scale + offset with decimals counted separately; nullopt if it does not fit a Decimal.
struct Exact {
    Int128 mantissa = 0;
    int decimals = 0;

    void strip() {
        if (mantissa == 0) decimals = 0;
        // Almost always 64 bits are enough, and a division of 128 costs ten times as much.
        while (decimals > 0 && !fits()) {
            if (mantissa % 10 != 0) return;
            mantissa /= 10;
            --decimals;
        }
        auto small = static_cast<std::int64_t>(mantissa);
        while (decimals > 0 && small % 10 == 0) {
            small /= 10;
            --decimals;
        }
        if (fits()) mantissa = small;
    }
    bool fits() const {
        return mantissa >= std::numeric_limits<std::int64_t>::min() &&
               mantissa <= std::numeric_limits<std::int64_t>::max();
    }
    /// False if it does not fit even 128 bits.
    bool raise_to(int wanted) {
        for (; decimals < wanted; ++decimals)
            if (__builtin_mul_overflow(mantissa, Int128{10}, &mantissa)) return false;
        return true;
    }
};

std::optional<Decimal> to_decimal(const Exact& exact) {
    if (!exact.fits() || exact.decimals > decimals_max) return std::nullopt;
    return Decimal{static_cast<std::int64_t>(exact.mantissa),
                   static_cast<std::uint8_t>(exact.decimals)};
}

std::optional<Decimal> scaled_exactly(Int128 mantissa, int decimals, const Field& field) {
    Exact value{mantissa * field.scale.mantissa, decimals + field.scale.decimals};
    value.strip();
    if (field.offset.mantissa != 0) {
        Exact offset{field.offset.mantissa, field.offset.decimals};
        offset.strip();
        if (!value.raise_to(offset.decimals) || !offset.raise_to(value.decimals))
            return std::nullopt;
        if (__builtin_add_overflow(value.mantissa, offset.mantissa, &value.mantissa))
            return std::nullopt;
        value.strip();
    }
    return to_decimal(value);
}

// 1, 1.0 and 1.00 are all one.
bool is_one(Decimal value) {
    if (value.mantissa < 10) return value == Decimal{1, 0};
    return normalized(value) == Decimal{1, 0};
}

bool is_plain(const Field& field) { return field.offset.mantissa == 0 && is_one(field.scale); }

Decoded store_double(double value, Value& out) {
    if (!std::isfinite(value)) return Decoded::invalid;
    out = value;
    return Decoded::value;
}

template <class Integer>
Decoded store_integer(const Field& field, Integer raw, Value& out) {
    if (is_plain(field)) {
        out = raw;
        return Decoded::value;
    }
    // Most points need no more than 64 bits.
    std::int64_t small = 0;
    if (field.offset.mantissa == 0 && field.scale.decimals <= decimals_max &&
        !__builtin_mul_overflow(raw, field.scale.mantissa, &small)) {
        std::uint8_t decimals = small == 0 ? std::uint8_t{0} : field.scale.decimals;
        for (; decimals > 0 && small % 10 == 0; --decimals) small /= 10;
        out = Decimal{small, decimals};
        return Decoded::value;
    }
    if (const auto exact = scaled_exactly(Int128{raw}, 0, field)) {
        out = *exact;
        return Decoded::value;
    }
    return store_double(static_cast<double>(raw) * to_double(field.scale) + to_double(field.offset),
                        out);
}

Decoded store_bool(const Field& field, bool raw, Value& out) {
    if (!is_plain(field)) return store_integer(field, std::uint64_t{raw}, out);
    out = raw;
    return Decoded::value;
}

// The fewest digits that read back as the same float: what its maker meant. Scientific, because
// to_chars() writes out all digits of large numbers where that takes no more characters.
template <class Float>
std::optional<Decimal> meant(Float raw) {
    std::array<char, 32> text;
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), raw, std::chars_format::scientific)
            .ptr;
    return parse_decimal({text.data(), static_cast<std::size_t>(end - text.data())});
}

template <class Float>
Decoded store_float(const Field& field, Float raw, Value& out) {
    if (!std::isfinite(raw)) return Decoded::invalid;
    if (is_plain(field)) {
        out = raw;
        return Decoded::value;
    }
    const auto number = meant(raw);
    if (!number)  // beyond 64 bits and 18 decimals
        return store_double(double{raw} * to_double(field.scale) + to_double(field.offset), out);
    if (const auto exact = scaled_exactly(number->mantissa, number->decimals, field)) {
        out = *exact;
        return Decoded::value;
    }
    return store_double(to_double(*number) * to_double(field.scale) + to_double(field.offset), out);
}

Decoded store_bcd(const Field& field, std::uint64_t raw, int digits, Value& out) {
    std::uint64_t number = 0;
    for (int digit = digits - 1; digit >= 0; --digit) {
        const std::uint64_t nibble = raw >> (4 * digit) & 0xF;
        if (nibble > 9) return Decoded::invalid;
        number = number * 10 + nibble;
    }
    return store_integer(field, number, out);
}

Decoded store_string(const Field& field, const std::uint8_t* at, Value& out) {
    std::string text(field.length, '\0');
    const unsigned swap = field.order.bytes_swapped ? 1 : 0;
    for (unsigned i = 0; i < field.length; ++i) text[i] = static_cast<char>(at[i ^ swap]);
    if (field.trim != Trim::none) text.resize(std::min(text.find('\0'), text.size()));
    if (field.trim == Trim::space) {
        text.erase(text.find_last_not_of(' ') + 1);
        text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
    }
    out = std::move(text);
    return Decoded::value;
}

std::uint64_t raw_registers(const std::uint8_t* at, std::size_t registers, Order order) {
    std::uint64_t raw = 0;
    for (std::size_t i = 0; i < registers; ++i) {
        const std::uint8_t* word = at + 2 * (order.words_swapped ? registers - 1 - i : i);
        const unsigned high = order.bytes_swapped ? word[1] : word[0];
        const unsigned low = order.bytes_swapped ? word[0] : word[1];
        raw = raw << 16 | high << 8 | low;
    }
    return raw;
}

bool is_absent(const Field& field, std::uint64_t raw) {
    for (const std::uint64_t absent : field.absent)
        if (absent == raw) return true;
    return false;
}

Decoded look_up(const Field& field, std::uint64_t raw, Value& out) {
    for (const auto& [listed, value] : field.values) {
        if (listed != raw) continue;
        out = value;
        return Decoded::value;
    }
    return Decoded::unlisted;
}

std::uint64_t pick(Bits bits, std::uint64_t raw) {
    const unsigned count = bits.last - bits.first + 1U;
    const std::uint64_t mask = count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    return raw >> bits.first & mask;
}

Decoded store(const Field& field, std::uint64_t raw, Value& out) {
    switch (field.type) {
        case RawType::u16:
        case RawType::u32:
        case RawType::u64:
            return store_integer(field, raw, out);
        case RawType::i16:
            return store_integer(
                field, std::int64_t{std::bit_cast<std::int16_t>(static_cast<std::uint16_t>(raw))},
                out);
        case RawType::i32:
            return store_integer(
                field, std::int64_t{std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(raw))},
                out);
        case RawType::i64:
            return store_integer(field, std::bit_cast<std::int64_t>(raw), out);
        case RawType::f32:
            return store_float(field, std::bit_cast<float>(static_cast<std::uint32_t>(raw)), out);
        case RawType::f64:
            return store_float(field, std::bit_cast<double>(raw), out);
        case RawType::bcd16:
            return store_bcd(field, raw, 4, out);
        case RawType::bcd32:
            return store_bcd(field, raw, 8, out);
        case RawType::boolean:
        case RawType::string:
            break;
    }
    return Decoded::invalid;  // both have left decode() before
}

Decoded decode_bool(const Field& field, bool raw, Value& out) {
    if (!field.values.empty()) return look_up(field, raw ? 1 : 0, out);
    return store_bool(field, raw, out);
}

}  // namespace

Decoded decode(const Field& field, std::span<const std::uint8_t> data, std::size_t offset,
               Value& out) {
    if (field.table == Table::coil || field.table == Table::discrete) {
        if (offset / 8 >= data.size()) return Decoded::invalid;
        const bool bit = (data[offset / 8] >> (offset % 8) & 1) != 0;
        if (is_absent(field, bit ? 1 : 0)) return Decoded::absent;
        return decode_bool(field, bit, out);
    }
    const unsigned registers = width(field);
    if (data.size() / 2 < registers || data.size() / 2 - registers < offset)
        return Decoded::invalid;
    const std::uint8_t* at = data.data() + 2 * offset;
    if (field.type == RawType::string) return store_string(field, at, out);

    std::uint64_t raw = raw_registers(at, registers, field.order);
    if (field.bits) raw = pick(*field.bits, raw);
    if (is_absent(field, raw)) return Decoded::absent;
    if (field.type == RawType::boolean) return decode_bool(field, raw != 0, out);
    if (!field.values.empty()) return look_up(field, raw, out);
    if (field.bits && field.bits->first == field.bits->last)
        return store_bool(field, raw != 0, out);
    if (field.bits) return store_integer(field, raw, out);
    return store(field, raw, out);
}

}  // namespace fieldgate::southbound::modbus
