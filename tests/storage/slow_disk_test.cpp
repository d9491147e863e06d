// A disk whose flush does not come back.
#include <gtest/gtest.h>

#include "tests/storage/fault_vfs.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

using namespace std::chrono_literals;

TEST(SlowDisk, IsNotWaitedForToSendWhatIsInRam) {
    FaultVfs disk;  // outlives the site
    const TempFolder folder;
    Site site(folder.path());
    site.settings.commit = 10ms;
    ASSERT_TRUE(site.open());
    disk.hold_syncs(true);
    site.append(1, 5);
    const auto begin = std::chrono::steady_clock::now();
    const Site::Taken taken = site.take();
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 4s);
    EXPECT_LE(std::chrono::steady_clock::now() - begin, 8s);
    EXPECT_EQ(taken.numbers(), (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
    EXPECT_FALSE(site.outbox->status().disk_ok) << "it is told";
    site.outbox->remove(taken.lease);
    EXPECT_TRUE(site.balanced());

    disk.hold_syncs(false);
    EXPECT_TRUE(site.until([&] { return site.outbox->status().disk_ok; }));
    site.append(6, 7);
    site.flush();
    site.close();
    ASSERT_TRUE(site.open());
    EXPECT_EQ(site.outbox->status().books.acknowledged, 5U);
    EXPECT_EQ(site.take_everything().size(), 2U);
    EXPECT_TRUE(site.balanced());
    site.close();
}

}  // namespace
}  // namespace fieldgate::storage
