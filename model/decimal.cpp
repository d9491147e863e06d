#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "model/value.h"

namespace fieldgate {
namespace {

__extension__ typedef __int128 Wide;  // NOLINT(modernize-use-using): using does not take it

constexpr int decimals_max = 18;

constexpr std::array<std::int64_t, decimals_max + 1> powers = [] {
    std::array<std::int64_t, decimals_max + 1> p{};
    p[0] = 1;
    for (std::size_t i = 1; i < p.size(); ++i) p[i] = p[i - 1] * 10;
    return p;
}();

std::int64_t power(int exponent) { return powers[static_cast<std::size_t>(exponent)]; }

Decimal decimal(std::int64_t mantissa, int decimals) {
    return {mantissa, static_cast<std::uint8_t>(decimals)};
}

Decimal strip(std::int64_t mantissa, int decimals) {
    if (mantissa == 0) return {};
    while (decimals > 0 && mantissa % 10 == 0) {
        mantissa /= 10;
        --decimals;
    }
    return decimal(mantissa, decimals);
}

bool is_int64(Wide value) { return value >= INT64_MIN && value <= INT64_MAX; }

// mantissa / 10^decimals without trailing zeros, if that fits.
std::optional<Decimal> narrow(Wide mantissa, int decimals) {
    while (decimals > 0 && (decimals > decimals_max || !is_int64(mantissa))) {
        if (mantissa % 10 != 0) return std::nullopt;
        mantissa /= 10;
        --decimals;
    }
    if (!is_int64(mantissa)) return std::nullopt;
    return strip(static_cast<std::int64_t>(mantissa), decimals);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    const std::string_view digits = text.substr(0, n);
    text.remove_prefix(n);
    return digits;
}

// Takes "e-3" or nothing from the front; more than any decimal needs is cut to `exponent_max`.
std::optional<std::int64_t> take_exponent(std::string_view& text) {
    constexpr std::int64_t exponent_max = 1'000'000'000;
    if (text.empty() || (text.front() != 'e' && text.front() != 'E')) return 0;
    text.remove_prefix(1);
    const bool negative = !text.empty() && text.front() == '-';
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
    const std::string_view digits = take_digits(text);
    if (digits.empty()) return std::nullopt;
    std::int64_t exponent = 0;
    for (const char c : digits) exponent = std::min(exponent * 10 + (c - '0'), exponent_max);
    return negative ? -exponent : exponent;
}

// The digits of a number, `whole` before and `fraction` after the point, without the zeros around
// them: value = significant * 10^zeros / 10^fraction.size().
struct Digits {
    std::uint64_t significant = 0;
    std::int64_t zeros = 0;
};

std::optional<Digits> read_digits(std::string_view whole, std::string_view fraction) {
    constexpr int digits_max = 19;  // 10^19 still fits 64 bits, and what is longer fits no Decimal
    Digits digits;
    int count = 0;
    for (const std::string_view part : {whole, fraction}) {
        for (const char c : part) {
            if (c == '0') {
                ++digits.zeros;
                continue;
            }
            // Zeros count only once a digit follows them.
            const std::int64_t shift = count == 0 ? 1 : digits.zeros + 1;
            if (count + shift > digits_max) return std::nullopt;
            for (std::int64_t i = 0; i < shift; ++i) digits.significant *= 10;
            digits.significant += static_cast<std::uint64_t>(c - '0');
            count += static_cast<int>(shift);
            digits.zeros = 0;
        }
    }
    return digits;
}

template <class Float>
std::optional<Decimal> shortest(Float value) {
    if (!std::isfinite(value)) return std::nullopt;
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return parse_decimal({text.data(), static_cast<std::size_t>(end - text.data())});
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text) {
    const bool negative = !text.empty() && text.front() == '-';
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
    const std::string_view whole = take_digits(text);
    if (whole.empty()) return std::nullopt;
    std::string_view fraction;
    if (!text.empty() && text.front() == '.') {
        text.remove_prefix(1);
        fraction = take_digits(text);
        if (fraction.empty()) return std::nullopt;
    }
    const auto exponent = take_exponent(text);
    if (!exponent || !text.empty()) return std::nullopt;
    const auto digits = read_digits(whole, fraction);
    if (!digits) return std::nullopt;

    // As many decimals as were written, as far as they fit.
    const std::int64_t written = static_cast<std::int64_t>(fraction.size()) - *exponent;
    auto decimals = static_cast<int>(std::clamp<std::int64_t>(written, 0, decimals_max));
    if (digits->significant == 0) return decimal(0, decimals);
    for (; decimals >= 0; --decimals) {
        const std::int64_t shift = digits->zeros - written + decimals;
        if (shift < 0) return std::nullopt;
        if (shift > decimals_max) continue;
        const Wide magnitude = Wide{digits->significant} * power(static_cast<int>(shift));
        const Wide mantissa = negative ? -magnitude : magnitude;
        if (is_int64(mantissa)) return decimal(static_cast<std::int64_t>(mantissa), decimals);
    }
    return std::nullopt;
}

double to_double(Decimal value) {
    constexpr std::int64_t exact_max = std::int64_t{1} << 53;
    // Both operands are exact, so the quotient is the nearest double.
    if (value.mantissa >= -exact_max && value.mantissa <= exact_max)
        return static_cast<double>(value.mantissa) / static_cast<double>(power(value.decimals));
    std::string text;
    append_json(text, value);
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

int compare(Decimal a, Decimal b) {
    if (a.decimals == b.decimals) return (a.mantissa > b.mantissa) - (a.mantissa < b.mantissa);
    // 2^63 * 10^18 fits 128 bits.
    const int decimals = std::max(a.decimals, b.decimals);
    const Wide left = Wide{a.mantissa} * power(decimals - a.decimals);
    const Wide right = Wide{b.mantissa} * power(decimals - b.decimals);
    return (left > right) - (left < right);
}

std::optional<Decimal> multiply(Decimal a, Decimal b) {
    const int decimals = a.decimals + b.decimals;
    std::int64_t product = 0;
    if (decimals <= decimals_max && !__builtin_mul_overflow(a.mantissa, b.mantissa, &product))
        return strip(product, decimals);
    return narrow(Wide{a.mantissa} * b.mantissa, decimals);
}

std::optional<Decimal> add(Decimal a, Decimal b) {
    std::int64_t sum = 0;
    if (a.decimals == b.decimals && !__builtin_add_overflow(a.mantissa, b.mantissa, &sum))
        return strip(sum, a.decimals);
    const int decimals = std::max(a.decimals, b.decimals);
    const Wide left = Wide{a.mantissa} * power(decimals - a.decimals);
    return narrow(left + Wide{b.mantissa} * power(decimals - b.decimals), decimals);
}

std::optional<Decimal> round_to_grid(Decimal value, Decimal base, Decimal step) {
    const int decimals = std::max({value.decimals, base.decimals, step.decimals});
    const auto wide = [&](Decimal d) { return Wide{d.mantissa} * power(decimals - d.decimals); };
    const Wide grid = wide(step);
    if (grid <= 0) return std::nullopt;
    const Wide start = wide(base);
    const Wide distance = wide(value) - start;
    // The distance to the place before `value`, as seen from the base; 128 bit division is slow.
    const bool short_way = is_int64(distance) && is_int64(grid);
    const Wide rest =
        short_way ? Wide{static_cast<std::int64_t>(distance) % static_cast<std::int64_t>(grid)}
                  : distance % grid;
    Wide rounded = distance - rest;
    if (rest * 2 >= grid) rounded += grid;
    if (rest * -2 >= grid) rounded -= grid;
    return narrow(start + rounded, decimals);
}

Decimal normalized(Decimal value) { return strip(value.mantissa, value.decimals); }

std::optional<Decimal> shortest_decimal(float value) { return shortest(value); }
std::optional<Decimal> shortest_decimal(double value) { return shortest(value); }

}  // namespace fieldgate
