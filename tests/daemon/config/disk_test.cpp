#include "daemon/config/disk.h"

#include <endian.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace fieldgate::config {
namespace {

constexpr std::uint32_t nobody_special = 12345;

struct Entry {
    std::uint16_t tag, permissions;
    std::uint32_t id = UINT32_MAX;
};
constexpr std::uint16_t owner = 1, user = 2, owning_group = 4, group = 8, mask = 16, others = 32;

class SecretFile : public ::testing::Test {
protected:
    SecretFile() {
        std::string folder = (std::filesystem::temp_directory_path() / "fieldgate-XXXXXX").string();
        folder_ = mkdtemp(folder.data());
        path = folder_ + "/secret";
        std::ofstream(path) << "secret";
    }
    ~SecretFile() override { std::filesystem::remove_all(folder_); }

    std::string with_mode(mode_t mode) {
        chmod(path.c_str(), mode);
        return Disk(true).others(path);
    }
    // nullopt: no access lists here.
    std::optional<std::string> with_list(const std::vector<Entry>& entries) {
        std::string raw("\x02\0\0\0", 4);
        for (const Entry& entry : entries) {
            const std::uint16_t words[]{htole16(entry.tag), htole16(entry.permissions)};
            const std::uint32_t id = htole32(entry.id);
            raw.append(reinterpret_cast<const char*>(words), sizeof words);
            raw.append(reinterpret_cast<const char*>(&id), sizeof id);
        }
        if (setxattr(path.c_str(), "system.posix_acl_access", raw.data(), raw.size(), 0) != 0)
            return std::nullopt;
        return Disk(true).others(path);
    }

    std::string path;

private:
    std::string folder_;
};

TEST_F(SecretFile, IsOpenToOthersByItsMode) {
    EXPECT_EQ(with_mode(0600), "");
    EXPECT_EQ(with_mode(0400), "");
    EXPECT_EQ(with_mode(0440), "mode 0440");
    EXPECT_EQ(with_mode(0604), "mode 0604");
    EXPECT_EQ(with_mode(0620), "mode 0620");
    EXPECT_EQ(Disk(true).others(path + ".nothing"), "");
}

TEST_F(SecretFile, IsOpenToWhomItsAccessListNames) {
    const auto like_systemd =
        with_list({{owner, 4}, {user, 4, geteuid()}, {owning_group, 0}, {mask, 4}, {others, 0}});
    if (!like_systemd) GTEST_SKIP() << "no access lists on this file system";
    struct stat about {};
    stat(path.c_str(), &about);
    EXPECT_EQ(about.st_mode & 0777U, 0440U) << "what made us refuse it";
    EXPECT_EQ(*like_systemd, "");

    const std::string list = "an access list (getfacl)";
    EXPECT_EQ(
        with_list(
            {{owner, 4}, {user, 4, nobody_special}, {owning_group, 0}, {mask, 4}, {others, 0}}),
        list);
    EXPECT_EQ(
        with_list(
            {{owner, 4}, {user, 4, nobody_special}, {owning_group, 4}, {mask, 0}, {others, 0}}),
        "")
        << "masked";
    EXPECT_EQ(
        with_list(
            {{owner, 4}, {owning_group, 0}, {group, 4, nobody_special}, {mask, 4}, {others, 0}}),
        list);
    EXPECT_EQ(
        with_list({{owner, 4}, {user, 4, geteuid()}, {owning_group, 4}, {mask, 4}, {others, 0}}),
        list);
    EXPECT_EQ(
        with_list({{owner, 4}, {user, 4, geteuid()}, {owning_group, 0}, {mask, 4}, {others, 4}}),
        "mode 0444");
}

}  // namespace
}  // namespace fieldgate::config
