#include "southbound/modbus/encode.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "southbound/modbus/registers.h"

namespace fieldgate::southbound::modbus {
namespace {

__extension__ using Int128 = __int128;  // the product of two 64-bit numbers, exactly

Error beyond(std::string what) { return {Errc::out_of_range, std::move(what)}; }

// numerator / denominator, the denominator above 0.
struct Ratio {
    Int128 numerator = 0;
    Int128 denominator = 1;
};

// The lowest and the highest raw value of integers.
struct Span {
    Int128 min = 0;
    Int128 max = 0;
};

bool is_float(const Field& field) {
    const bool whole = field.table != Table::coil && !field.bits;
    return whole && (field.type == RawType::f32 || field.type == RawType::f64);
}

Int128 power(int exponent) {
    Int128 result = 1;
    for (int i = 0; i < exponent; ++i) result *= 10;
    return result;
}

std::optional<Decimal> exact(const Value& value) {
    const auto number = as_decimal(value);
    if (!number) return std::nullopt;
    return normalized(*number);
}

// (value - offset) / scale; nullopt if it does not fit 128 bits, which no raw value needs.
std::optional<Ratio> unscaled(Int128 mantissa, int decimals, const Field& field) {
    const Decimal offset = normalized(field.offset);
    const Decimal scale = normalized(field.scale);
    const int places = std::max<int>(decimals, offset.decimals);
    Int128 value = 0;
    if (__builtin_mul_overflow(mantissa, power(places - decimals), &value)) return std::nullopt;
    const Int128 start = Int128{offset.mantissa} * power(places - offset.decimals);
    if (scale.mantissa == 0 || __builtin_sub_overflow(value, start, &value)) return std::nullopt;
    Ratio ratio{value, scale.mantissa};
    const int shift = scale.decimals - places;
    Int128& grows = shift > 0 ? ratio.numerator : ratio.denominator;
    if (__builtin_mul_overflow(grows, power(std::abs(shift)), &grows)) return std::nullopt;
    if (ratio.denominator < 0) ratio = {-ratio.numerator, -ratio.denominator};
    return ratio;
}

std::optional<Ratio> unscaled(const Value& value, const Field& field) {
    if (const auto* large = std::get_if<std::uint64_t>(&value)) return unscaled(*large, 0, field);
    const auto number = exact(value);
    if (!number) return std::nullopt;
    return unscaled(number->mantissa, number->decimals, field);
}

// Bits of the raw value.
unsigned bits_of(const Field& field) {
    if (field.table == Table::coil || field.type == RawType::boolean) return 1;
    if (field.bits) return field.bits->last - field.bits->first + 1U;
    return 16U * width(field);
}

bool fits(const Field& field, std::uint64_t pattern) {
    const unsigned bits = bits_of(field);
    return bits >= 64 || pattern >> bits == 0;
}

Span span_of(const Field& field) {
    const unsigned bits = bits_of(field);
    const Span natural{0, (Int128{1} << bits) - 1};
    if (bits < 16 || field.bits) return natural;
    switch (field.type) {
        case RawType::i16:
        case RawType::i32:
        case RawType::i64:
            return {-(Int128{1} << (bits - 1)), (Int128{1} << (bits - 1)) - 1};
        case RawType::bcd16:
            return {0, 9'999};
        case RawType::bcd32:
            return {0, 99'999'999};
        default:
            return natural;
    }
}

std::string say(Int128 raw) {
    if (raw < 0) return std::to_string(static_cast<std::int64_t>(raw));
    return std::to_string(static_cast<std::uint64_t>(raw));
}

Error too_much(const Value& value, const Span& span) {
    return beyond(to_string(value) + " is more than the point can hold: raw values are " +
                  say(span.min) + " to " + say(span.max));
}

std::uint64_t to_bcd(std::uint64_t number) {
    std::uint64_t pattern = 0;
    for (unsigned shift = 0; number > 0; shift += 4, number /= 10)
        pattern |= (number % 10) << shift;
    return pattern;
}

Result<std::uint64_t> integer_pattern(const Field& field, const Value& value) {
    const Span span = span_of(field);
    const auto ratio = unscaled(value, field);
    if (!ratio) return too_much(value, span);
    const Int128 raw = ratio->numerator / ratio->denominator;
    if (raw < span.min || raw > span.max) return too_much(value, span);
    if (ratio->numerator % ratio->denominator != 0)
        return beyond(to_string(value) + " lies between two values of the point, which are " +
                      to_string(Value(normalized(field.scale))) + " apart");
    const auto pattern = static_cast<std::uint64_t>(raw);
    const bool bcd = field.type == RawType::bcd16 || field.type == RawType::bcd32;
    if (bcd && !field.bits) return to_bcd(pattern);
    const unsigned bits = bits_of(field);
    return bits < 64 ? pattern & ((std::uint64_t{1} << bits) - 1) : pattern;
}

// The decimal that it is; nullopt if it goes on for ever, or does not fit.
std::optional<Decimal> to_decimal(Ratio ratio) {
    const Int128 common = std::gcd(ratio.numerator, ratio.denominator);
    const Int128 numerator = ratio.numerator / common;
    const Int128 denominator = ratio.denominator / common;
    for (std::uint8_t decimals = 0; decimals <= 18; ++decimals) {
        Int128 digits = 0;
        if (__builtin_mul_overflow(numerator, power(decimals), &digits)) return std::nullopt;
        if (digits % denominator != 0) continue;
        const Int128 mantissa = digits / denominator;
        const auto small = static_cast<std::int64_t>(mantissa);
        return small == mantissa ? std::optional<Decimal>({small, decimals}) : std::nullopt;
    }
    return std::nullopt;
}

// Nearest to (value - offset) / scale.
template <class Float>
Float nearest(const Field& field, const Value& value) {
    const auto ratio = unscaled(value, field);
    const auto decimal = ratio ? to_decimal(*ratio) : std::nullopt;
    if (!decimal)
        return static_cast<Float>((*as_number(value) - to_double(field.offset)) /
                                  to_double(field.scale));
    std::string text;
    append_json(text, *decimal);
    Float number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

Result<std::uint64_t> float_pattern(const Field& field, const Value& value) {
    if (field.type == RawType::f64) {
        const auto raw = nearest<double>(field, value);
        if (!std::isfinite(raw)) return beyond(to_string(value) + " is more than an f64 holds");
        return std::bit_cast<std::uint64_t>(raw);
    }
    const auto raw = nearest<float>(field, value);
    if (!std::isfinite(raw)) return beyond(to_string(value) + " is more than an f32 holds");
    return std::bit_cast<std::uint32_t>(raw);
}

bool encodes_absent(const Field& field, std::uint64_t pattern) {
    return std::find(field.absent.begin(), field.absent.end(), pattern) != field.absent.end();
}

Result<std::uint64_t> listed_pattern(const Field& field, const Value& value) {
    std::string words;
    for (const auto& [raw, listed] : field.values) {
        const bool usable = fits(field, raw) && !encodes_absent(field, raw);
        if (usable && close_to(listed, value, Decimal())) return raw;
        words += (words.empty() ? "" : ", ") + to_string(listed);
    }
    return beyond('"' + to_string(value) + "\" is none of the point's values: " + words);
}

Result<std::uint64_t> pattern_of(const Field& field, const Value& value) {
    if (!field.values.empty()) return listed_pattern(field, value);
    const auto number = as_number(value);
    if (!number) return Error(Errc::bad_data, "a text where a number belongs");
    if (!std::isfinite(*number)) return Error(Errc::bad_data, "not a finite number");
    return is_float(field) ? float_pattern(field, value) : integer_pattern(field, value);
}

// As raw_registers() of registers.cpp reads it.
std::vector<std::uint16_t> to_words(std::uint64_t pattern, std::size_t count, Order order) {
    std::vector<std::uint16_t> words(count);
    for (std::size_t i = 0; i < count; ++i) {
        auto word = static_cast<std::uint16_t>(pattern >> (16 * (count - 1 - i)));
        if (order.bytes_swapped) word = static_cast<std::uint16_t>(word << 8 | word >> 8);
        words[order.words_swapped ? count - 1 - i : i] = word;
    }
    return words;
}

Image number_image(const Field& field, std::uint64_t pattern) {
    const std::size_t count = width(field);
    Image image;
    std::uint64_t mask = ~std::uint64_t{0};
    if (field.bits) {
        const unsigned bits = bits_of(field);
        if (bits < 64) mask = ((std::uint64_t{1} << bits) - 1) << field.bits->first;
        pattern <<= field.bits->first;
    }
    image.words = to_words(pattern, count, field.order);
    image.mask = to_words(mask, count, field.order);
    return image;
}

std::optional<Error> why_not(const Field& field, const std::string& text) {
    if (text.size() > field.length)
        return beyond("longer than the point: at most " + std::to_string(field.length) + " bytes");
    if (field.trim == Trim::none && text.size() != field.length)
        return beyond("shorter than the point: exactly " + std::to_string(field.length) + " bytes");
    if (field.trim != Trim::none && text.find('\0') != std::string::npos)
        return beyond("a NUL in the text, where the point's texts end");
    const bool blank = !text.empty() && (text.front() == ' ' || text.back() == ' ');
    if (field.trim == Trim::space && blank)
        return beyond("blanks around the text, which the point does not keep");
    return std::nullopt;
}

// The byte behind a text of odd length is not the field's.
Result<Image> string_image(const Field& field, const Value& value) {
    const auto* given = std::get_if<std::string>(&value);
    if (given == nullptr) return Error(Errc::bad_data, "a number where a text belongs");
    if (const auto error = why_not(field, *given)) return *error;
    std::string text = *given;
    text.resize(field.length, field.trim == Trim::space ? ' ' : '\0');
    Image image;
    image.words.resize(width(field));
    image.mask.resize(width(field));
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool high = (i % 2 == 0) != field.order.bytes_swapped;
        const unsigned byte = static_cast<unsigned char>(text[i]);
        image.words[i / 2] |= static_cast<std::uint16_t>(high ? byte << 8U : byte);
        image.mask[i / 2] |= static_cast<std::uint16_t>(high ? 0xFF00U : 0x00FFU);
    }
    return image;
}

}  // namespace

bool Image::whole() const {
    return std::all_of(mask.begin(), mask.end(), [](std::uint16_t word) { return word == 0xFFFF; });
}

Result<Image> encode(const Field& field, const Value& value) {
    if (field.table == Table::discrete || field.table == Table::input)
        return Error(Errc::unsupported, "inputs cannot be written");
    const bool coil = field.table == Table::coil;
    if (!coil && field.type == RawType::string) return string_image(field, value);
    if (field.bits && !coil && field.bits->last >= 16U * width(field))
        return Error(Errc::unsupported, "bits beyond the type");
    const Result<std::uint64_t> pattern = pattern_of(field, value);
    if (!pattern) return pattern.error();
    if (encodes_absent(field, *pattern))
        return beyond(to_string(value) + " is what the device says when it has no value");
    if (!coil) return number_image(field, *pattern);
    Image image;
    image.words = {static_cast<std::uint16_t>(*pattern)};
    image.mask = {0xFFFF};
    return image;
}

std::vector<std::uint8_t> to_bytes(const Field& field, const Image& image) {
    if (field.table == Table::coil) return {static_cast<std::uint8_t>(image.words.front())};
    std::vector<std::uint8_t> bytes;
    for (const std::uint16_t word : image.words) {
        bytes.push_back(static_cast<std::uint8_t>(word >> 8));
        bytes.push_back(static_cast<std::uint8_t>(word & 0xFF));
    }
    return bytes;
}

}  // namespace fieldgate::southbound::modbus
