#include "southbound/modbus/plan.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/expect.h"
#include "southbound/modbus/pdu.h"

namespace fieldgate::southbound::modbus {
namespace {

constexpr std::chrono::milliseconds first_retry = std::chrono::seconds(15);
constexpr std::chrono::milliseconds last_retry = std::chrono::hours(1);
constexpr std::uint32_t silent_block = 3;  // timeouts in a row that say "too long"
constexpr std::uint32_t silent_point = 10;

bool is_bits(Table table) { return table == Table::coil || table == Table::discrete; }

std::size_t index(Table table) { return static_cast<std::size_t>(table); }

std::uint64_t key(const Scan& scan) {
    return std::uint64_t{scan.retry} << 48 | std::uint64_t{index(scan.table)} << 40 |
           std::uint64_t{scan.first} << 16 | scan.count;
}

// A device that has just started may refuse everything for a while.
std::chrono::milliseconds retry_period(std::uint32_t refusals) {
    const std::uint32_t doublings = std::min(refusals, 16U) - 1U;
    return std::min(first_retry * (1U << doublings), last_retry);
}

Scan make_scan(std::uint8_t unit, Table table, const Block& block) {
    Scan scan;
    scan.table = table;
    scan.first = static_cast<std::uint16_t>(block.first);
    scan.count = static_cast<std::uint16_t>(block.count());
    scan.period = block.period;
    for (const BlockMember& member : block.members) {
        const auto offset = static_cast<std::uint16_t>(member.extent.first - block.first);
        scan.fields.push_back({member.extent.point, offset, member.every_nth, 0});
    }
    scan.request = read_request(unit, table, scan.first, scan.count);
    return scan;
}

}  // namespace

std::vector<Schedule::Timing> timings(const std::vector<Scan>& scans) {
    std::vector<Schedule::Timing> result;
    result.reserve(scans.size());
    for (const Scan& scan : scans) result.push_back({scan.period, key(scan), !scan.retry});
    return result;
}

DevicePlan::DevicePlan(const DeviceSettings& device, const CostModel& cost)
    : map_(device.map),
      cost_(&cost),
      unit_(device.unit),
      every_(device.every),
      refused_(device.map->fields.size(), false),
      refusals_(device.map->fields.size(), 0),
      exceptions_(device.map->fields.size(), 0),
      forbidden_(device.map->fields.size(), false) {
    expect(every_.size() == map_->fields.size(), "a period for every field");
    for (const Table table : all_tables) longest_[index(table)] = longest_allowed(*map_, table);
    for (PointIndex point = 0; point < map_->fields.size(); ++point) {
        expect(every_[point].count() > 0, "a period");
        const Table table = map_->fields[point].table;
        const Extent e = extent(point);
        const std::uint32_t longest = is_bits(table) ? 2000 : 125;
        forbidden_[point] = e.end > 0x10000 || e.end == e.first || e.end - e.first > longest;
        for (const AddressRange& range : map_->forbidden)
            if (range.table == table && range.first < e.end && e.first <= range.last)
                forbidden_[point] = true;
    }
    rebuild();
}

DevicePlan::DevicePlan(const DevicePlan& fresh, const DeviceSettings& device) : DevicePlan(fresh) {
    expect(suits(device), "a plan for these fields");
    unit_ = device.unit;
    for (Scan& scan : scans_)
        scan.request = read_request(unit_, scan.table, scan.first, scan.count);
}

std::size_t DevicePlan::unreadable() const {
    std::size_t count = 0;
    for (PointIndex point = 0; point < refused_.size(); ++point)
        if (!is_readable(point)) ++count;
    return count;
}

bool DevicePlan::is_readable(PointIndex point) const {
    return !refused_[point] && !forbidden_[point];
}

Extent DevicePlan::extent(PointIndex point) const {
    const Field& field = map_->fields[point];
    return {point, field.address, std::uint32_t{field.address} + width(field), every_[point]};
}

std::uint16_t DevicePlan::widest(Table table) const {
    std::uint16_t widest = 1;
    for (PointIndex point = 0; point < refused_.size(); ++point)
        if (map_->fields[point].table == table && is_readable(point))
            widest = std::max(widest, width(map_->fields[point]));
    return widest;
}

void DevicePlan::rebuild() {
    const std::vector<Scan> old_scans = std::exchange(scans_, {});
    const std::vector<Trial> old_trials = std::exchange(trials_, {});
    for (const Table table : all_tables) {
        plan_table(table);
        add_retries(table);
    }
    trials_.resize(scans_.size());
    for (std::size_t i = 0; i < scans_.size(); ++i) {
        const auto same = [&](const Scan& old) { return key(old) == key(scans_[i]); };
        const auto old = std::find_if(old_scans.begin(), old_scans.end(), same);
        if (old == old_scans.end()) continue;
        trials_[i] = old_trials[static_cast<std::size_t>(old - old_scans.begin())];
    }
}

void DevicePlan::plan_table(Table table) {
    std::vector<Extent> extents;
    BlockLimits limits;
    limits.longest = longest_[index(table)];
    limits.gap = map_->gap;
    for (PointIndex point = 0; point < refused_.size(); ++point) {
        if (map_->fields[point].table != table) continue;
        const Extent e = extent(point);
        if (is_readable(point)) extents.push_back(e);
        if (refused_[point]) limits.walls.push_back({e.first, e.end});
    }
    if (extents.empty()) return;
    for (const AddressRange& range : map_->forbidden)
        if (range.table == table) limits.walls.push_back({range.first, range.last + 1U});
    for (const Cut& cut : cuts_)
        if (cut.table == table) limits.cuts.push_back(cut.at);
    const std::uint16_t most = std::max<std::uint16_t>(limits.longest, is_bits(table) ? 2000 : 125);
    for (unsigned count = 0; count <= most; ++count)
        limits.cost.push_back(cost_->transaction(table, static_cast<std::uint16_t>(count)));
    for (const Block& block : cut_into_blocks(std::move(extents), limits))
        scans_.push_back(make_scan(unit_, table, block));
}

// Points at the same place share a retry.
void DevicePlan::add_retries(Table table) {
    for (PointIndex point = 0; point < refused_.size(); ++point) {
        if (!refused_[point] || forbidden_[point] || map_->fields[point].table != table) continue;
        const Extent e = extent(point);
        const auto same = [&](const Scan& scan) {
            return scan.retry && scan.table == table && scan.first == e.first &&
                   scan.count == e.end - e.first;
        };
        const auto found = std::find_if(scans_.begin(), scans_.end(), same);
        if (found != scans_.end()) {
            found->fields.push_back({point, 0, 1, 0});
            continue;
        }
        Block block{
            e.first, e.end, std::max(every_[point], retry_period(refusals_[point])), {{e, 1}}};
        scans_.push_back(make_scan(unit_, table, block));
        scans_.back().retry = true;
    }
}

std::optional<std::size_t> DevicePlan::want(PointIndex point) {
    for (std::size_t scan = 0; scan < scans_.size(); ++scan) {
        if (scans_[scan].retry) continue;
        for (ScanField& field : scans_[scan].fields) {
            if (field.point != point) continue;
            field.turn = 0;
            return scan;
        }
    }
    return std::nullopt;
}

void DevicePlan::want_all() {
    for (Scan& scan : scans_)
        for (ScanField& field : scan.fields) field.turn = 0;
}

void DevicePlan::set_periods(std::vector<std::chrono::milliseconds> every) {
    expect(every.size() == map_->fields.size(), "a period for every field");
    every_ = std::move(every);
    rebuild();
}

std::vector<Scan> DevicePlan::scans_of(const std::vector<PointIndex>& points) const {
    std::vector<Scan> result;
    for (const Scan& scan : scans_) {
        if (scan.retry) continue;
        Scan wanted = scan;
        std::erase_if(wanted.fields, [&](const ScanField& field) {
            return std::find(points.begin(), points.end(), field.point) == points.end();
        });
        for (ScanField& field : wanted.fields) field.every_nth = 1;
        if (!wanted.fields.empty()) result.push_back(std::move(wanted));
    }
    return result;
}

bool DevicePlan::answered(std::size_t scan) {
    ++answers_;
    const Table table = scans_[scan].table;
    std::uint16_t& most = answered_[index(table)];
    most = std::max(most, scans_[scan].count);
    Trial& trial = trials_[scan];
    trial.timeouts = 0;
    if (scans_[scan].retry) return restore(scan);
    if (std::exchange(trial.good, true)) return false;
    return settle(table);
}

bool DevicePlan::refused(std::size_t scan, int code) {
    if (code == 10 || code == 11) return false;  // a gateway answered, not the device
    ++answers_;
    trials_[scan].timeouts = 0;
    if (code != 2 && code != 3) return false;
    if (scans_[scan].retry) return give_up(scan, code);
    trials_[scan].good = false;
    const Scan& block = scans_[scan];
    if (code == 3 && block.count > answered_[index(block.table)] && shorten(scan)) return true;
    return bisect(scan) || give_up(scan, code);
}

// Only lengths and places that never worked are suspected: noise and load must not teach anything.
bool DevicePlan::timed_out(std::size_t scan) {
    Trial& trial = trials_[scan];
    if (trial.timeouts == 0) trial.answers = answers_;
    ++trial.timeouts;
    if (trial.good || scans_[scan].retry) return false;
    if (trial.timeouts % silent_block != 0 && trial.timeouts < silent_point) return false;
    const bool alive_meanwhile = answers_ >= trial.answers + trial.timeouts / silent_block;
    if (!alive_meanwhile) return false;
    const Scan& block = scans_[scan];
    if (block.count > answered_[index(block.table)] && shorten(scan)) return true;
    if (bisect(scan)) return true;
    return trial.timeouts >= silent_point && give_up(scan, 0);
}

bool DevicePlan::shorten(std::size_t scan) {
    const Scan& block = scans_[scan];
    const auto half = static_cast<std::uint16_t>(block.count / 2);
    const std::uint16_t wanted = std::max(half, widest(block.table));
    if (wanted >= block.count) return false;
    longest_[index(block.table)] = wanted;
    rebuild();
    return true;
}

// Cuts the block between two points, near its middle. Its edges are cut too, so that its halves do
// not grow into their neighbours while we search.
bool DevicePlan::bisect(std::size_t scan) {
    const Scan& block = scans_[scan];
    const std::uint32_t first = block.first;
    const std::uint32_t end = first + block.count;
    const std::uint32_t middle = first + block.count / 2U;
    std::uint32_t reached = first;
    std::uint32_t best = 0;
    const auto distance = [&](std::uint32_t at) { return at > middle ? at - middle : middle - at; };
    for (const ScanField& field : block.fields) {
        const Extent e = extent(field.point);
        const bool apart = e.first > first && e.first >= reached;
        if (apart && (best == 0 || distance(e.first) < distance(best))) best = e.first;
        reached = std::max(reached, e.end);
    }
    if (best == 0) return false;
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
    longest_[index(table)] = longest_allowed(*map_, table);
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
    std::uint16_t& longest = longest_[index(cut.table)];
    const std::uint16_t good = answered_[index(cut.table)];
    if (reached < cut.at || cut.end - cut.first <= good) return true;
    // Both halves are good and nothing lies between them: together they are too long.
    longest = std::max({good, widest(cut.table), std::uint16_t{1}});
    return false;
}

}  // namespace fieldgate::southbound::modbus
