#include "storage/shelf.h"

#include <gtest/gtest.h>

#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

constexpr std::size_t window = 100UL * 1024;

void store(Shelf& shelf) {
    Shelf::Frozen frozen(shelf, shelf.end());
    frozen.written();
}

// A backlog that waits for its turn is overtaken by live data for as long as there is any.
TEST(Shelf, LetsTheOldestGoRatherThanKeepTheDeadBehindIt) {
    Shelf shelf;
    shelf.push(1, record(1), Shelf::Clock::now());
    store(shelf);
    for (Seq seq = 2; seq < 100'000; ++seq) {
        shelf.push(seq, record(static_cast<std::int64_t>(seq)), Shelf::Clock::now());
        store(shelf);
        shelf.forget(seq);
        shelf.trim(window);
        ASSERT_LE((shelf.end() - shelf.begin()) * sizeof(Shelf::Entry), window + 1000);
    }
    EXPECT_EQ(shelf.find(1), nullptr) << "read back when its turn comes";
}

TEST(Shelf, CountsNothingWhenItHoldsNothing) {
    Shelf shelf;
    for (Seq seq = 1; seq <= 100; ++seq)
        shelf.push(seq, record(static_cast<std::int64_t>(seq)), Shelf::Clock::now());
    {
        Shelf::Frozen frozen(shelf, 51);
        for (Seq seq = 2; seq <= 100; seq += 2) shelf.forget(seq);
        frozen.written();
    }
    EXPECT_EQ(shelf.unwritten(), 25u);
    shelf.write_again();
    EXPECT_EQ(shelf.unwritten(), 50u);
    for (Seq seq = 1; seq <= 100; seq += 2) shelf.forget(seq);
    EXPECT_EQ(shelf.unwritten(), 0u);
    EXPECT_EQ(shelf.unwritten_bytes(), 0u);
    EXPECT_EQ(shelf.begin(), shelf.end());
}

TEST(Shelf, ThawsWhicheverWayACommitEnds) {
    Shelf shelf;
    for (Seq seq = 1; seq <= 3; ++seq)
        shelf.push(seq, record(static_cast<std::int64_t>(seq)), Shelf::Clock::now());
    store(shelf);
    { const Shelf::Frozen nothing_to_write(shelf, shelf.end()); }
    shelf.restamp(2, utc(7));
    EXPECT_EQ(shelf.find(2)->record.at, utc(7));
    EXPECT_EQ(shelf.written(), 4u);

    shelf.push(4, record(4), Shelf::Clock::now());
    { const Shelf::Frozen failed(shelf, shelf.end()); }
    EXPECT_EQ(shelf.written(), 4u) << "not on disk";
    EXPECT_EQ(shelf.unwritten(), 1u);
}

}  // namespace
}  // namespace fieldgate::storage
