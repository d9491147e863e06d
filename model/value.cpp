#include "model/value.h"

#include <array>
#include <cmath>

#include "base/json.h"

namespace fieldgate {

std::optional<double> as_number(const Value& value) {
    struct Number {
        std::optional<double> operator()(bool b) const { return b ? 1.0 : 0.0; }
        std::optional<double> operator()(std::int64_t i) const { return static_cast<double>(i); }
        std::optional<double> operator()(std::uint64_t u) const { return static_cast<double>(u); }
        std::optional<double> operator()(Decimal d) const { return to_double(d); }
        std::optional<double> operator()(float f) const { return static_cast<double>(f); }
        std::optional<double> operator()(double d) const { return d; }
        std::optional<double> operator()(const std::string&) const { return std::nullopt; }
    };
    return std::visit(Number(), value);
}

std::optional<Decimal> as_decimal(const Value& value) {
    struct Exact {
        std::optional<Decimal> operator()(bool b) const { return Decimal{b ? 1 : 0, 0}; }
        std::optional<Decimal> operator()(std::int64_t i) const { return Decimal{i, 0}; }
        std::optional<Decimal> operator()(std::uint64_t u) const {
            if (u > INT64_MAX) return std::nullopt;
            return Decimal{static_cast<std::int64_t>(u), 0};
        }
        std::optional<Decimal> operator()(Decimal d) const { return d; }
        std::optional<Decimal> operator()(float f) const { return shortest_decimal(f); }
        std::optional<Decimal> operator()(double d) const { return shortest_decimal(d); }
        std::optional<Decimal> operator()(const std::string&) const { return std::nullopt; }
    };
    return std::visit(Exact(), value);
}

bool close_to(const Value& a, const Value& b, Decimal tolerance) {
    if (a == b) return true;
    const auto x = as_number(a);
    const auto y = as_number(b);
    if (!x || !y) return false;
    const auto left = as_decimal(a);
    const auto right = as_decimal(b);
    if (left && right && compare(*left, *right) == 0) return true;
    const auto minus = right ? multiply(*right, {-1, 0}) : std::nullopt;
    const auto apart = left && minus ? add(*left, *minus) : std::nullopt;
    // Beyond a decimal's 64 bits there is no telling apart but by kind and bits.
    if (!apart) return tolerance.mantissa > 0 && std::fabs(*x - *y) <= to_double(tolerance);
    const Decimal low{-tolerance.mantissa, tolerance.decimals};
    return compare(low, *apart) <= 0 && compare(*apart, tolerance) <= 0;
}

// Every scaled register of every scan passes here, so it is one buffer, filled from its end, and
// one append.
void append_json(std::string& out, Decimal value) {
    std::array<char, 24> text;  // "-0." and 18 decimals, or '-', '.' and 19 digits
    char* const end = text.data() + text.size();
    char* begin = end;
    const bool negative = value.mantissa < 0;
    const auto bits = static_cast<std::uint64_t>(value.mantissa);
    std::uint64_t rest = negative ? 0 - bits : bits;
    const auto put_digit = [&] {
        *--begin = static_cast<char>('0' + rest % 10);
        rest /= 10;
    };
    if (value.decimals > 0) {
        for (int i = 0; i < value.decimals; ++i) put_digit();
        *--begin = '.';
    }
    do put_digit();
    while (rest > 0);
    if (negative) *--begin = '-';
    out.append(begin, static_cast<std::size_t>(end - begin));
}

void append_json(std::string& out, const Value& value) {
    struct Append {
        std::string& out;
        void operator()(bool b) const { out += b ? "true" : "false"; }
        void operator()(std::int64_t i) const { json::append_integer(out, i); }
        void operator()(std::uint64_t u) const { json::append_unsigned(out, u); }
        void operator()(Decimal d) const { append_json(out, d); }
        void operator()(float f) const { json::append_float(out, f); }
        void operator()(double d) const { json::append_double(out, d); }
        void operator()(const std::string& s) const { json::append_string(out, s); }
    };
    std::visit(Append{out}, value);
}

std::string to_string(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    std::string out;
    append_json(out, value);
    return out;
}

}  // namespace fieldgate
