// durability: strict, as daemon/flows.cpp has it: every bus waits until its own records are on
// disk.
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "tests/storage/fault_vfs.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

using Fault = FaultVfs::Fault;

/// 2025 and a bit, where the guesses say 2023.
constexpr std::chrono::milliseconds truth{1'750'000'000'000};

Record unproven(std::int64_t since_boot, SeriesId series = 0) {
    Record made = record(since_boot, series);
    made.proven = false;
    return made;
}

class StrictTest : public testing::Test {
protected:
    void SetUp() override {
        site.settings.durability = Durability::strict;
        site.settings.commit = 1h;  // nothing is committed for its sake
    }
    /// What a bus does with one poll. `done` counts those that went on.
    void poll(Record made, int& done) {
        site.append(std::move(made));
        asio::co_spawn(site.loop, site.outbox->flushed(),
                       [&done](const std::exception_ptr&) { ++done; });
    }
    /// Polls until told to end; its records' numbers are `first`, `first` + 3, ...
    asio::awaitable<void> bus(std::int64_t first, std::chrono::milliseconds lag) {
        asio::steady_timer timer(co_await asio::this_coro::executor);
        auto tick = std::chrono::steady_clock::now() + lag;
        for (std::int64_t number = first; !ending; number += 3) {
            site.append(unproven(number, static_cast<SeriesId>(first - 1)));
            co_await site.outbox->flushed();
            durable.push_back(number);
            timer.expires_at(tick += 5ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
        ++ended;
    }

    FaultVfs disk;  // outlives the site
    TempFolder folder;
    Site site{folder.path()};
    std::vector<std::int64_t> durable;
    bool ending = false;
    int ended = 0;
};

TEST_F(StrictTest, StampsWhatTwoBusesHaveWrittenThoughTheirPollsOverlap) {
    ASSERT_TRUE(site.open());
    site.outbox->set_held(true);
    for (std::int64_t number = 1; number <= 10; ++number) site.append(unproven(number));
    site.flush();
    int done = 0;
    disk.hold_syncs(true);
    poll(unproven(11), done);
    ASSERT_TRUE(site.until([&] { return disk.holds_one(); }));
    poll(unproven(12, 1), done);
    site.until([] { return false; }, 20ms);
    EXPECT_EQ(done, 0);
    disk.hold_syncs(false);
    ASSERT_TRUE(site.until([&] { return done == 2; }));

    site.outbox->restamp(truth);
    site.outbox->set_held(false);

    const Site::Taken taken = site.take();
    ASSERT_EQ(taken.records.size(), 12u);
    for (const Record& one : taken.records) EXPECT_EQ(one.at, Utc(truth + one.since_boot));
}

TEST_F(StrictTest, GoesOnWithOneCommitForAllThatCameWhileAnotherRan) {
    ASSERT_TRUE(site.open());
    int done = 0;
    disk.hold_syncs(true);
    poll(record(1), done);
    ASSERT_TRUE(site.until([&] { return disk.holds_one(); }));
    const int syncs = disk.syncs();
    poll(record(2, 1), done);
    poll(record(3, 2), done);
    disk.hold_syncs(false);
    ASSERT_TRUE(site.until([&] { return done == 3; }));
    site.until([] { return false; }, 20ms);

    EXPECT_EQ(disk.syncs(), syncs + 1);
    EXPECT_EQ(site.outbox->status().buffered, 0u);
}

TEST_F(StrictTest, HasOnDiskWhatABusHasWaitedForAndPutsItsTimeRight) {
    ASSERT_TRUE(site.open());
    site.outbox->set_held(true);
    for (std::int64_t first = 1; first <= 3; ++first)
        asio::co_spawn(site.loop, bus(first, std::chrono::milliseconds(first)),
                       [](const std::exception_ptr& failure) { EXPECT_FALSE(failure); });
    for (int proof = 0; proof < 10; ++proof) {
        const std::size_t before = durable.size();
        ASSERT_TRUE(site.until([&] { return durable.size() >= before + 10; }));
        site.outbox->restamp(truth);
    }
    ending = true;
    ASSERT_TRUE(site.until([&] { return ended == 3; }));
    TempFolder crashed;
    copy_store(folder.path(), crashed.path());

    Site after(crashed.path());
    ASSERT_TRUE(after.open());
    after.outbox->restamp(truth);
    std::vector<std::int64_t> kept;
    for (const Record& one : after.take_everything()) {
        kept.push_back(number_of(one));
        EXPECT_EQ(one.at, Utc(truth + one.since_boot));
    }
    std::ranges::sort(kept);
    std::ranges::sort(durable);
    EXPECT_EQ(kept, durable);
}

TEST_F(StrictTest, LetsABusGoOnWhenTheDiskFails) {
    ASSERT_TRUE(site.open());
    int done = 0;
    disk.fail(Fault::full);
    poll(record(1), done);
    poll(record(2, 1), done);
    EXPECT_TRUE(site.until([&] { return done == 2; }));
    poll(record(3), done);
    EXPECT_TRUE(site.until([&] { return done == 3; })) << "and does not wait for it again";
    EXPECT_EQ(site.outbox->status().buffered, 3u);
    disk.fail(Fault::none);
    EXPECT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }));
}

}  // namespace
}  // namespace fieldgate::storage
