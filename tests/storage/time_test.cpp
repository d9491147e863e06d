// Records of before the clock was right.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <filesystem>
#include <fstream>

#include "storage/proven_time.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

constexpr auto hour = std::chrono::milliseconds(1h);

Record guess(std::int64_t since_boot, SeriesId series = 0) {
    Record made = record(since_boot, series);
    made.at = utc(1'700'000'000'000 + since_boot);
    made.since_boot = std::chrono::milliseconds(since_boot);
    made.proven = false;
    return made;
}

/// As a clock that has not been set yet has it.
Record of_1970(std::int64_t since_boot) {
    Record made = guess(since_boot);
    made.at = utc(since_boot);
    return made;
}

/// 2025 and a bit, where the guesses say 2023.
constexpr std::chrono::milliseconds truth{1'750'000'000'000};

class TimeTest : public testing::Test {
protected:
    void SetUp() override { site.settings.commit = 20ms; }
    void append(std::int64_t first, std::int64_t last) {
        for (std::int64_t at = first; at <= last; ++at) site.append(guess(at));
    }

    /// Whether a take() gets anything within a few commits; what it gets is given back.
    bool is_taken() {
        bool taken = false;
        bool ended = false;
        asio::cancellation_signal stop;
        const auto fit = [&](const Record&) {
            taken = true;
            return Fit::taken;
        };
        asio::co_spawn(site.loop, site.outbox->take(fit, 0ms),
                       asio::bind_cancellation_slot(
                           stop.slot(), [&](const std::exception_ptr&, const Lease& lease) {
                               if (lease.id != 0) site.outbox->release(lease);
                               ended = true;
                           }));
        site.until([&] { return ended; }, 150ms);
        stop.emit(asio::cancellation_type::terminal);
        EXPECT_TRUE(site.until([&] { return ended; }));
        return taken;
    }

    FaultVfs disk;  // outlives the site
    TempFolder folder;
    Site site{folder.path()};
};

TEST_F(TimeTest, HoldsUnprovenRecordsBackAndStampsThemWhenTheTimeIsKnown) {
    ASSERT_TRUE(site.open());
    site.outbox->set_held(true);
    append(1, 600);
    site.flush();
    append(601, 700);
    bool taken = false;
    asio::co_spawn(site.loop,
                   site.outbox->take(
                       [&](const Record& offered) {
                           taken = true;
                           EXPECT_EQ(offered.at, Utc(truth + offered.since_boot));
                           return Fit::taken;
                       },
                       0ms),
                   [&](const std::exception_ptr&, const Lease& lease) {
                       if (lease.id != 0) site.outbox->release(lease);
                   });
    site.until([] { return false; }, 50ms);
    EXPECT_FALSE(taken);

    site.outbox->restamp(truth);
    site.outbox->set_held(false);

    EXPECT_TRUE(site.until([&] { return taken; }));
}

TEST_F(TimeTest, StampsWhatIsOnDiskOnlyAndKeepsItOverARestart) {
    site.settings.commit = 1h;
    ASSERT_TRUE(site.open());
    site.outbox->set_held(true);
    for (int round = 0; round < 8; ++round) {
        for (int at = 1; at <= 500; ++at) {
            Record big = guess(round * 500 + at);
            big.properties += std::string(600, ' ');
            site.append(big);
        }
        site.flush();
    }
    site.outbox->restamp(truth);
    site.close();

    ASSERT_TRUE(site.open());
    site.outbox->set_held(true);             // a new process knows nothing yet
    site.outbox->restamp(truth + 5 * hour);  // and another answer changes nothing
    const std::vector<Record> all = site.take_everything();

    ASSERT_EQ(all.size(), 4000u);
    for (std::size_t at = 0; at < all.size(); ++at) {
        ASSERT_EQ(all[at].at, Utc(truth + std::chrono::milliseconds(at + 1)));
        ASSERT_TRUE(all[at].proven);
    }
}

TEST_F(TimeTest, NeverChangesTheTimeOfWhatHasBeenHandedOut) {
    ASSERT_TRUE(site.open());
    append(1, 10);
    site.flush();
    const Site::Taken sent = site.take(4);
    TempFolder crashed;
    copy_store(folder.path(), crashed.path());

    site.outbox->restamp(truth);
    site.outbox->release(sent.lease);
    const Site::Taken again = site.take();
    ASSERT_EQ(again.records.size(), 10u);
    for (std::size_t at = 0; at < 4; ++at) EXPECT_EQ(again.records[at], sent.records[at]);

    // The same after a crash between the handing out and the acknowledgement.
    Site restarted(crashed.path());
    ASSERT_TRUE(restarted.open());
    restarted.outbox->restamp(truth);
    const Site::Taken resent = restarted.take();
    ASSERT_EQ(resent.records.size(), 10u);
    for (std::size_t at = 0; at < 4; ++at) EXPECT_EQ(resent.records[at].at, sent.records[at].at);
}

