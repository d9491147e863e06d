#include "tests/lab/demo/truth.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/json.h"

namespace fieldgate::lab {

namespace {

// What a bit is worth depends on the model: true, or 1.
std::optional<std::int64_t> whole(const json::Value& value) {
    if (value.boolean() != nullptr) return *value.boolean() ? 1 : 0;
    if (value.integer() != nullptr) return *value.integer();
    return std::nullopt;
}

}  // namespace

bool same_value(const std::string& a, const std::string& b) {
    const Result<json::Value> one = json::parse(a);
    const Result<json::Value> other = json::parse(b);
    if (!one || !other) return a == b;
    if (whole(*one) && whole(*other)) return whole(*one) == whole(*other);
    if (one->is_number() && other->is_number()) {
        const double larger = std::max(std::abs(one->number()), std::abs(other->number()));
        return std::abs(one->number() - other->number()) <= larger * 2e-7;
    }
    return one->state().index() == other->state().index() && a == b;
}

void Truth::add(const std::string& device, const std::string& property, std::int64_t since,
                const std::string& value) {
    Moments& moments = held_[{device, property}];
    if (moments.empty() || moments.back().second != value) moments.emplace_back(since, value);
}

Truth::Moments Truth::moments_of(const std::string& device, const std::string& property,
                                 std::int64_t at, std::chrono::milliseconds tick) const {
    const auto found = held_.find({device, property});
    if (found == held_.end()) return {};
    const Moments& all = found->second;
    const auto later = [](std::int64_t time, const auto& moment) { return time < moment.first; };
    auto first = std::upper_bound(all.begin(), all.end(), at - tick.count(), later);
    if (first != all.begin()) --first;  // what was there already when the time began
    const auto last = std::upper_bound(all.begin(), all.end(), at + tick.count(), later);
    return first < last ? Moments(first, last) : Moments();
}

bool Truth::held(const std::string& device, const std::string& property, std::int64_t at,
                 std::chrono::milliseconds tick, const std::string& value) const {
    const Moments moments = moments_of(device, property, at, tick);
    return std::any_of(moments.begin(), moments.end(),
                       [&](const auto& moment) { return same_value(moment.second, value); });
}

std::string Truth::around(const std::string& device, const std::string& property, std::int64_t at,
                          std::chrono::milliseconds tick) const {
    std::string text;
    for (const auto& [since, value] : moments_of(device, property, at, tick))
        text += (text.empty() ? "" : ", ") + value + " since " + std::to_string(since);
    return text.empty() ? "nothing" : text;
}

std::vector<std::pair<std::string, std::string>> Truth::properties() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& [key, moments] : held_) all.push_back(key);
    return all;
}

}  // namespace fieldgate::lab
