#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fieldgate::lab {

/// What the plant's devices really held, and since when. Values as JSON text. Pure.
class Truth {
public:
    /// From `since` (ms since 1970) on, until the next of the same property. In rising order.
    void add(const std::string& device, const std::string& property, std::int64_t since,
             const std::string& value);

    /// Whether the property had this value at some moment of `at` ± `tick`. Numbers may differ in
    /// the seventh digit: a float has no more.
    bool held(const std::string& device, const std::string& property, std::int64_t at,
              std::chrono::milliseconds tick, const std::string& value) const;
    /// What it held around `at`, for people.
    std::string around(const std::string& device, const std::string& property, std::int64_t at,
                       std::chrono::milliseconds tick) const;

    /// Every (device, property) there is.
    std::vector<std::pair<std::string, std::string>> properties() const;

private:
    using Moments = std::vector<std::pair<std::int64_t, std::string>>;
    Moments moments_of(const std::string& device, const std::string& property, std::int64_t at,
                       std::chrono::milliseconds tick) const;

    std::map<std::pair<std::string, std::string>, Moments> held_;
};

/// Whether two JSON texts mean the same value; true and 1 do, for a bit's type is the model's
/// choice.
bool same_value(const std::string& a, const std::string& b);

}  // namespace fieldgate::lab
