#include "model/series.h"

#include <gtest/gtest.h>

namespace fieldgate {
namespace {

TEST(SeriesTable, GivesOneIdToOneServiceOfOneDevice) {
    SeriesTable table;
    const SeriesId a = table.intern("meter-1", "Electrical");
    const SeriesId b = table.intern("meter-2", "Electrical");
    const SeriesId c = table.intern("meter-1", "Thermal");

    EXPECT_EQ(table.intern("meter-1", "Electrical"), a);
    EXPECT_NE(a, b);
    EXPECT_NE(a, c);
    EXPECT_EQ(table.size(), 3U);
    EXPECT_EQ(table[b].device_id, "meter-2");
    EXPECT_EQ(table[c].service_id, "Thermal");
}

TEST(SeriesTable, DoesNotMixUpNamesThatRunTogether) {
    SeriesTable table;
    EXPECT_NE(table.intern("ab", "c"), table.intern("a", "bc"));
    EXPECT_NE(table.intern("", "abc"), table.intern("abc", ""));
}

TEST(SeriesTable, KeepsANameWhereItIsWhenOthersCome) {
    SeriesTable table;
    const Series* const first = &table[table.intern("short", "Electrical")];
    const std::string_view name = first->device_id;
    for (int other = 0; other < 1000; ++other) table.intern(std::to_string(other), "Electrical");
    EXPECT_EQ(&table[0], first);
    EXPECT_EQ(name.data(), table[0].device_id.data());
    EXPECT_EQ(name, "short");
}

}  // namespace
}  // namespace fieldgate
