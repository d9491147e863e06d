#include "southbound/modbus/blocks.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace fieldgate::southbound::modbus {
namespace {

using std::chrono::nanoseconds;

// More than any transaction takes: makes the number of requests count before everything else.
constexpr nanoseconds request_penalty = std::chrono::minutes(1);

/// Whether a block may read the registers from `hole_first` to `hole_end`, which no point wants.
bool may_read_along(const BlockLimits& limits, std::uint32_t hole_first, std::uint32_t hole_end) {
    if (limits.gap && hole_end - hole_first > *limits.gap) return false;
    return std::none_of(limits.walls.begin(), limits.walls.end(), [&](const Wall& wall) {
        return wall.first < hole_end && hole_first < wall.end;
    });
}

bool is_cut(const BlockLimits& limits, std::uint32_t first, std::uint32_t end) {
    return std::any_of(limits.cuts.begin(), limits.cuts.end(),
                       [&](std::uint32_t cut) { return first < cut && cut < end; });
}

/// Whether a block from `first` on may hold `extent`, besides others that end at `end`.
bool may_hold(const BlockLimits& limits, std::uint32_t first, std::uint32_t end,
              const Extent& extent) {
    if (extent.heads && extent.first != first) return false;
    return !limits.alone || (extent.first == first && extent.end == end);
}

bool may_hold_all(const BlockLimits& limits, std::uint32_t first, std::uint32_t end,
                  const Block& block) {
    return std::ranges::all_of(block.members, [&](const BlockMember& member) {
        return may_hold(limits, first, end, member.extent);
    });
}

/// Of one period, sorted: best[j] is the cost of the first j extents, from[j] where the last block
/// of that solution starts. Exact: a set of blocks that is not in order of address can be put in
/// order at no higher cost, for a block inside another is not needed.
std::vector<Block> cut_one_period(std::span<const Extent> extents, const BlockLimits& limits) {
    const std::size_t n = extents.size();
    std::vector<nanoseconds> best(n + 1, nanoseconds::max());
    std::vector<std::size_t> from(n + 1, 0);
    best[0] = nanoseconds(0);
    const nanoseconds penalty = limits.gap ? request_penalty : nanoseconds(0);
    for (std::size_t i = 0; i < n; ++i) {
        std::uint32_t end = extents[i].first;
        const std::uint32_t first = extents[i].first;
        const std::uint32_t longest =
            std::max<std::uint32_t>(limits.longest, extents[i].end - first);
        for (std::size_t j = i; j < n; ++j) {
            const Extent& next = extents[j];
            if (next.first > end && !may_read_along(limits, end, next.first)) break;
            if (!may_hold(limits, first, extents[i].end, next)) break;
            end = std::max(end, next.end);
            if (j > i && (end - first > longest || is_cut(limits, first, end))) break;
            const nanoseconds cost = best[i] + limits.cost[end - first] + penalty;
            if (cost >= best[j + 1]) continue;
            best[j + 1] = cost;
            from[j + 1] = i;
        }
    }
    std::vector<Block> blocks;
    for (std::size_t j = n; j > 0; j = from[j]) {
        Block& block = blocks.emplace_back();
        block.first = extents[from[j]].first;
        block.period = extents[from[j]].period;
        for (std::size_t i = from[j]; i < j; ++i) {
            block.end = std::max(block.end, extents[i].end);
            block.members.push_back({extents[i], 1});
        }
    }
    std::reverse(blocks.begin(), blocks.end());
    return blocks;
}

bool divides(std::chrono::milliseconds fast, std::chrono::milliseconds slow) {
    return slow.count() % fast.count() == 0;
}

void board(Block& block, const Extent& extent) {
    block.first = std::min(block.first, extent.first);
    block.end = std::max(block.end, extent.end);
    const auto nth = extent.period.count() / block.period.count();
    block.members.push_back({extent, static_cast<std::uint32_t>(nth)});
}

/// Where reading `slow` along costs less than a request of its own; nullptr if nowhere.
Block* cheapest_carrier(std::vector<Block>& blocks, const Block& slow, const BlockLimits& limits) {
    Block* carrier = nullptr;
    const auto rate = [](nanoseconds cost, std::chrono::milliseconds period) {
        return static_cast<double>(cost.count()) / static_cast<double>(period.count());
    };
    double least = rate(limits.cost[slow.count()], slow.period);
    for (Block& fast : blocks) {
        if (!divides(fast.period, slow.period)) continue;
        const std::uint32_t first = std::min(fast.first, slow.first);
        const std::uint32_t end = std::max(fast.end, slow.end);
        if (end - first > limits.longest || is_cut(limits, first, end)) continue;
        if (!may_hold_all(limits, first, end, fast) || !may_hold_all(limits, first, end, slow))
            continue;
        if (slow.first > fast.end && !may_read_along(limits, fast.end, slow.first)) continue;
        if (fast.first > slow.end && !may_read_along(limits, slow.end, fast.first)) continue;
        const nanoseconds more = limits.cost[end - first] - limits.cost[fast.count()];
        if (rate(more, fast.period) >= least) continue;
        least = rate(more, fast.period);
        carrier = &fast;
    }
    return carrier;
}

/// Extents of one period that lie inside a faster block are read there for nothing.
void ride_inside(std::vector<Block>& blocks, std::vector<Extent>& extents,
                 const BlockLimits& limits) {
    std::erase_if(extents, [&](const Extent& extent) {
        for (Block& block : blocks) {
            const bool inside = block.first <= extent.first && extent.end <= block.end;
            if (!inside || !divides(block.period, extent.period)) continue;
            if (!may_hold(limits, block.first, block.end, extent)) continue;
            board(block, extent);
            return true;
        }
        return false;
    });
}

}  // namespace

std::vector<Block> cut_into_blocks(std::vector<Extent> extents, const BlockLimits& limits) {
    std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) {
        return std::tie(a.period, a.first, a.end, a.point) <
               std::tie(b.period, b.first, b.end, b.point);
    });
    std::vector<Block> blocks;
    for (std::size_t i = 0; i < extents.size();) {
        std::vector<Extent> same;
        const auto period = extents[i].period;
        for (; i < extents.size() && extents[i].period == period; ++i) same.push_back(extents[i]);
        ride_inside(blocks, same, limits);
        std::vector<Block> own;
        for (Block& slow : cut_one_period(same, limits)) {
            Block* carrier = cheapest_carrier(blocks, slow, limits);
            if (!carrier) {
                own.push_back(std::move(slow));
                continue;
            }
            for (const BlockMember& member : slow.members) board(*carrier, member.extent);
        }
        blocks.insert(blocks.end(), own.begin(), own.end());
    }
    for (Block& block : blocks) {
        std::sort(block.members.begin(), block.members.end(),
                  [](const BlockMember& a, const BlockMember& b) {
                      return std::tie(a.extent.first, a.extent.point) <
                             std::tie(b.extent.first, b.extent.point);
                  });
    }
    return blocks;
}

}  // namespace fieldgate::southbound::modbus