TEST_F(TimeTest, KeepsTimesRisingWhereTheMappingHadMovedThem) {
    ASSERT_TRUE(site.open());
    site.outbox->set_held(true);
    Record first = guess(100);
    Record second = guess(100);  // the same millisecond
    second.at += 1ms;
    site.append(first);
    site.append(second);
    site.append(guess(101));
    site.flush();

    site.outbox->restamp(truth);
    const Site::Taken taken = site.take();

    ASSERT_EQ(taken.records.size(), 3u);
    EXPECT_LT(taken.records[0].at, taken.records[1].at);
    EXPECT_LT(taken.records[1].at, taken.records[2].at);
}

TEST_F(TimeTest, QuarantinesRecordsOfAnotherBootWhoseTimeWasNeverPlausible) {
    ASSERT_TRUE(site.open());
    site.outbox->set_held(true);
    for (std::int64_t at = 1; at <= 5; ++at) site.append(of_1970(at));
    append(6, 8);
    site.close();

    Site rebooted(folder.path());
    rebooted.boot_id = "boot-2";
    ASSERT_TRUE(rebooted.open());

    EXPECT_EQ(rebooted.outbox->status().books.quarantined, 5u);
    EXPECT_EQ(rebooted.outbox->status().books.pending, 3u);
    rebooted.outbox->restamp(truth);  // their boot is over: this is not their offset
    const Site::Taken taken = rebooted.take();
    ASSERT_EQ(taken.records.size(), 3u);
    EXPECT_EQ(taken.records[0], guess(6));
}

TEST_F(TimeTest, KeepsTheLastProvenTimeWithACommitThatIsMadeAnyway) {
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->proven_time(), std::nullopt);
    const Utc noon(truth);
    site.outbox->note_proven_time(noon);
    append(1, 1);
    site.flush();
    site.outbox->note_proven_time(noon + 4min);  // not worth a write
    append(2, 2);
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->proven_time(), noon);

    site.outbox->note_proven_time(noon + 5min);
    append(3, 3);
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->proven_time(), noon + 5min);

    site.outbox->note_proven_time(noon - 1h);  // the one of before was wrong
    append(4, 4);
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->proven_time(), noon - 1h);
}

TEST_F(TimeTest, KnowsTheLastProvenTimeBeforeItsStoreIsOpen) {
    const Utc noon(truth);
    const auto note = [&](Utc at) {
        ASSERT_TRUE(site.open());
        site.outbox->note_proven_time(at);
        append(1, 1);
        site.close();
    };
    const auto known_at_once = [&] {
        disk.hold_reads(true);
        EXPECT_TRUE(site.begin_to_open());
        EXPECT_TRUE(site.until([&] { return disk.holds_one(); }));
        const std::optional<Utc> known = site.outbox->proven_time();
        disk.hold_reads(false);
        site.run(site.outbox->opened());
        return known;
    };
    note(noon);
    note(noon + 59min);  // not worth a write
    EXPECT_EQ(known_at_once(), noon);
    EXPECT_EQ(site.outbox->proven_time(), noon + 59min);
    site.close();
    note(noon + 24h);
    EXPECT_EQ(known_at_once(), noon + 24h);
    site.close();
    note(noon);  // the one of before was wrong
    EXPECT_EQ(known_at_once(), noon);
    site.close();

    std::filesystem::remove(folder.path() + "/outbox.db");
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->proven_time(), noon) << "a store that knows nothing";
}

TEST_F(TimeTest, TakesNoProvenTimeThatIsNotWhole) {
    const std::string file = folder.path() + "/" + proven_time_file;
    keep_proven_time(file, Utc(truth));
    ASSERT_EQ(read_proven_time(file), Utc(truth));
    std::string whole;
    std::getline(std::ifstream(file), whole);
    for (std::size_t i = 0; i <= whole.size(); ++i) {
        std::string bad = whole;
        if (i < whole.size())
            bad[i] ^= 1;
        else
            bad += '0';
        for (const std::string& text : {bad, whole.substr(0, i < whole.size() ? i : 0)}) {
            std::ofstream(file, std::ios::trunc) << text;
            EXPECT_EQ(read_proven_time(file), std::nullopt) << text;
        }
    }
    keep_proven_time(file, Utc(truth));
    EXPECT_EQ(read_proven_time(file), Utc(truth));
    std::filesystem::create_directory(file + ".part");  // what cannot be written leaves the old one
    keep_proven_time(file, Utc(truth) + 24h);
    EXPECT_EQ(read_proven_time(file), Utc(truth));
}

