// What a device does not give is found: the plan is cut until every request is answered.
#include <algorithm>
#include <utility>

#include "southbound/modbus/pdu.h"
#include "southbound/modbus/plan.h"

namespace fieldgate::southbound::modbus {
namespace {

// Failures of a block that never worked, until it is cut, and until a point that is asked for alone
// counts as refused: a device may be busy, or a line noisy, for long.
constexpr std::uint32_t cut_after = 3, given_up_after = 10;
constexpr std::uint32_t after_exceptions = 2;

bool is_gateways(int exception) { return exception == 10 || exception == 11; }
// "acknowledge" and "busy": not now.
bool is_not_now(int exception) { return exception == 5 || exception == 6; }
bool is_of_the_address(int exception) { return exception == 2 || exception == 3; }

}  // namespace

bool DevicePlan::answered(std::size_t scan) {
    ++answers_;
    const Table table = scans_[scan].table;
    std::uint16_t& most = answered_[index_of(table)];
    most = std::max(most, scans_[scan].count);
    if (scans_[scan].retry) return restore(scan);
    Trial& trial = trials_[scan];
    trial.failures = 0;
    if (std::exchange(trial.good, true)) return false;
    return settle(table);
}

bool DevicePlan::refused(std::size_t scan, int code) {
    if (is_gateways(code)) return false;  // the device has said nothing
    ++answers_;
    if (is_not_now(code)) return failed(scan, {code, given_up_after, 2 * given_up_after});
    if (!is_of_the_address(code)) return failed(scan, {code, after_exceptions, after_exceptions});
    if (scans_[scan].retry) return give_up(scan, code);
    trials_[scan] = Trial();
    const Scan& block = scans_[scan];
    if (code == 3 && block.count > most_answered(block.table) && shorten(scan)) return true;
    return bisect(scan) || give_up(scan, code);
}

bool DevicePlan::untrue(std::size_t scan) {
    return failed(scan, {Lessons::untrue, cut_after, cut_after});
}

bool DevicePlan::timed_out(std::size_t scan) {
    return failed(scan, {Lessons::silence, cut_after, given_up_after});
}

bool DevicePlan::is_suspect(std::size_t scan) const {
    const Trial& trial = trials_[scan];
    return (scans_[scan].retry || !trial.good) && answers_ > trial.answers;
}

// Only places that never worked are suspected: noise and load must not teach anything.
bool DevicePlan::failed(std::size_t scan, const Failure& failure) {
    const bool suspect = is_suspect(scan);
    Trial& trial = trials_[scan];
    trial.answers = answers_;
    if (!suspect) return false;
    if (scans_[scan].retry) return give_up(scan, failure.reason);
    ++trial.failures;
    // Within a search some part must fail, and what was answered once so is believed.
    const bool is_quick = failure.reason != Lessons::silence && !is_not_now(failure.reason);
    const bool expected = is_quick && is_searched(scan);
    if (!expected && trial.failures < failure.cut_after) return false;
    if (bisect(scan)) return true;
    return (expected || trial.failures >= failure.given_up_after) && give_up(scan, failure.reason);
}

bool DevicePlan::is_searched(std::size_t scan) const {
    const Scan& block = scans_[scan];
    return std::any_of(cuts_.begin(), cuts_.end(), [&](const Cut& cut) {
        return !cut.proven && cut.table == block.table && cut.first <= block.first &&
               block.first + std::uint32_t{block.count} <= cut.end;
    });
}

Request DevicePlan::probe(std::size_t scan) {
    const Scan& block = scans_[scan];
    const std::size_t round = probes_++ / scans_.size();
    const bool by_point = !trials_[scan].good && round % 2 == 1;
    if (!by_point) return probe_of_other_length(block.request).value_or(block.request);
    return alone(block.fields[round / 2 % block.fields.size()].point, block.period).request;
}

bool DevicePlan::shorten(std::size_t scan) {
    const Scan& block = scans_[scan];
    const auto half = static_cast<std::uint16_t>(block.count / 2);
    const std::uint16_t wanted = std::max(half, widest(block.table));
    if (wanted >= block.count) return false;
    longest_[index_of(block.table)] = wanted;
    rebuild();
    return true;
}

// Cuts the block where it reads something along that nobody wants, or else between two points, near
// its middle. Its edges are cut too, so that its halves do not grow into their neighbours while we
// search.
bool DevicePlan::bisect(std::size_t scan) {
    const Scan& block = scans_[scan];
    const std::uint32_t first = block.first;
    const std::uint32_t end = first + block.count;
    const std::uint32_t middle = first + block.count / 2U;
    const auto distance = [&](std::uint32_t at) { return at > middle ? at - middle : middle - at; };
    std::uint32_t reached = first;
    std::uint32_t best = first;
    bool in_a_hole = false;
    for (const ScanField& field : block.fields) {
        const Extent e = extent(field.point);
        const bool apart = e.first > first && e.first >= reached;
        const bool hole = e.first > reached;
        const bool better = best == first || (hole && !in_a_hole) ||
                            (hole == in_a_hole && distance(e.first) < distance(best));
        if (apart && better) {
            best = e.first;
            in_a_hole = hole;
        }
        reached = std::max(reached, e.end);
    }
    if (best == first) return false;
    const Table table = block.table;
    cuts_.push_back({table, first, 0, 0, false});
    cuts_.push_back({table, end, 0, 0, false});
    cuts_.push_back({table, best, first, end, false});
    rebuild();
    return true;
}

bool DevicePlan::give_up(std::size_t scan, int exception) {
    const Table table = scans_[scan].table;
    bool changed = false;
    for (const ScanField& field : scans_[scan].fields) {
        std::uint32_t& refusals = refusals_[field.point];
        if (!refused_[field.point] || retry_period(refusals + 1) != retry_period(refusals))
            changed = true;
        refused_[field.point] = true;
        exceptions_[field.point] = static_cast<std::uint8_t>(exception);
        ++refusals;
    }
    if (!changed) return false;
    rebuild();
    settle(table);
    return true;
}

// A device that has changed its mind is learned anew. A point that is refused again waits longer.
bool DevicePlan::restore(std::size_t scan) {
    const Table table = scans_[scan].table;
    for (const ScanField& field : scans_[scan].fields) refused_[field.point] = false;
    longest_[index_of(table)] = longest_allowed(*map_, table);
    std::erase_if(cuts_, [&](const Cut& cut) { return cut.table == table; });
    rebuild();
    return true;
}

// Ends a search: once every block of the table has been answered, the last cut of each search says
// where the hole is, and the others are taken back.
bool DevicePlan::settle(Table table) {
    const auto open = [&](const Cut& cut) { return cut.table == table && !cut.proven; };
    if (std::none_of(cuts_.begin(), cuts_.end(), open)) return false;
    for (std::size_t i = 0; i < scans_.size(); ++i)
        if (scans_[i].table == table && !scans_[i].retry && !trials_[i].good) return false;
    const std::vector<Cut> all = cuts_;
    for (Cut& cut : cuts_)
        if (open(cut)) cut.proven = prove(cut, all);
    std::erase_if(cuts_, open);
    rebuild();
    return true;
}

bool DevicePlan::prove(Cut& cut, const std::vector<Cut>& all) {
    if (cut.first == cut.end) return false;  // an edge
    for (const Cut& other : all) {           // a smaller part of it was refused as well
        const bool inside = other.table == cut.table && cut.first <= other.first &&
                            other.end <= cut.end && other.end - other.first < cut.end - cut.first;
        if (inside && !other.proven && other.first != other.end) return false;
    }
    std::uint32_t reached = 0;
    for (PointIndex point = 0; point < refused_.size(); ++point) {
        if (map_->fields[point].table != cut.table) continue;
        const Extent e = extent(point);
        const bool inside = cut.first < e.end && e.first < cut.end;
        if (inside && refused_[point]) return false;  // this point was the reason
        if (e.first < cut.at) reached = std::max(reached, e.end);
    }
    std::uint16_t& longest = longest_[index_of(cut.table)];
    const std::uint16_t good = answered_[index_of(cut.table)];
    if (reached < cut.at || cut.end - cut.first <= good) return true;
    // Both halves are good and nothing lies between them: together they are too long.
    longest = std::max({good, widest(cut.table), std::uint16_t{1}});
    return false;
}

}  // namespace fieldgate::southbound::modbus
