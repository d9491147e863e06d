#include "storage/outbox.h"

#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/post.hpp>
#include <functional>
#include <numeric>

#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

using Numbers = std::vector<std::int64_t>;

Numbers numbers(std::int64_t first, std::int64_t last) {
    Numbers all(static_cast<std::size_t>(last - first + 1));
    std::iota(all.begin(), all.end(), first);
    return all;
}

class OutboxTest : public testing::Test {
protected:
    void SetUp() override { site.settings.commit = 20ms; }

    TempFolder folder;
    Site site{folder.path()};
};

TEST_F(OutboxTest, ServesAlarmsThenLiveDataThenTheBacklogEachInOrder) {
    ASSERT_TRUE(site.open());
    site.append(1, 3);
    site.flush();
    site.outbox->mark_backlog();
    EXPECT_EQ(site.outbox->status().backlog, 3u);
    site.append(4, 6);
    site.append(7, 8, 1, Priority::alarm);
    site.flush();

    const Site::Taken alarms = site.take();
    const Site::Taken live = site.take();
    const Site::Taken backlog = site.take();

    EXPECT_EQ(alarms.numbers(), numbers(7, 8));
    EXPECT_EQ(live.numbers(), numbers(4, 6));
    EXPECT_FALSE(live.lease.backlog);
    EXPECT_EQ(backlog.numbers(), numbers(1, 3));
    EXPECT_TRUE(backlog.lease.backlog);
    site.outbox->remove(backlog.lease);
    EXPECT_TRUE(site.run(site.outbox->backlog_gone()));
    site.outbox->remove(live.lease);
    site.outbox->remove(alarms.lease);
    EXPECT_EQ(site.outbox->status().books.acknowledged, 8u);
    EXPECT_TRUE(site.balanced());
}

TEST_F(OutboxTest, TellsThatTheBacklogHasGoneIntoQuarantineToo) {
    ASSERT_TRUE(site.open());
    site.append(1, 2);
    site.flush();
    site.outbox->mark_backlog();
    const Site::Taken backlog = site.take();
    site.append(3, 3);
    site.outbox->quarantine(backlog.lease, "refused");
    EXPECT_TRUE(site.run(site.outbox->backlog_gone()));
    EXPECT_EQ(site.outbox->status().backlog, 0u);
}

TEST_F(OutboxTest, LetsTheLoopTurnWhileItPassesOverWhatNeverFits) {
    ASSERT_TRUE(site.open());
    site.append(1, 5000);
    site.flush();
    std::size_t since_turn = 0;
    std::size_t longest = 0;
    std::function<void()> turn = [&] {
        longest = std::max(longest, std::exchange(since_turn, 0));
        asio::post(site.loop, turn);
    };
    asio::post(site.loop, turn);
    const Lease lease = site.run(site.outbox->take(
        [&](const Record& offered) {
            ++since_turn;
            return number_of(offered) == 5000 ? Fit::taken : Fit::never;
        },
        0ms));
    EXPECT_EQ(lease.records, 1U);
    EXPECT_EQ(site.outbox->status().books.quarantined, 4999U);
    EXPECT_LE(longest, 100U) << "so many records, and nothing else had its turn";
    turn = [] {};
    site.loop.poll();
}

TEST_F(OutboxTest, PutsAReleasedLeaseBackAtItsOldPlace) {
    ASSERT_TRUE(site.open());
    site.append(1, 10);
    site.flush();
    const Site::Taken first = site.take(3);
    const Site::Taken second = site.take(3);
    const Site::Taken third = site.take(3);

    site.outbox->remove(second.lease);
    site.outbox->release(third.lease);
    site.outbox->release(first.lease);

    EXPECT_EQ(site.take().numbers(), (Numbers{1, 2, 3, 7, 8, 9, 10}));
    EXPECT_TRUE(site.balanced());
}

