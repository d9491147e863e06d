#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fieldgate::config {

/// What scalars mean. Pure; nullopt for everything that is not exactly of the form.

/// "12", "-3", "0x1F"; no leading zeros, no signs before 0x.
std::optional<std::int64_t> parse_whole(std::string_view text);
/// As parse_whole, up to 2^64-1, not negative.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);
/// "-12.50": digits, at most one point; no exponent, no leading zeros.
bool looks_decimal(std::string_view text);
/// A whole number and a unit of us, ms, s, m, h, d.
std::optional<std::chrono::microseconds> parse_duration(std::string_view text);
/// In the largest unit that is exact: "90s", "1h".
std::string format_duration(std::chrono::microseconds value);
/// A whole number and a unit of B, KiB, MiB, GiB; bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);
/// "45/s", "10/min"; per second.
std::optional<double> parse_rate(std::string_view text);
/// "100KiB/s", "1MiB/s"; bytes per second.
std::optional<double> parse_byte_rate(std::string_view text);

/// "A..B"; a text without ".." is both ends.
struct Ends {
    std::string_view first;
    std::string_view last;
};
Ends parse_ends(std::string_view text);

/// The member of `known` that `word` was probably meant to be; empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);
/// `did you mean "x"?`, or a list of what is known.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

/// Letters, digits, '_' and '-'.
bool is_identifier(std::string_view text);

}  // namespace fieldgate::config
