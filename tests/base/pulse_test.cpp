#include "base/pulse.h"

#include <gtest/gtest.h>

namespace fieldgate {
namespace {

using namespace std::chrono_literals;
using Clock = Pulses::Clock;

TEST(Pulses, NameTheFlowThatHasBeenSilentLongest) {
    Pulses pulses;
    pulses.add("first");
    pulses.add("second").beat();
    const auto now = Clock::now();
    EXPECT_EQ(pulses.stuck(now, 1s), nullptr);
    const Pulses::Pulse* worst = pulses.stuck(now + 2s, 1s);
    ASSERT_NE(worst, nullptr);
    EXPECT_EQ(worst->name(), "first");
}

TEST(Pulses, CallNoFlowStuckWhoseWireStillTurns) {
    Pulses pulses;
    const auto begin = Clock::now();
    auto wire = begin;
    pulses.add("obey line", [&] { return wire; });
    wire = begin + 100s;
    EXPECT_EQ(pulses.stuck(begin + 101s, 40s), nullptr);
    EXPECT_NE(pulses.stuck(begin + 141s, 40s), nullptr) << "and then it stood, too";
}

TEST(Pulses, DoNotMissAFlowThatHasEnded) {
    Pulses pulses;
    Pulses::Pulse& stays = pulses.add("stays");
    {
        Pulses::Local ends(pulses, "ends");
        ends.beat();
        stays.beat();
        EXPECT_NE(pulses.stuck(Pulses::Clock::now() + 1h, 1min), nullptr);
    }
    const Pulses::Pulse* stuck = pulses.stuck(Pulses::Clock::now() + 1h, 1min);
    ASSERT_NE(stuck, nullptr);
    EXPECT_EQ(stuck->name(), "stays");
    pulses.remove(stays);
    EXPECT_EQ(pulses.stuck(Pulses::Clock::now() + 1h, 1min), nullptr);
}

}  // namespace
}  // namespace fieldgate