TEST_F(OutboxTest, OffersNothingThatIsNotOnDisk) {
    site.settings.commit = 1h;
    ASSERT_TRUE(site.open());
    site.append(1, 5);
    bool taken = false;
    asio::co_spawn(site.loop,
                   site.outbox->take(
                       [&](const Record&) {
                           taken = true;
                           return Fit::taken;
                       },
                       0ms),
                   [](const std::exception_ptr&, const Lease&) {});
    site.until([] { return false; }, 50ms);
    EXPECT_FALSE(taken);
    EXPECT_EQ(site.outbox->status().buffered, 5u);

    site.flush();

    EXPECT_TRUE(site.until([&] { return taken; }));
    EXPECT_EQ(site.outbox->status().buffered, 0u);
}

TEST_F(OutboxTest, KeepsRecordsAndBooksOverARestart) {
    ASSERT_TRUE(site.open());
    site.append(1, 100);
    site.append(101, 110, 2, Priority::alarm);
    site.flush();
    const Site::Taken alarms = site.take(4);
    site.outbox->remove(alarms.lease);
    const Site::Taken live = site.take(6);
    EXPECT_EQ(live.records.front().priority, Priority::alarm);
    site.close();

    Site again(folder.path());
    again.series.intern("other", "first");  // the same names get other numbers
    ASSERT_TRUE(again.open());
    const Books books = again.outbox->status().books;
    EXPECT_EQ(books.acknowledged, 4u);
    EXPECT_EQ(books.pending, 106u);
    EXPECT_EQ(books.accepted, 110u);
    const Site::Taken kept = again.take();
    EXPECT_EQ(kept.numbers(), numbers(105, 110));
    EXPECT_EQ(again.series[kept.records[0].series].device_id, "meter-2");
    Record expected = record(105, kept.records[0].series, Priority::alarm);
    EXPECT_EQ(kept.records[0], expected);
    const Site::Taken rest = again.take();
    EXPECT_EQ(rest.numbers(), numbers(1, 100));
    EXPECT_TRUE(rest.lease.backlog) << "what an earlier run left is backlog";
}

TEST_F(OutboxTest, ReadsALongBacklogBackInPages) {
    ASSERT_TRUE(site.open());
    for (int round = 0; round < 20; ++round) {
        site.append(round * 500 + 1, round * 500 + 500);
        site.flush();
    }
    site.close();
    ASSERT_TRUE(site.open());

    Numbers all;
    for (const Record& one : site.take_everything()) all.push_back(number_of(one));

    EXPECT_EQ(all, numbers(1, 10000));
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->status().books.pending, 0u);
    EXPECT_EQ(site.outbox->status().books.acknowledged, 10000u);
}

TEST_F(OutboxTest, QuarantinesWhatFitsNoPublishAndWhatThePlatformRefuses) {
    ASSERT_TRUE(site.open());
    site.append(1, 5);
    site.flush();
    const auto fit = [](const Record& offered) {
        return number_of(offered) == 2 ? Fit::never : Fit::taken;
    };
    const Lease lease = site.run(site.outbox->take(fit, 0ms));
    EXPECT_EQ(lease.records, 4u);
    EXPECT_EQ(site.outbox->status().books.quarantined, 1u);

    site.outbox->quarantine(lease, "refused");

    EXPECT_EQ(site.outbox->status().books.quarantined, 5u);
    EXPECT_TRUE(site.balanced());
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->status().books.quarantined, 5u);
    EXPECT_EQ(site.outbox->status().books.pending, 0u);
}

TEST_F(OutboxTest, LingersForMoreLiveDataButNotForever) {
    ASSERT_TRUE(site.open());
    site.append(1, 1);
    std::size_t records = 0;
    asio::co_spawn(site.loop, site.outbox->take([](const Record&) { return Fit::taken; }, 400ms),
                   [&](const std::exception_ptr&, const Lease& lease) { records = lease.records; });
    site.flush();
    site.append(2, 2);

    EXPECT_TRUE(site.until([&] { return records > 0; }));
    EXPECT_EQ(records, 2u);
}

