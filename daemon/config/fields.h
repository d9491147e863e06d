#pragma once
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/config/document.h"
#include "daemon/config/keys.h"
#include "model/value.h"

namespace fieldgate::config {

using std::chrono::microseconds;

/// Typed readers of one scalar: the value, or nullopt with a problem.
std::optional<std::string> read_text(const Place& place, Report& report);
std::optional<std::int64_t> read_whole(const Place& place, Report& report, std::int64_t min,
                                       std::int64_t max);
std::optional<microseconds> read_duration(const Place& place, Report& report, microseconds finest,
                                          microseconds min, microseconds max);
std::optional<Decimal> read_decimal(const Place& place, Report& report);
/// One of `words`, bare; its position in the list.
std::optional<std::size_t> read_word(const Place& place, Report& report,
                                     const std::vector<std::string>& words);
/// True, silently, if the scalar is the bare word `word`.
bool is_word(const Place& place, std::string_view word);
/// The places of a list's items; a problem if it is no list.
std::vector<Place> read_list(const Place& place, Report& report);
/// The text without a problem; empty if it is no scalar.
const std::string& raw_text(const Place& place);

/// The keys of one map: each is asked for by name and type. A key that is absent leaves its target
/// alone; one that is wrong does too, and is a problem. Keys that `map` does not have are problems
/// at once.
class Fields {
public:
    Fields(Place place, Report& report, Keys map);

    /// The value of `key`; nullopt if it is absent, or, with a problem, without a value.
    std::optional<Place> get(std::string_view key);
    /// As get(), but its absence is a problem.
    std::optional<Place> require(std::string_view key, std::string hint);
    bool has(std::string_view key) const { return map_.node->find(key) != nullptr; }
    const Place& place() const { return map_; }
    Report& report() { return report_; }

    void text(std::string_view key, std::string& target);
    /// true or false
    void flag(std::string_view key, bool& target);
    void decimal(std::string_view key, std::optional<Decimal>& target);
    void size(std::string_view key, std::uint64_t& target, std::uint64_t min, std::uint64_t max);
    void texts(std::string_view key, std::vector<std::string>& target);

    template <class Number>
    void whole(std::string_view key, Number& target, std::int64_t min, std::int64_t max) {
        if (const auto place = get(key)) {
            if (const auto value = read_whole(*place, report_, min, max))
                target = static_cast<Number>(*value);
        }
    }
    template <class Duration>
    void duration(std::string_view key, Duration& target, microseconds min, microseconds max) {
        if (const auto place = get(key)) {
            if (const auto value = read_duration(*place, report_, Duration(1), min, max))
                target = std::chrono::duration_cast<Duration>(*value);
        }
    }
    template <class Enum>
    void word(std::string_view key, Enum& target,
              const std::vector<std::pair<std::string, Enum>>& words) {
        const auto place = get(key);
        if (!place) return;
        std::vector<std::string> names;
        for (const auto& [name, meaning] : words) names.push_back(name);
        if (const auto index = read_word(*place, report_, names)) target = words[*index].second;
    }

private:
    Place map_;
    Report& report_;
    std::vector<std::string> guessed_;  // keys that an unknown key was probably meant to be
    bool no_map_ = false;
};

}  // namespace fieldgate::config
