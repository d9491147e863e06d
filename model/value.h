#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace fieldgate {

/// A decimal number, exact: mantissa / 10^decimals. What `raw * 0.1` should have been.
struct Decimal {
    std::int64_t mantissa = 0;
    std::uint8_t decimals = 0;  ///< 0 to 18.

    /// Same digits and same scale: 1.0 and 1.00 differ here. Compare quantities with compare().
    bool operator==(const Decimal&) const = default;
};

/// "-12.50" -> {-1250, 2}; also "1e-3". At least one digit before a point and after it. nullopt if
/// `text` is no number or does not fit.
std::optional<Decimal> parse_decimal(std::string_view text);
double to_double(Decimal value);
/// <0, 0, >0 as `a` is less than, equal to, greater than `b`. Exact.
int compare(Decimal a, Decimal b);
/// a*b and a+b, trailing zeros removed; nullopt if the result does not fit.
std::optional<Decimal> multiply(Decimal a, Decimal b);
std::optional<Decimal> add(Decimal a, Decimal b);
/// The value nearest to `value` of base, base +- step, base +- 2 * step, ...; halfway, the one
/// farther from `base`. nullopt if `step` is not above 0 or the result does not fit.
std::optional<Decimal> round_to_grid(Decimal value, Decimal base, Decimal step);
/// Without trailing zeros: {1250, 2} -> {125, 1}.
Decimal normalized(Decimal value);
/// The shortest decimal that reads back as `value`; nullopt if it does not fit or is not finite.
std::optional<Decimal> shortest_decimal(float value);
std::optional<Decimal> shortest_decimal(double value);

/// What a point can be worth. Integers stay integers up to the JSON writer; `float` is kept apart
/// from `double` because its shortest text is another one (233.1, not 233.10000610351562).
using Value = std::variant<bool, std::int64_t, std::uint64_t, Decimal, float, double, std::string>;

/// The nearest double to the number in `value`; nullopt for strings. bool is 0 or 1.
std::optional<double> as_number(const Value& value);
/// As decimal, exactly (a float or double is its shortest decimal); nullopt for strings and for
/// what does not fit.
std::optional<Decimal> as_decimal(const Value& value);
/// Numbers (and bools) that differ by no more than `tolerance`, whatever kind they are; other
/// values that are equal.
bool close_to(const Value& a, const Value& b, Decimal tolerance);
/// Appends `value` as JSON, a decimal with the decimals it has. A float or double that is not
/// finite is `null`.
void append_json(std::string& out, const Value& value);
void append_json(std::string& out, Decimal value);
/// For people: as JSON, strings without quotes.
std::string to_string(const Value& value);

}  // namespace fieldgate