TEST_F(OutboxTest, LetsTheBacklogGoWhileLiveDataLingers) {
    ASSERT_TRUE(site.open());
    site.append(1, 3);
    site.flush();
    site.outbox->mark_backlog();
    site.append(4, 5);
    site.flush();

    const Site::Taken backlog = site.take(2, 1h);
    const Site::Taken rest = site.take(2, 1h);
    site.outbox->remove(backlog.lease);
    site.outbox->release(rest.lease);
    const Site::Taken live = site.take();

    EXPECT_EQ(backlog.numbers(), numbers(1, 2));
    EXPECT_EQ(rest.numbers(), numbers(3, 3));
    EXPECT_EQ(live.numbers(), numbers(4, 5));
    site.outbox->remove(live.lease);
}

TEST_F(OutboxTest, GivesTheRowsOfACancelledTakeBack) {
    ASSERT_TRUE(site.open());
    site.append(1, 3);
    asio::cancellation_signal stop;
    std::size_t offered = 0;
    bool ended = false;
    asio::co_spawn(site.loop,
                   site.outbox->take(
                       [&](const Record&) {
                           ++offered;
                           return Fit::taken;
                       },
                       1h),
                   asio::bind_cancellation_slot(
                       stop.slot(), [&](const std::exception_ptr& thrown, const Lease&) {
                           ended = thrown != nullptr;
                       }));
    ASSERT_TRUE(site.until([&] { return offered == 3; }));

    stop.emit(asio::cancellation_type::terminal);

    ASSERT_TRUE(site.until([&] { return ended; }));
    EXPECT_EQ(site.take().numbers(), numbers(1, 3));
}

TEST_F(OutboxTest, RefusesASecondInstanceWithThePidOfTheFirst) {
    ASSERT_TRUE(site.open());
    Site second(folder.path());

    const Result<void> opened = second.open();

    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::busy);
    EXPECT_EQ(opened.error().detail, ::getpid());
}

TEST_F(OutboxTest, SaysSoWhenItsFolderCannotBeMade) {
    site.settings.path = "/proc/nowhere/store";

    const Result<void> opened = site.open();

    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::io);
}

TEST_F(OutboxTest, FlashSaverWritesNothingWhenAcknowledgementsArePrompt) {
    site.settings.durability = Durability::flash_saver;
    ASSERT_TRUE(site.open());
    const std::uint64_t before = site.outbox->status().written_bytes;
    for (int round = 0; round < 100; ++round) {
        site.append(round * 10 + 1, round * 10 + 10);
        const Site::Taken taken = site.take();
        EXPECT_EQ(taken.records.size(), 10u);
        site.outbox->remove(taken.lease);
        site.until([] { return false; }, 1ms);
    }

    EXPECT_EQ(site.outbox->status().written_bytes, before);
    EXPECT_EQ(site.outbox->status().buffered, 0u);
    EXPECT_EQ(site.outbox->status().books.acknowledged, 1000u);
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->status().books.acknowledged, 1000u);
}

TEST_F(OutboxTest, FlashSaverWritesWhatIsLeftWhenItStops) {
    site.settings.durability = Durability::flash_saver;
    ASSERT_TRUE(site.open());
    site.append(1, 10);
    const Site::Taken taken = site.take(4);
    site.outbox->remove(taken.lease);
    site.close();

    ASSERT_TRUE(site.open());

    EXPECT_EQ(site.outbox->status().books.pending, 6u);
    EXPECT_EQ(site.take().numbers(), numbers(5, 10));
}

TEST_F(OutboxTest, FlashSaverWritesWhatIsUnacknowledgedAfterFiveSeconds) {
    site.settings.durability = Durability::flash_saver;
    ASSERT_TRUE(site.open());
    site.append(1, 10);

    EXPECT_TRUE(site.until([&] { return site.outbox->status().buffered == 0; }, 8s));
    EXPECT_EQ(site.take().numbers(), numbers(1, 10));
}

}  // namespace
}  // namespace fieldgate::storage
