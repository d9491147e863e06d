#include "southbound/modbus/blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "southbound/modbus/cost.h"

namespace fieldgate::southbound::modbus {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

std::vector<nanoseconds> costs(std::uint32_t baud, std::uint16_t longest) {
    SerialSettings line;
    line.baud = baud;
    BusSettings bus;
    bus.wire = line;
    const CostModel model(bus);
    std::vector<nanoseconds> result;
    for (unsigned count = 0; count <= longest; ++count)
        result.push_back(model.transaction(Table::holding, static_cast<std::uint16_t>(count)));
    return result;
}

BlockLimits limits_at(std::uint32_t baud) {
    BlockLimits limits;
    limits.cost = costs(baud, 125);
    return limits;
}

Extent at(std::uint32_t first, std::uint32_t width = 1, std::chrono::milliseconds period = 1s) {
    static PointIndex point = 0;
    return {point++, first, first + width, period};
}

using Spans = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
Spans spans(const std::vector<Block>& blocks) {
    Spans result;
    for (const Block& block : blocks) result.emplace_back(block.first, block.end);
    return result;
}

TEST(Blocks, MergeAHoleUpToTheBreakEvenAndNotBeyond) {
    // 9600 baud, 20 ms: 18 registers
    EXPECT_EQ(spans(cut_into_blocks({at(0), at(19)}, limits_at(9600))), (Spans{{0, 20}}));
    EXPECT_EQ(spans(cut_into_blocks({at(0), at(20)}, limits_at(9600))), (Spans{{0, 1}, {20, 21}}));
}

TEST(Blocks, AreNeverLongerThanAllowed) {
    BlockLimits limits = limits_at(115200);
    limits.longest = 10;
    std::vector<Extent> extents;
    for (std::uint32_t i = 0; i < 40; i += 2) extents.push_back(at(i, 2));
    const auto blocks = cut_into_blocks(extents, limits);
    EXPECT_EQ(blocks.size(), 4U);
    for (const Block& block : blocks) EXPECT_LE(block.count(), 10U);
}

TEST(Blocks, NeverReadAcrossAWall) {
    BlockLimits limits = limits_at(9600);
    limits.walls = {{2, 3}};
    EXPECT_EQ(spans(cut_into_blocks({at(0), at(1), at(3), at(4)}, limits)),
              (Spans{{0, 2}, {3, 5}}));
}

TEST(Blocks, NeverReachAcrossACut) {
    BlockLimits limits = limits_at(9600);
    limits.cuts = {2};
    EXPECT_EQ(spans(cut_into_blocks({at(0), at(1), at(2), at(3)}, limits)),
              (Spans{{0, 2}, {2, 4}}));
}

TEST(Blocks, ObeyAGapThatIsGiven) {
    BlockLimits limits = limits_at(9600);
    limits.gap = 50;
    EXPECT_EQ(spans(cut_into_blocks({at(0), at(51)}, limits)), (Spans{{0, 52}}));
    EXPECT_EQ(spans(cut_into_blocks({at(0), at(52)}, limits)), (Spans{{0, 1}, {52, 53}}));
    limits.gap = 0;
    EXPECT_EQ(spans(cut_into_blocks({at(0), at(1), at(3)}, limits)), (Spans{{0, 2}, {3, 4}}));
}

TEST(Blocks, LetASlowPointInsideAFastBlockRideForNothing) {
    const auto blocks = cut_into_blocks({at(0), at(5, 1, 60s), at(10)}, limits_at(9600));
    ASSERT_EQ(blocks.size(), 1U);
    ASSERT_EQ(blocks[0].members.size(), 3U);
    EXPECT_EQ(blocks[0].members[1].every_nth, 60U);
    EXPECT_EQ(blocks[0].period, 1s);
}

TEST(Blocks, LetASlowNeighbourRideOnlyIfThatIsCheaper) {
    EXPECT_EQ(spans(cut_into_blocks({at(0), at(1, 1, 2s)}, limits_at(9600))), (Spans{{0, 2}}));
    // 20 registers every second cost more than one request an hour
    EXPECT_EQ(spans(cut_into_blocks({at(0), at(1, 20, 1h)}, limits_at(9600))),
              (Spans{{0, 1}, {1, 21}}));
}

TEST(Blocks, DoNotMixPeriodsThatDoNotDivide) {
    const auto blocks = cut_into_blocks({at(0, 4, 1s), at(1, 1, 1500ms)}, limits_at(9600));
    EXPECT_EQ(blocks.size(), 2U);
}

TEST(Blocks, GiveAPointThatIsTooLongABlockOfItsOwn) {
    BlockLimits limits = limits_at(9600);
    limits.longest = 2;
    EXPECT_EQ(spans(cut_into_blocks({at(0), at(1, 4), at(5)}, limits)),
              (Spans{{0, 1}, {1, 5}, {5, 6}}));
}

// All ways to put extents into blocks, whatever their order.
class BruteForce {
public:
    BruteForce(std::vector<Extent> extents, const BlockLimits& limits)
        : extents_(std::move(extents)), limits_(limits) {}

