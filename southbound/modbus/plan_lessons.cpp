// What a plan has learned, and how another one is told.
#include <algorithm>

#include "southbound/modbus/plan.h"

namespace fieldgate::southbound::modbus {
namespace {

constexpr std::uint32_t times_kept = 10;  // from then on its retries are as rare as they get

bool is_before(const Lessons::Refusal& one, const Lessons::Refusal& other) {
    return one.table != other.table ? one.table < other.table : one.first < other.first;
}

// Neighbours that are refused alike are one refusal.
std::vector<Lessons::Refusal> joined(std::vector<Lessons::Refusal> refusals) {
    std::sort(refusals.begin(), refusals.end(), is_before);
    std::vector<Lessons::Refusal> result;
    for (const Lessons::Refusal& refusal : refusals) {
        if (!result.empty()) {
            Lessons::Refusal& last = result.back();
            const bool alike = last.table == refusal.table && refusal.first <= last.last + 1U &&
                               last.exception == refusal.exception && last.times == refusal.times;
            if (alike) {
                last.last = std::max(last.last, refusal.last);
                continue;
            }
        }
        result.push_back(refusal);
    }
    return result;
}

}  // namespace

Lessons DevicePlan::lessons() const {
    Lessons lessons;
    for (PointIndex point = 0; point < refused_.size(); ++point) {
        if (!refused_[point] || forbidden_[point]) continue;
        const Extent e = extent(point);
        lessons.refused.push_back({map_->fields[point].table, static_cast<std::uint16_t>(e.first),
                                   static_cast<std::uint16_t>(e.end - 1), exceptions_[point],
                                   std::min(refusals_[point], times_kept)});
    }
    lessons.refused = joined(std::move(lessons.refused));
    for (const Table table : all_tables)
        if (longest(table) < longest_allowed(*map_, table))
            lessons.longest.push_back({table, longest(table)});
    for (const Cut& cut : cuts_)
        if (cut.proven) lessons.edges.push_back({cut.table, static_cast<std::uint16_t>(cut.at)});
    return lessons;
}

bool DevicePlan::searching() const {
    return std::any_of(cuts_.begin(), cuts_.end(), [](const Cut& cut) { return !cut.proven; });
}

bool DevicePlan::teach(const Lessons& lessons) {
    if (lessons.empty() || searching() || !this->lessons().empty()) return false;
    for (const Lessons::Refusal& refusal : lessons.refused) {
        for (PointIndex point = 0; point < refused_.size(); ++point) {
            const Extent e = extent(point);
            const bool inside = map_->fields[point].table == refusal.table &&
                                e.first >= refusal.first && e.end <= refusal.last + 1U;
            if (!inside) continue;
            refused_[point] = true;
            refusals_[point] = refusal.times;
            exceptions_[point] = refusal.exception;
        }
    }
    for (const Lessons::Longest& longest : lessons.longest) {
        const auto table = static_cast<std::size_t>(longest.table);
        longest_[table] = std::clamp(
            longest.count, std::min(widest(longest.table), longest_[table]), longest_[table]);
        answered_[table] = longest_[table];
    }
    for (const Lessons::Edge& edge : lessons.edges)
        cuts_.push_back({edge.table, edge.at, 0, 0, true});
    rebuild();
    return true;
}

}  // namespace fieldgate::southbound::modbus
