#include "storage/outage.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

using namespace std::chrono_literals;

class OutageTest : public testing::Test {
protected:
    TempFolder folder;
    std::string file = folder.path() + "/" + outage_file;
    Outage outage{345s, {"gw_VALVE/Control/limit", "gw_\"odd\"\n/Control/limit"}};
};

TEST_F(OutageTest, IsReadAsItWasKeptAndGoneWhenItIsOver) {
    EXPECT_EQ(read_outage(file), Outage());
    keep_outage(file, outage);
    EXPECT_EQ(read_outage(file), outage);
    keep_outage(file, Outage());
    EXPECT_FALSE(fs::exists(file));
    EXPECT_EQ(read_outage(file), Outage());
}

TEST_F(OutageTest, IsNoneWhereAnyByteIsDamaged) {
    keep_outage(file, outage);
    std::string text;
    std::getline(std::ifstream(file, std::ios::binary), text, '\0');
    for (std::size_t at = 0; at + 1 < text.size(); ++at) {
        std::string damaged = text;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x11);
        std::ofstream(file, std::ios::binary | std::ios::trunc) << damaged;
        EXPECT_EQ(read_outage(file), Outage()) << at;
    }
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text.substr(0, text.size() / 2);
    EXPECT_EQ(read_outage(file), Outage());
}

}  // namespace
}  // namespace fieldgate::storage
