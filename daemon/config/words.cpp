#include "daemon/config/words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>
#include <utility>

namespace fieldgate::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The digits that `text` begins with, if they are a number without leading zeros.
std::string_view leading_digits(std::string_view text) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    return digits.size() > 1 && digits[0] == '0' ? std::string_view() : digits;
}

using Unit = std::pair<std::string_view, std::uint64_t>;

// A whole number and one of `units`, multiplied; at most INT64_MAX.
template <std::size_t n>
std::optional<std::uint64_t> with_unit(std::string_view text, const std::array<Unit, n>& units) {
    const std::string_view digits = leading_digits(text);
    const auto number = parse_unsigned(digits);
    if (!number) return std::nullopt;
    const std::string_view unit = text.substr(digits.size());
    for (const Unit& known : units) {
        if (known.first != unit) continue;
        std::uint64_t product = 0;
        if (__builtin_mul_overflow(*number, known.second, &product)) return std::nullopt;
        if (product > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return std::nullopt;
        return product;
    }
    return std::nullopt;
}

template <std::size_t n>
std::string in_largest_unit(std::uint64_t value, const std::array<Unit, n>& units) {
    const Unit* best = units.data();
    for (const Unit& unit : units) {
        if (value != 0 && value % unit.second == 0) best = &unit;
    }
    return std::to_string(value / best->second).append(best->first);
}

constexpr std::array<Unit, 6> durations{{{"us", 1},
                                         {"ms", 1'000},
                                         {"s", 1'000'000},
                                         {"m", 60'000'000},
                                         {"h", 3'600'000'000},
                                         {"d", 86'400'000'000}}};
constexpr std::array<Unit, 4> sizes{
    {{"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}}};
constexpr std::array<Unit, 2> byte_rates{{{"KiB/s", 1ULL << 10}, {"MiB/s", 1ULL << 20}}};
constexpr std::array<Unit, 2> rates{{{"/min", 1}, {"/s", 60}}};

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
        }
    }
    return row.back();
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

}  // namespace

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x")) {
        text.remove_prefix(2);
        base = 16;
    } else if (leading_digits(text).size() != text.size()) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<std::int64_t> parse_whole(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    if (negative && text.starts_with("0x")) return std::nullopt;
    const auto value = parse_unsigned(text);
    constexpr std::uint64_t max = std::numeric_limits<std::int64_t>::max();
    if (!value || *value > max) return std::nullopt;
    const auto magnitude = static_cast<std::int64_t>(*value);
    return negative ? -magnitude : magnitude;
}

bool looks_decimal(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    const std::string_view digits = leading_digits(text);
    if (digits.empty()) return false;
    text.remove_prefix(digits.size());
    if (text.empty()) return true;
    if (text[0] != '.') return false;
    text.remove_prefix(1);
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::optional<std::chrono::microseconds> parse_duration(std::string_view text) {
    const auto value = with_unit(text, durations);
    if (!value) return std::nullopt;
    return std::chrono::microseconds(static_cast<std::int64_t>(*value));
}

std::string format_duration(std::chrono::microseconds value) {
    if (value.count() == 0) return "0s";
    return in_largest_unit(static_cast<std::uint64_t>(value.count()), durations);
}

std::optional<std::uint64_t> parse_size(std::string_view text) { return with_unit(text, sizes); }

std::string format_size(std::uint64_t bytes) { return in_largest_unit(bytes, sizes); }

std::optional<double> parse_rate(std::string_view text) {
    const auto per_minute = with_unit(text, rates);
    if (!per_minute) return std::nullopt;
    return static_cast<double>(*per_minute) / 60;
}

std::optional<double> parse_byte_rate(std::string_view text) {
    const auto value = with_unit(text, byte_rates);
    if (!value) return std::nullopt;
    return static_cast<double>(*value);
}

Ends parse_ends(std::string_view text) {
    const std::size_t dots = text.find("..");
    if (dots == std::string_view::npos) return {text, text};
    return {text.substr(0, dots), text.substr(dots + 2)};
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
    if (word.size() > 64) return {};
    std::string best;
    std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string& candidate : known) {
        std::size_t distance = edit_distance(lower(word), lower(candidate));
        // "product" is near "product_id", but less than "products" is.
        if (word.size() >= 3 && candidate.starts_with(word))
            distance = std::min(distance, least - 1);
        if (distance >= least) continue;
        least = distance;
        best = candidate;
    }
    return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
    const std::string best = nearest(word, known);
    if (!best.empty()) return "did you mean \"" + best + "\"?";
    if (known.empty()) return "there is none";
    constexpr std::size_t shown = 20;
    std::string list = "one of: ";
    for (std::size_t i = 0; i < known.size() && i < shown; ++i) {
        if (i > 0) list += ", ";
        list += known[i];
    }
    if (known.size() > shown) list += ", ...";
    return list;
}

bool is_identifier(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
               c == '-';
    });
}

}  // namespace fieldgate::config
