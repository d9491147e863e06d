#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/reading.h"

namespace fieldgate::southbound::modbus {

/// Where one point lies in its table, and how often it is wanted.
struct Extent {
    PointIndex point = 0;
    std::uint32_t first = 0;
    std::uint32_t end = 0;  ///< One behind the last.
    std::chrono::milliseconds period{0};
    bool heads = false;  ///< Every block that holds it begins with it.
};

/// Some registers in a row that nobody may read along.
struct Wall {
    std::uint32_t first = 0;
    std::uint32_t end = 0;
};

struct BlockLimits {
    std::uint16_t longest = 125;       ///< Registers (bits) in a block.
    std::vector<Wall> walls;           ///< Never read, unless by the point that lies there.
    std::vector<std::uint32_t> cuts;   ///< No block reaches from before to behind these.
    bool alone = false;                ///< Only extents of the same registers share a block.
    std::optional<std::uint16_t> gap;  ///< Unwanted registers in a row that may be read along;
                                       ///< with a number the fewest requests win, not the cost.
    /// By count (0 to `longest`, and to the widest extent): what a block costs, never decreasing.
    std::vector<std::chrono::nanoseconds> cost;
};

struct BlockMember {
    Extent extent;
    std::uint32_t every_nth = 1;  ///< Its period in periods of the block.
};

struct Block {
    std::uint32_t first = 0;
    std::uint32_t end = 0;
    std::chrono::milliseconds period{0};
    std::vector<BlockMember> members;
    std::uint32_t count() const { return end - first; }
};

/// The cheapest blocks that hold every extent of one table, by period and address. Each period by
/// itself is cut optimally; then slower blocks ride along in faster ones where that costs less.
/// Extents may overlap; one that is longer than allowed still gets a block.
std::vector<Block> cut_into_blocks(std::vector<Extent> extents, const BlockLimits& limits);

}  // namespace fieldgate::southbound::modbus
