#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>

#include "daemon/config/points.h"
#include "daemon/config/words.h"

namespace fieldgate::config {

using southbound::modbus::Field;

const std::vector<std::pair<std::string, RawType>> raw_types{
    {"bool", RawType::boolean}, {"u16", RawType::u16},     {"i16", RawType::i16},
    {"u32", RawType::u32},      {"i32", RawType::i32},     {"u64", RawType::u64},
    {"i64", RawType::i64},      {"f32", RawType::f32},     {"f64", RawType::f64},
    {"bcd16", RawType::bcd16},  {"bcd32", RawType::bcd32}, {"string", RawType::string}};

const std::string& type_name(RawType type) {
    return std::find_if(raw_types.begin(), raw_types.end(),
                        [&](const auto& known) { return known.second == type; })
        ->first;
}

unsigned raw_bits(const Field& field) {
    if (field.type == RawType::boolean) return 1;
    if (field.bits) return field.bits->last - field.bits->first + 1U;
    return southbound::modbus::width(field) * 16;
}

bool is_integer(RawType type) {
    return type != RawType::boolean && type != RawType::string && !is_float(type);
}

bool is_signed(RawType type) {
    return type == RawType::i16 || type == RawType::i32 || type == RawType::i64;
}

bool is_float(RawType type) { return type == RawType::f32 || type == RawType::f64; }

bool is_boolean(const Field& field) {
    return field.type == RawType::boolean || (field.bits && field.bits->first == field.bits->last);
}

namespace {

// The digits of a decimal number as binary-coded decimal: 1234 -> 0x1234.
std::uint64_t to_bcd(std::uint64_t number) {
    std::uint64_t pattern = 0;
    for (unsigned shift = 0; number > 0 && shift < 64; shift += 4, number /= 10)
        pattern |= (number % 10) << shift;
    return pattern;
}

std::optional<std::uint64_t> float_pattern(const std::string& text, RawType type) {
    if (!looks_decimal(text)) return std::nullopt;
    const auto number = parse_decimal(text);
    if (!number) return std::nullopt;
    const double value = to_double(*number);
    if (type == RawType::f64) return std::bit_cast<std::uint64_t>(value);
    return std::bit_cast<std::uint32_t>(static_cast<float>(value));
}

std::optional<std::uint64_t> raw_pattern(const std::string& text, const Field& field) {
    const unsigned bits = raw_bits(field);
    const std::uint64_t mask = bits >= 64 ? ~0ULL : (1ULL << bits) - 1;
    if (field.type == RawType::boolean && (text == "true" || text == "false"))
        return text == "true" ? 1 : 0;
    // Nobody writes a float's or a BCD number's bit pattern in decimal.
    if (is_float(field.type) && !text.starts_with("0x")) return float_pattern(text, field.type);
    if (text.starts_with('-')) {
        const auto value = parse_whole(text);
        const std::int64_t least = -static_cast<std::int64_t>(mask / 2) - 1;
        if (!value || !is_signed(field.type) || *value < least) return std::nullopt;
        return static_cast<std::uint64_t>(*value) & mask;
    }
    auto value = parse_unsigned(text);
    const bool bcd = field.type == RawType::bcd16 || field.type == RawType::bcd32;
    if (value && bcd && !text.starts_with("0x")) {
        if (*value > 99'999'999) return std::nullopt;
        value = to_bcd(*value);
    }
    return value && *value <= mask ? value : std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> read_raw(const Place& place, const Field& field, Report& report) {
    const std::string& text = raw_text(place);
    const bool bare = place.is(Node::Kind::scalar) && !place.node->quoted;
    const auto pattern = bare ? raw_pattern(text, field) : std::nullopt;
    if (pattern) return pattern;
    report.error(place,
                 '"' + text + "\" is no raw value of " + std::to_string(raw_bits(field)) +
                     (raw_bits(field) == 1 ? " bit" : " bits"),
                 is_float(field.type)
                     ? "write the value, such as -9999, or its bits in hexadecimal"
                     : "write it without scale, in decimal or hexadecimal, such as 0x7FFF");
    return std::nullopt;
}

std::optional<Span> value_span(const Field& field) {
    if (is_float(field.type) || field.type == RawType::string || !field.values.empty())
        return std::nullopt;
    Span raw;
    const unsigned bits = raw_bits(field);
    if (field.type == RawType::bcd16 || field.type == RawType::bcd32) {
        raw.max = field.type == RawType::bcd16 ? 9'999 : 99'999'999;
    } else if (is_signed(field.type)) {
        raw.max = std::ldexp(1.0L, static_cast<int>(bits) - 1) - 1;
        raw.min = -raw.max - 1;
    } else {
        raw.max = std::ldexp(1.0L, static_cast<int>(bits)) - 1;
    }
    const long double divisor = std::pow(10.0L, static_cast<long double>(field.scale.decimals));
    const auto scaled = [&](long double value) {
        return value * static_cast<long double>(field.scale.mantissa) / divisor +
               to_long_double(field.offset);
    };
    const long double a = scaled(raw.min);
    const long double b = scaled(raw.max);
    return Span{std::min(a, b), std::max(a, b)};
}

std::string format_number(long double value) {
    char text[64];
    (void)std::snprintf(text, sizeof text, "%.15Lg", value);
    return text;
}

long double to_long_double(Decimal value) {
    return static_cast<long double>(value.mantissa) /
           std::pow(10.0L, static_cast<long double>(value.decimals));
}

}  // namespace fieldgate::config