    nanoseconds best() {
        assign(0);
        return best_;
    }

private:
    void assign(std::size_t i) {
        if (i == extents_.size()) {
            evaluate();
            return;
        }
        for (std::size_t group = 0; group <= groups_.size(); ++group) {
            const bool fresh = group == groups_.size();
            if (fresh) groups_.emplace_back();
            groups_[group].push_back(extents_[i]);
            assign(i + 1);
            groups_[group].pop_back();
            if (fresh) {
                groups_.pop_back();
                break;
            }
        }
    }
    void evaluate() {
        nanoseconds sum{0};
        for (const auto& group : groups_) {
            std::uint32_t first = group[0].first;
            std::uint32_t end = group[0].end;
            for (const Extent& extent : group) {
                first = std::min(first, extent.first);
                end = std::max(end, extent.end);
            }
            if (end - first > limits_.longest || !legal(group, first, end)) return;
            sum += limits_.cost[end - first];
        }
        best_ = std::min(best_, sum);
    }
    bool legal(const std::vector<Extent>& group, std::uint32_t first, std::uint32_t end) const {
        for (const std::uint32_t cut : limits_.cuts)
            if (first < cut && cut < end) return false;
        for (std::uint32_t i = first; i < end; ++i) {
            const bool wanted = std::any_of(group.begin(), group.end(), [&](const Extent& e) {
                return e.first <= i && i < e.end;
            });
            const bool wall = std::any_of(limits_.walls.begin(), limits_.walls.end(),
                                          [&](const Wall& w) { return w.first <= i && i < w.end; });
            if (wall && !wanted) return false;
        }
        return true;
    }

    std::vector<Extent> extents_;
    const BlockLimits& limits_;
    std::vector<std::vector<Extent>> groups_;
    nanoseconds best_ = nanoseconds::max();
};

bool straddles_a_cut(const std::vector<Extent>& extents, const BlockLimits& limits) {
    for (const Extent& e : extents)
        for (const std::uint32_t cut : limits.cuts)
            if (e.first < cut && cut < e.end) return true;
    return false;
}

TEST(Blocks, AreAsCheapAsTheBestOfAllPartitions) {
    std::mt19937 random(7);
    const auto pick = [&](unsigned below) { return static_cast<std::uint32_t>(random() % below); };
    for (int round = 0; round < 3000; ++round) {
        BlockLimits limits = limits_at(round % 2 == 0 ? 9600 : 115200);
        limits.longest = static_cast<std::uint16_t>(8 + pick(60));
        if (pick(2) == 0) limits.walls.push_back({20, 21 + pick(10)});
        if (pick(2) == 0) limits.cuts.push_back(10 + pick(60));
        std::vector<Extent> extents;
        for (std::uint32_t n = 1 + pick(7); n > 0; --n)
            extents.push_back(at(pick(80), 1 + pick(6)));
        if (straddles_a_cut(extents, limits)) continue;  // such a point is read all the same

        const auto blocks = cut_into_blocks(extents, limits);
        nanoseconds cost{0};
        std::size_t members = 0;
        for (const Block& block : blocks) {
            cost += limits.cost[block.count()];
            members += block.members.size();
        }
        ASSERT_EQ(members, extents.size());
        ASSERT_EQ(cost.count(), BruteForce(extents, limits).best().count()) << "round " << round;
    }
}

TEST(Blocks, HoldEveryPointOnceWhateverThePeriods) {
    std::mt19937 random(11);
    const auto pick = [&](unsigned below) { return static_cast<std::uint32_t>(random() % below); };
    constexpr std::array periods{500ms, 1000ms, 1500ms, 60000ms};
    for (int round = 0; round < 2000; ++round) {
        BlockLimits limits = limits_at(9600);
        limits.longest = static_cast<std::uint16_t>(8 + pick(60));
        if (pick(2) == 0) limits.walls.push_back({40, 42});
        std::vector<Extent> extents;
        for (std::uint32_t n = 1 + pick(20); n > 0; --n)
            extents.push_back(at(pick(150), 1 + pick(6), periods[pick(4)]));
        std::vector<int> seen(extents.back().point + 1, 0);
        for (const Block& block : cut_into_blocks(extents, limits)) {
            ASSERT_LE(block.count(), limits.longest);
            for (const BlockMember& member : block.members) {
                ++seen[member.extent.point];
                ASSERT_GE(member.extent.first, block.first);
                ASSERT_LE(member.extent.end, block.end);
                ASSERT_EQ(block.period * member.every_nth, member.extent.period);
            }
        }
        for (const Extent& extent : extents) ASSERT_EQ(seen[extent.point], 1);
    }
}

}  // namespace
}  // namespace fieldgate::southbound::modbus
