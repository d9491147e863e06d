#include "southbound/last_writes.h"

#include <gtest/gtest.h>

namespace fieldgate::southbound {
namespace {

using namespace std::chrono_literals;
constexpr Instant start{1000h};

std::vector<Reading> three_points() {
    return {{0, std::int64_t{10}}, {1, std::int64_t{11}}, {2, std::int64_t{12}}};
}

TEST(LastWrites, DropOnlyTheSamplesOfBeforeAndOnlyOfTheirPoint) {
    LastWrites writes;
    writes.note(1, start);
    std::vector<Reading> values = three_points();
    EXPECT_EQ(writes.drop_older(start - 1ms, values), 1U);
    EXPECT_EQ(values, (std::vector<Reading>{{0, std::int64_t{10}}, {2, std::int64_t{12}}}));
    values = three_points();
    EXPECT_EQ(writes.drop_older(start, values), 1U) << "at the same instant: nobody knows";
    values = three_points();
    EXPECT_EQ(writes.drop_older(start + 1ns, values), 0U);
    EXPECT_EQ(values.size(), 3U);
}

TEST(LastWrites, CountFromTheLastOne) {
    LastWrites writes;
    writes.note(0, start);
    writes.note(0, start + 1s);
    std::vector<Reading> values = three_points();
    EXPECT_EQ(writes.drop_older(start + 500ms, values), 1U);
}

}  // namespace
}  // namespace fieldgate::southbound
