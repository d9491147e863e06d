#include "base/allowance.h"

#include <gtest/gtest.h>

#include <thread>

namespace fieldgate {
namespace {

TEST(Allowance, RefusesAndCountsWhatIsTooMuch) {
    Allowance allowance(10);
    EXPECT_TRUE(allowance.take(4));
    EXPECT_TRUE(allowance.take(6));
    EXPECT_FALSE(allowance.take(1));
    allowance.give_back(4);
    EXPECT_FALSE(allowance.take(5));
    EXPECT_TRUE(allowance.take(4));
    EXPECT_EQ(allowance.refused(), 2U);
}

TEST(Allowance, IsWholeAgainAfterTwoThreadsHaveUsedIt) {
    Allowance allowance(1000);
    const auto use = [&] {
        for (int i = 0; i < 100'000; ++i)
            if (allowance.take(400)) allowance.give_back(400);
    };
    std::thread other(use);
    use();
    other.join();
    EXPECT_TRUE(allowance.take(1000));
    EXPECT_FALSE(allowance.take(1));
}

}  // namespace
}  // namespace fieldgate
