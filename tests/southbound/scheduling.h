#pragma once
#include <initializer_list>
#include <vector>

#include "southbound/schedule.h"

namespace fieldgate::southbound::scheduling {

using namespace std::chrono_literals;

inline const Instant start{1000h};
inline const OfflinePolicy policy{.after = 3, .probe_from = 1s, .probe_to = 60s};

inline std::vector<Schedule::Timing> periods(
    std::initializer_list<std::chrono::milliseconds> list) {
    std::vector<Schedule::Timing> result;
    for (const auto period : list) result.push_back({period, result.size(), true});
    return result;
}

}  // namespace fieldgate::southbound::scheduling
