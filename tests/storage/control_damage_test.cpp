// Control stores that have been scribbled on: what was executed is not executed again, or the loss
// is told.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>

#include "storage/audit_chain.h"
#include "storage/control_disk.h"
#include "storage/ledger_table.h"
#include "tests/storage/bad_sector.h"
#include "tests/storage/control_site.h"
#include "tests/storage/fault_vfs.h"

namespace fieldgate::storage {
namespace {

using State = LedgerEntry::State;

constexpr std::uintmax_t page_bytes = Database::page_bytes;

class ControlDamage : public testing::Test {
protected:
    static void SetUpTestSuite() {
        original = new TempFolder(in_memory());
        fill_control(original->path());
        std::ifstream file(original->path() + "/control.db", std::ios::binary);
        content = new std::string(std::istreambuf_iterator<char>(file), {});
    }
    static void TearDownTestSuite() {
        delete original;
        delete content;
    }

    struct Outcome {
        int forgotten = 0;  ///< of 100: they would be executed again
        int unknown = 0;    ///< of 100: they are refused
        bool set_aside = false;
        bool doubtful = false;  ///< what is not known is refused for a while
        std::int64_t lost = 0;  ///< as told; -1: told that nobody knows
    };
    /// What a store with that content has forgotten.
    static Outcome opened(const std::string& damaged) {
        const TempFolder folder(in_memory());
        std::ofstream(folder.path() + "/control.db", std::ios::binary) << damaged;
        return opened_in(folder.path());
    }
    static Outcome opened_in(const std::string& folder) {
        Outcome outcome;
        ControlDisk control(folder, 2);
        Result<ControlStock> stock = control.open();
        for (int tries = 0; tries < 5 && !stock; ++tries) stock = control.open();
        EXPECT_TRUE(stock) << stock.error().what;
        if (!stock) return outcome;
        outcome.set_aside = !stock->set_aside.empty();
        outcome.lost = stock->lost;
        outcome.doubtful = stock->doubtful_until > 0ms;
        for (const auto& [id, device] : stock->roster.devices)
            EXPECT_EQ(device.extension_info, "{\"modbus_unit\":" + id.substr(6) + "}");
        // In a transaction, as it is done: it may have to make room first.
        ControlJob job;
        job.write = [&](Database& database, std::chrono::milliseconds now) {
            return ask(database, now, outcome);
        };
        EXPECT_TRUE(control.commit({job}));
        EXPECT_TRUE(control.read([&](Database& database) { return tell(database, outcome); }));
        control.close();
        return outcome;
    }
    static std::string with_page(std::string damaged, std::size_t page, char byte) {
        return damaged.replace(page * page_bytes, page_bytes, page_bytes, byte);
    }
    static std::size_t pages() { return content->size() / page_bytes; }

