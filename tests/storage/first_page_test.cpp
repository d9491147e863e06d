// A store whose first page is lost: it says where everything else is.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/storage/bad_sector.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t first_rows = 300;

class FirstPage : public testing::Test {
protected:
    void SetUp() override {
        site.settings.commit = 10ms;
        ASSERT_TRUE(site.open());
        site.append(1, first_rows);
        site.append(first_rows + 1, first_rows + 5, 1, Priority::alarm);
        site.flush();
        site.close();
    }
    std::string file() const { return folder.path() + "/outbox.db"; }
    void overwrite(std::size_t at, const std::string& bytes) const {
        std::fstream out(file(), std::ios::in | std::ios::out | std::ios::binary);
        out.seekp(static_cast<std::streamoff>(at));
        out << bytes;
    }
    bool is_aside() const { return fs::exists(folder.path() + "/outbox.bad-1"); }

    TempFolder folder;
    Site site{folder.path()};
};

TEST_F(FirstPage, ThatIsGoneTakesNoRowWithIt) {
    overwrite(0, std::string(4096, '\xAA'));
    ASSERT_TRUE(site.open());
    EXPECT_TRUE(is_aside());
    EXPECT_EQ(site.outbox->status().books.pending, static_cast<std::uint64_t>(first_rows) + 5);
    EXPECT_TRUE(site.balanced());
    EXPECT_EQ(site.take_everything().size(), static_cast<std::size_t>(first_rows) + 5);
}

TEST_F(FirstPage, ThatIsDamagedInAnyByteTakesNoRowWithIt) {
    std::string page(4096, '\0');
    std::ifstream(file(), std::ios::binary).read(page.data(), 4096);
    for (std::size_t at = 0; at < page.size(); at += at < 120 ? 3 : 97) {
        SCOPED_TRACE(at);
        const TempFolder other;
        copy_store(folder.path(), other.path());
        fs::copy_file(folder.path() + "/outbox.page-1", other.path() + "/outbox.page-1");
        std::fstream out(other.path() + "/outbox.db",
                         std::ios::in | std::ios::out | std::ios::binary);
        out.seekp(static_cast<std::streamoff>(at));
        out.put(static_cast<char>(page[at] ^ 0x5A));
        out.close();
        Site damaged(other.path());
        ASSERT_TRUE(damaged.open());
        EXPECT_EQ(damaged.take_everything().size(), static_cast<std::size_t>(first_rows) + 5);
        EXPECT_TRUE(damaged.balanced());
    }
}

// Not even what is written to it can be read: all is set aside, and what comes from then on is
// safe.
TEST_F(FirstPage, OnADeadSectorEndsNoDurability) {
    {
        const BadSector bad(file(), 0);
        ASSERT_TRUE(site.open());
        EXPECT_GT(bad.reads(), 0U);
    }
    EXPECT_TRUE(is_aside());
    site.append(1, 3);
    site.flush();
    EXPECT_TRUE(site.outbox->status().disk_ok);
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.take_everything().size(), 3U);
}

TEST_F(FirstPage, IsLookedAtTwice) {
    FaultVfs disk;
    disk.fail_once(FaultVfs::Fault::bad_sector, 0);
    ASSERT_TRUE(site.open());
    EXPECT_TRUE(disk.struck());
    EXPECT_FALSE(is_aside());
    EXPECT_EQ(site.take_everything().size(), static_cast<std::size_t>(first_rows) + 5);
    site.close();  // before the disk goes
}

}  // namespace
}  // namespace fieldgate::storage
