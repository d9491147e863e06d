#include "storage/names_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/storage/loop.h"

namespace fieldgate::storage {
namespace {

using Names = std::set<std::string>;

TEST(NamesFile, KeepsNamesAndLeavesNoneWhereThereAreNone) {
    const TempFolder folder;
    const std::string file = folder.path() + "/names";
    const Names names{"e2e_V1", "odd \"one\"\n"};
    EXPECT_EQ(read_names(file), Names());
    keep_names(file, names);
    EXPECT_EQ(read_names(file), names);
    keep_names(file, {});
    EXPECT_FALSE(fs::exists(file));
}

TEST(NamesFile, IsNoneWhereItIsDamaged) {
    const TempFolder folder;
    const std::string file = folder.path() + "/names";
    keep_names(file, {"e2e_V1"});
    for (const char* text : {"", "[\"e2e_V1\"]\n", "[\"e2e_V2\"]\n1\n", "{}\n2\n"}) {
        std::ofstream(file, std::ios::trunc) << text;
        EXPECT_EQ(read_names(file), Names()) << text;
    }
}

}  // namespace
}  // namespace fieldgate::storage