TEST_F(TimeTest, WritesNothingForTheProvenTimeAlone) {
    ASSERT_TRUE(site.open());
    append(1, 1);
    site.flush();
    const std::uint64_t written = site.outbox->status().written_bytes;
    site.outbox->note_proven_time(Utc(truth));
    site.until([] { return false; }, 100ms);  // five commits' time
    EXPECT_EQ(site.outbox->status().written_bytes, written);
}

TEST_F(TimeTest, NeverSendsATimeBeforeTheFloorAsItIs) {
    ASSERT_TRUE(site.open());
    for (std::int64_t at = 1; at <= 5; ++at) site.append(of_1970(at));
    site.flush();

    EXPECT_FALSE(is_taken()) << "the clock is not held, and yet nobody knows when they were";
}

TEST_F(TimeTest, StampsWhatTheStoreHadWhenItOpensAfterTheProof) {
    ASSERT_TRUE(site.open());
    site.outbox->set_held(true);
    append(1, 5);
    site.close();

    ASSERT_TRUE(site.open([this] { site.outbox->restamp(truth); }));
    const Site::Taken taken = site.take();

    ASSERT_EQ(taken.records.size(), 5u);
    for (const Record& one : taken.records) EXPECT_EQ(one.at, Utc(truth + one.since_boot));
}

TEST_F(TimeTest, StampsATimeBeforeTheFloorOnceAsSoonAsThereIsAGuess) {
    ASSERT_TRUE(site.open());
    for (std::int64_t at = 1; at <= 5; ++at) site.append(of_1970(at));
    site.flush();
    for (std::int64_t at = 6; at <= 7; ++at) site.append(of_1970(at));
    site.append(guess(8));

    site.outbox->guess(truth);
    site.outbox->guess(truth + hour);
    site.outbox->restamp(truth + hour);
    std::vector<Record> all = site.take_everything();

    ASSERT_EQ(all.size(), 8u);
    const Record proven = all.back();
    all.pop_back();
    for (const Record& one : all) EXPECT_EQ(one.at, Utc(truth + one.since_boot));
    EXPECT_EQ(proven.at, Utc(truth + hour + proven.since_boot));
}

// What it was to write has gone from RAM: a commit that finds nothing.
TEST_F(TimeTest, StampsWhatIsOnDiskAfterACommitOfNothing) {
    site.settings.durability = Durability::flash_saver;
    ASSERT_TRUE(site.open());
    append(1, 10);
    site.flush();
    append(11, 11);
    int flushed = 0;
    const auto flush = [&] {
        asio::co_spawn(site.loop, site.outbox->flushed(),
                       [&](const std::exception_ptr&) { ++flushed; });
    };
    disk.hold_syncs(true);
    flush();
    ASSERT_TRUE(site.until([&] { return disk.holds_one(); }));
    site.append(record(12, 0, Priority::alarm));
    flush();
    const Site::Taken alarm = site.take(1);
    ASSERT_EQ(alarm.numbers(), std::vector<std::int64_t>{12});
    site.outbox->remove(alarm.lease);
    disk.hold_syncs(false);
    ASSERT_TRUE(site.until([&] { return flushed == 2; }));
    site.until([] { return false; }, 20ms);

    site.outbox->restamp(truth);

    const Site::Taken taken = site.take();
    ASSERT_EQ(taken.records.size(), 11u);
    for (const Record& one : taken.records) EXPECT_EQ(one.at, Utc(truth + one.since_boot));
}

TEST_F(TimeTest, LeavesAPlausibleTimeToTheProofWhenItGuesses) {
    ASSERT_TRUE(site.open());
    append(1, 3);
    for (std::int64_t at = 4; at <= 6; ++at) site.append(of_1970(at));
    site.flush();

    const Site::Taken first = site.take(1);  // settles what comes after it, but not the impossible
    site.outbox->guess(truth);
    site.outbox->release(first.lease);
    const Site::Taken taken = site.take();

    ASSERT_EQ(taken.records.size(), 6u);
    for (std::int64_t at = 1; at <= 6; ++at)
        EXPECT_EQ(taken.records[static_cast<std::size_t>(at - 1)].at,
                  at <= 3 ? guess(at).at : Utc(truth + std::chrono::milliseconds(at)));
}

TEST_F(TimeTest, GuessesForWhatAnEarlierProcessOfThisBootHasLeftAndKeepsThat) {
    ASSERT_TRUE(site.open());
    for (std::int64_t at = 1; at <= 5; ++at) site.append(of_1970(at));
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_FALSE(is_taken());
    site.outbox->guess(truth);
    site.close();

    site.boot_id = "boot-2";
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->status().books.quarantined, 0u);
    const Site::Taken taken = site.take();

    ASSERT_EQ(taken.records.size(), 5u);
    for (const Record& one : taken.records) EXPECT_EQ(one.at, Utc(truth + one.since_boot));
}

}  // namespace
}  // namespace fieldgate::storage
