#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"

namespace fieldgate::northbound::mqtt {

/// Why attempts to connect have failed, as far as it was looked for: by the library's own words,
/// which say little. The same words again have the same reason, most likely, and a platform that is
/// coming up has better things to do than to be asked for it by every gateway at every attempt. So
/// a reason is good for `lifetime`. Pure.
class Reasons {
public:
    using Moment = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::minutes lifetime{10};

    void note(const std::string& words, Error reason, Moment now) {
        known_.insert_or_assign(words, std::pair(std::move(reason), now));
    }
    /// nullopt: look for it.
    std::optional<Error> of(const std::string& words, Moment now) const {
        const auto known = known_.find(words);
        if (known == known_.end() || now >= known->second.second + lifetime) return std::nullopt;
        return known->second.first;
    }
    /// There is a link: whatever it was is over.
    void clear() { known_.clear(); }

private:
    std::map<std::string, std::pair<Error, Moment>> known_;
};

}  // namespace fieldgate::northbound::mqtt
