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

bool is_bits(Table table) { return table == Table::coil || table == Table::discrete; }

std::uint64_t key(const Scan& scan) {
    return std::uint64_t{scan.retry} << 48 | std::uint64_t{index_of(scan.table)} << 40 |
           std::uint64_t{scan.first} << 16 | scan.count;
}

// A device that answers no short reads is asked for what follows, too, or for what is before.
std::uint32_t begin_of(const RegisterMap& map, Table table, const Block& block,
                       std::uint32_t count) {
    const std::uint32_t end = block.first + count;
    const bool is_free = std::ranges::none_of(map.forbidden, [&](const AddressRange& range) {
        return range.table == table && range.first < end && block.end <= range.last;
    });
    const bool begins_elsewhere = block.end < count || block.members.front().extent.heads;
    return (is_free && end <= 0x10000) || begins_elsewhere ? block.first : block.end - count;
}

Scan make_scan(std::uint8_t unit, const RegisterMap& map, Table table, const Block& block) {
    Scan scan;
    scan.table = table;
    const std::uint32_t least = is_bits(table) ? 1U : map.min_registers;
    const std::uint32_t count = std::max(block.count(), least);
    scan.first = static_cast<std::uint16_t>(begin_of(map, table, block, count));
    scan.count = static_cast<std::uint16_t>(count);
    scan.period = block.period;
    for (const BlockMember& member : block.members) {
        const std::uint16_t address = map.fields[member.extent.point].address;
        const auto offset = static_cast<std::uint16_t>(address - scan.first);
        scan.fields.push_back({member.extent.point, offset, member.every_nth, 0});
    }
    scan.request = read_request(unit, table, scan.first, scan.count);
    scan.request.at_least = map.min_registers;
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
    for (const Table table : all_tables) longest_[index_of(table)] = longest_allowed(*map_, table);
    for (PointIndex point = 0; point < map_->fields.size(); ++point) {
        expect(every_[point].count() > 0, "a period");
        const Table table = map_->fields[point].table;
        const Extent e = extent(point);
        const std::uint32_t longest = is_bits(table) ? 2000 : 125;
        forbidden_[point] = map_->fields[point].never_read || e.end > 0x10000 || e.end == e.first ||
                            e.end - e.first > longest;
        for (const AddressRange& range : map_->forbidden)
            if (range.table == table && range.first < e.end && e.first <= range.last)
                forbidden_[point] = true;
    }
    rebuild();
}

DevicePlan::DevicePlan(const DevicePlan& fresh, const DeviceSettings& device) : DevicePlan(fresh) {
    expect(suits(device), "a plan for these fields");
    unit_ = device.unit;
    for (Scan& scan : scans_) scan.request.unit = unit_;
}

// A device that has just started may refuse everything for a while.
std::chrono::milliseconds DevicePlan::retry_period(std::uint32_t refusals) {
    const std::uint32_t doublings = std::clamp(refusals, 1U, 16U) - 1U;
    return std::min(first_retry * (1U << doublings), last_retry);
}

std::size_t DevicePlan::unreadable() const {
    std::size_t count = 0;
    for (PointIndex point = 0; point < refused_.size(); ++point)
        if (!is_readable(point) && !map_->fields[point].never_read) ++count;
    return count;
}

bool DevicePlan::is_readable(PointIndex point) const {
    return !refused_[point] && !forbidden_[point];
}

Extent DevicePlan::extent(PointIndex point) const {
    const Field& field = map_->fields[point];
    return {point, field.begins_at.value_or(field.address),
            std::uint32_t{field.address} + width(field), every_[point],
            field.begins_at.has_value()};
}

std::uint16_t DevicePlan::widest(Table table) const {
    std::uint32_t widest = is_bits(table) ? 1U : map_->min_registers;
    for (PointIndex point = 0; point < refused_.size(); ++point) {
        const Extent e = extent(point);
        if (map_->fields[point].table == table && is_readable(point))
            widest = std::max(widest, e.end - e.first);
    }
    return static_cast<std::uint16_t>(widest);
}

Scan DevicePlan::alone(PointIndex point, std::chrono::milliseconds period) const {
    const Extent e = extent(point);
    return make_scan(unit_, *map_, map_->fields[point].table, {e.first, e.end, period, {{e, 1}}});
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
    limits.longest = longest_[index_of(table)];
    limits.gap = map_->gap;
    limits.alone = map_->alone;
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
        scans_.push_back(make_scan(unit_, *map_, table, block));
}

// Points at the same place share a retry.
void DevicePlan::add_retries(Table table) {
    for (PointIndex point = 0; point < refused_.size(); ++point) {
        if (!refused_[point] || forbidden_[point] || map_->fields[point].table != table) continue;
        Scan retry = alone(point, std::max(every_[point], retry_period(refusals_[point])));
        retry.retry = true;
        const auto same = [&](const Scan& scan) { return key(scan) == key(retry); };
        const auto found = std::find_if(scans_.begin(), scans_.end(), same);
        if (found != scans_.end())
            found->fields.push_back(retry.fields.front());
        else
            scans_.push_back(std::move(retry));
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

}  // namespace fieldgate::southbound::modbus
