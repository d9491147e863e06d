#include <gtest/gtest.h>

#include "tests/storage/control_site.h"
#include "tests/storage/fault_vfs.h"

namespace fieldgate::storage {
namespace {

LearnedRow learned_row(int number, const std::string& text = "refuses 7") {
    LearnedRow row;
    row.what = "device meter-" + std::to_string(number);
    row.version = "map 1";
    row.text = text;
    row.at_ms = 1'700'000'000'000 + number;
    return row;
}

class LearnedTest : public testing::Test {
protected:
    Learned& learned() { return site.store->learned(); }
    Result<void> keep(std::vector<LearnedRow> rows, std::vector<std::string> forgotten = {}) {
        return site.run(learned().keep(std::move(rows), std::move(forgotten)));
    }
    std::vector<LearnedRow> all() {
        std::vector<LearnedRow> rows;
        for (const auto& [what, row] : learned().all()) rows.push_back(row);
        return rows;
    }

    FaultVfs disk;
    TempFolder folder;
    ControlSite site{folder.path()};
};

TEST_F(LearnedTest, IsKeptOverARestartAndForgottenByName) {
    EXPECT_TRUE(learned().known());
    ASSERT_TRUE(keep({learned_row(1), learned_row(2), learned_row(3)}));
    ASSERT_TRUE(keep({learned_row(2, "refuses 9")}, {learned_row(1).what, "never there"}));
    const std::vector<LearnedRow> expected{learned_row(2, "refuses 9"), learned_row(3)};
    EXPECT_EQ(all(), expected);
    site.restart();
    EXPECT_EQ(all(), expected);
}

TEST_F(LearnedTest, IsNotTakenFromARowThatIsNotWhatItWas) {
    ASSERT_TRUE(keep({learned_row(1), learned_row(2)}));
    site.close();
    edit(folder.path(), "UPDATE learned SET text = 'refuses 8' WHERE what = 'device meter-1'");
    site.open();
    EXPECT_EQ(all(), (std::vector<LearnedRow>{learned_row(1, ""), learned_row(2)}));
    ASSERT_TRUE(keep({}, {learned_row(1).what}));
    EXPECT_EQ(all(), std::vector<LearnedRow>{learned_row(2)});
}

TEST_F(LearnedTest, HasABound) {
    const std::string large(Learned::bytes_max / 2, 'x');
    ASSERT_TRUE(keep({learned_row(1, large)}));
    EXPECT_EQ(keep({learned_row(2, large)}).error().code, Errc::out_of_range);
    EXPECT_EQ(all(), std::vector<LearnedRow>{learned_row(1, large)});
}

TEST_F(LearnedTest, StartsWithTheStoreOfAnOlderProgram) {
    ASSERT_EQ(*site.run(site.store->roster().apply_add(7, {})), Roster::Applied::applied);
    site.close();
    edit(folder.path(), "DROP TABLE learned; PRAGMA user_version = 1");
    site.open();
    EXPECT_TRUE(learned().known());
    EXPECT_EQ(site.store->roster().version(), 7);
    EXPECT_TRUE(keep({learned_row(1)}));
}

TEST_F(LearnedTest, TellsThatTheDiskFails) {
    disk.fail(FaultVfs::Fault::write_error);
    EXPECT_FALSE(keep({learned_row(1)}));
    EXPECT_TRUE(all().empty());
}

}  // namespace
}  // namespace fieldgate::storage