    static inline TempFolder* original = nullptr;
    static inline std::string* content = nullptr;  ///< of its control.db

private:
    static Result<void> ask(Database& database, std::chrono::milliseconds now, Outcome& outcome) {
        LedgerTable ledger(database, 2);
        const Result<LedgerEntry> next = ledger.begin("the next", "d", now);
        if (!next) return next.error();
        const Result<void> room = ledger.forget(now, 100);
        if (!room) return room;
        for (int number = 1; number <= 100; ++number) {
            const std::string id = "command/" + std::to_string(number);
            const Result<LedgerEntry> entry = ledger.begin(id, "d", now);
            if (!entry) return entry.error();
            outcome.forgotten += entry->state == State::fresh;
            outcome.unknown += entry->state == State::unknown;
            if (entry->state == State::finished) {
                EXPECT_EQ(entry->answer, "answer of " + id);
            }
        }
        return {};
    }
    // The audit says what the log says.
    static Result<void> tell(Database& database, const Outcome& outcome) {
        const Result<AuditPage> audit = read_audit(database, 0, 1);
        if (!audit) return audit.error();
        if (!outcome.set_aside) return {};
        const std::string& result = audit->rows.at(0).entry.result;
        if (outcome.lost < 0) {
            EXPECT_EQ(result, "a new file, nobody knows how many request ids are lost");
        }
        if (outcome.lost > 0) {
            EXPECT_EQ(result,
                      "a new file, " + std::to_string(outcome.lost) + " request ids are lost");
        }
        return {};
    }
};

TEST_F(ControlDamage, OfAnyBitForgetsNothing) {
    std::mt19937 random(8);
    const int rounds = std::getenv("FIELDGATE_CAMPAIGN") != nullptr ? 2000 : 200;
    int unknown = 0;
    int aside = 0;
    for (int round = 0; round < rounds; ++round) {
        const std::size_t at = random() % content->size();
        std::string damaged = *content;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
        SCOPED_TRACE(at);
        const Outcome outcome = opened(damaged);
        ASSERT_EQ(outcome.forgotten, 0);
        ASSERT_EQ(outcome.lost, 0);
        ASSERT_FALSE(outcome.doubtful && !outcome.set_aside);
        aside += outcome.set_aside;
        unknown += outcome.unknown;
    }
    std::cout << "of " << rounds << " damaged files " << aside << " were set aside; " << unknown
              << " of " << rounds * 100 << " commands unknown, none forgotten\n";
}

TEST_F(ControlDamage, OfTheFirstPageForgetsNothing) {
    for (std::size_t at = 0; at < page_bytes; at += at < 120 ? 1 : 17) {
        SCOPED_TRACE(at);
        std::string damaged = *content;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
        ASSERT_EQ(opened(damaged).forgotten, 0);
    }
}

TEST_F(ControlDamage, OfAnyOnePageForgetsNothing) {
    for (std::size_t page = 0; page < pages(); ++page) {
        for (const char byte : {'\0', '\xAA'}) {
            SCOPED_TRACE(page);
            const Outcome outcome = opened(with_page(*content, page, byte));
            ASSERT_EQ(outcome.forgotten, 0);
            ASSERT_EQ(outcome.lost, 0);
        }
    }
}

// SQLite takes what the disk cannot read for damage.
TEST_F(ControlDamage, OfAnySectorThatCannotBeReadForgetsNothing) {
    for (std::size_t page = 0; page < pages(); ++page) {
        SCOPED_TRACE(page);
        const TempFolder folder(in_memory());
        copy_store(original->path(), folder.path());
        const BadSector bad(folder.path() + "/control.db", page);
        const Outcome outcome = opened_in(folder.path());
        EXPECT_GT(bad.reads(), 0u);
        EXPECT_TRUE(outcome.set_aside);
        ASSERT_EQ(outcome.forgotten, 0);
        ASSERT_EQ(outcome.lost, 0);
    }
}

TEST_F(ControlDamage, OfMoreTellsWhatIsForgotten) {
    std::mt19937 random(9);
    int lossy = 0;
    for (int round = 0; round < 100; ++round) {
        std::string damaged = *content;
        const int count = 2 + static_cast<int>(random() % 8);
        for (int page = 0; page < count; ++page)
            damaged = with_page(damaged, random() % pages(), '\xAA');
        const Outcome outcome = opened(damaged);
        if (outcome.lost >= 0) {
            ASSERT_EQ(outcome.lost, outcome.forgotten);
        }
        if (outcome.forgotten > 0) {
            ASSERT_TRUE(outcome.doubtful);
        }
        lossy += outcome.forgotten > 0;
    }
    EXPECT_GT(lossy, 5);
    for (const std::size_t left : {std::size_t{0}, std::size_t{100}, content->size() / 2}) {
        const Outcome outcome = opened(content->substr(0, left));
        EXPECT_TRUE(outcome.set_aside);
        EXPECT_TRUE(outcome.lost == -1 || outcome.lost == outcome.forgotten) << outcome.lost;
        EXPECT_TRUE(outcome.doubtful || outcome.lost == 0);
    }
}

// The check sum of a row does not cover its number, and its number does not stand for the row.
TEST_F(ControlDamage, OfARowsNumberForgetsNeitherOfTwo) {
    constexpr std::size_t header = 9;  // of a record of eight columns; then comes the id
    std::string damaged = *content;
    int rows = 0;
    for (auto at = damaged.find("command/49d"); at != std::string::npos;
         at = damaged.find("command/49d", at + 1)) {
        if (damaged[at - header] != header || damaged[at - header - 1] != 49) continue;
        damaged[at - header - 1] = 33;
        ++rows;
    }
    ASSERT_GT(rows, 0);
    const Outcome outcome = opened(damaged);
    EXPECT_TRUE(outcome.set_aside);
    EXPECT_EQ(outcome.forgotten, 0);
    EXPECT_EQ(outcome.lost, 0);
}

// The time of one damaged row is not the time of all.
TEST_F(ControlDamage, OfARowsTimeAgesNoOther) {
    for (const char* time : {"4611686018427387904", "-4611686018427387904"}) {
        const TempFolder folder(in_memory());
        copy_store(original->path(), folder.path());
        edit(folder.path(),
             "UPDATE ledger SET born_ms = " + std::string(time) + " WHERE id = 'command/7'");
        ControlSite site(folder.path());
        ASSERT_TRUE(site.execute("the next"));
        EXPECT_EQ(site.begin("command/6")->state, State::finished);
        EXPECT_EQ(site.begin("command/7")->state, State::unknown);
        EXPECT_EQ(site.begin("command/8")->state, State::finished);
    }
}

TEST(ControlBirth, LeavesNothingThatLooksDamagedWhereverItIsStopped) {
    FaultVfs disk;
    int deaths = 0;
    for (bool died = true; died; ++deaths) {
        const TempFolder folder(in_memory());
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            disk.fail_once(FaultVfs::Fault::death, deaths);
            ControlDisk control(folder.path(), 1);
            ::_exit(control.open() ? 1 : 2);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        died = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        ControlDisk control(folder.path(), 2);
        const auto stock = control.open();
        ASSERT_TRUE(stock);
        EXPECT_FALSE(fs::exists(folder.path() + "/control.bad-1")) << deaths;
        control.close();
    }
    EXPECT_GT(deaths, 10);
}

}  // namespace
}  // namespace fieldgate::storage
