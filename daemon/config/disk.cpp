#include "daemon/config/disk.h"

#include <endian.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>

namespace fieldgate::config {
namespace {

// What somebody has to mend: no such file, no permission, a name that cannot be.
bool is_lasting(int number) {
    return number == ENOENT || number == ENOTDIR || number == EACCES || number == EPERM ||
           number == EISDIR || number == ELOOP || number == ENAMETOOLONG || number == ENXIO;
}

// As the kernel gives an access list away (acl(5), linux/posix_acl_xattr.h); little endian.
struct AclEntry {
    std::uint16_t tag, permissions;
    std::uint32_t id;
};
constexpr std::uint16_t acl_user = 2, acl_owning_group = 4, acl_group = 8, acl_mask = 16;

// Whether the file's access list lets a user in who is not us, or a group; nullopt: it has none.
std::optional<bool> is_open_to_listed(const std::string& path) {
    std::array<char, 4 + 8 * 256> raw{};
    const ssize_t size = getxattr(path.c_str(), "system.posix_acl_access", raw.data(), raw.size());
    if (size < 0) return errno == ERANGE ? std::optional(true) : std::nullopt;
    std::vector<AclEntry> entries;
    for (std::size_t at = 4; at + sizeof(AclEntry) <= static_cast<std::size_t>(size);
         at += sizeof(AclEntry)) {
        AclEntry entry{};
        std::memcpy(&entry, raw.data() + at, sizeof entry);
        entries.push_back({le16toh(entry.tag), le16toh(entry.permissions), le32toh(entry.id)});
    }
    unsigned mask = 7;
    for (const AclEntry& entry : entries)
        if (entry.tag == acl_mask) mask = entry.permissions;
    return std::any_of(entries.begin(), entries.end(), [&](const AclEntry& entry) {
        if ((entry.permissions & mask) == 0) return false;
        const bool stranger = entry.id != 0 && entry.id != geteuid();
        return entry.tag == acl_group || entry.tag == acl_owning_group ||
               (entry.tag == acl_user && stranger);
    });
}

// glob(3) takes no context along.
thread_local int folder_unread = 0;

int stop_at_unread(const char* /*folder*/, int number) {
    if (number == ENOENT || number == ENOTDIR) return 0;
    folder_unread = number;
    return 1;
}

}  // namespace

Error Disk::failed(int number) const {
    if (!is_lasting(number)) troubled_ = true;
    return {Errc::io, std::generic_category().message(number)};
}

std::string Disk::place_of(const std::string& path) const {
    const bool inside = path == folder_ || path.starts_with(folder_ + '/');
    if (kept_.empty() || !inside) return path;
    std::string kept = kept_ + path.substr(folder_.size());
    return access(kept.c_str(), F_OK) == 0 ? kept : path;
}

bool Disk::exists(const std::string& path) const {
    if (!real_ || access(place_of(path).c_str(), F_OK) == 0) return true;
    (void)failed(errno);
    return false;
}

Result<std::string> Disk::read(const std::string& path, std::size_t bytes_max) const {
    Result<std::string> text = read_secret(path, bytes_max);
    if (text && real_) files_[path] = *text;
    return text;
}

Result<std::string> Disk::read_secret(const std::string& path, std::size_t bytes_max) const {
    std::string text;
    if (!real_) return text;
    // O_NONBLOCK: a named pipe must not hold us.
    const int file = open(place_of(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return failed(errno);
    struct stat about {};
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
        close(file);
        return Error(Errc::io, "not a regular file");
    }
    char buffer[16384];
    ssize_t count = 0;
    while (text.size() <= bytes_max && (count = ::read(file, buffer, sizeof buffer)) > 0)
        text.append(buffer, static_cast<std::size_t>(count));
    const int error = errno;
    close(file);
    if (count < 0) return failed(error);
    if (text.size() > bytes_max) {
        return Error(Errc::out_of_range, "larger than " + std::to_string(bytes_max / 1000) + " kB");
    }
    return text;
}

Result<std::vector<std::string>> Disk::match(const std::string& folder,
                                             const std::string& pattern) const {
    std::vector<std::string> paths;
    if (!real_) return paths;
    std::string whole;
    const bool relative = !pattern.starts_with('/');
    // What is kept is that of the folder alone: a pattern that leads out of it is looked up there.
    const std::string inside =
        kept_.empty() || !relative ? pattern : seen_from(folder, resolve(folder, pattern));
    const bool is_kept = relative && !inside.starts_with('/');
    const std::string place = is_kept ? place_of(folder) : folder;
    if (relative) {
        for (const char c : place) {
            if (std::string_view("*?[\\").find(c) != std::string_view::npos) whole += '\\';
            whole += c;
        }
        whole += '/';
    }
    whole += is_kept ? inside : pattern;
    glob_t found{};
    folder_unread = EIO;
    const int unmatched = glob(whole.c_str(), 0, &stop_at_unread, &found);
    if (unmatched == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
    if (unmatched == GLOB_NOSPACE) return failed(ENOMEM);
    if (unmatched == GLOB_ABORTED) return failed(folder_unread);
    for (std::string& path : paths) {
        if (place != folder) path = folder + path.substr(place.size());
        path = resolve(folder, path);
    }
    return paths;
}

std::string Disk::others(const std::string& path) const {
    struct stat about {};
    if (!real_) return "";
    if (stat(place_of(path).c_str(), &about) != 0) {
        (void)failed(errno);
        return "";
    }
    const std::optional<bool> listed = is_open_to_listed(place_of(path));
    const unsigned mode = about.st_mode & 07777U;
    if (listed && (*listed || (mode & 07U) == 0)) return *listed ? "an access list (getfacl)" : "";
    if ((mode & 077U) == 0) return "";
    char octal[16];
    (void)std::snprintf(octal, sizeof octal, "mode %04o", mode);
    return octal;
}

std::string Disk::changed_by(const std::string& path) const {
    struct stat about {};
    if (!real_ || stat(place_of(path).c_str(), &about) != 0) return {};
    if ((about.st_mode & S_IWOTH) != 0) return "everybody";
    if (geteuid() == 0) return {};
    if (about.st_uid != 0 && about.st_uid != geteuid())
        return "its owner, user " + std::to_string(about.st_uid);
    const bool foreign_group = about.st_gid != 0 && about.st_gid != getegid();
    if ((about.st_mode & S_IWGRP) != 0 && foreign_group)
        return "group " + std::to_string(about.st_gid);
    return {};
}

std::string resolve(const std::string& folder, std::string_view path) {
    const std::filesystem::path given(path);
    return (given.is_absolute() ? given : std::filesystem::path(folder) / given)
        .lexically_normal()
        .string();
}

std::string seen_from(const std::string& folder, const std::string& path) {
    const std::filesystem::path relative = std::filesystem::path(path).lexically_relative(folder);
    if (relative.empty() || *relative.begin() == "..") return path;
    return relative.string();
}

std::string folder_of(const std::string& path) {
    return std::filesystem::path(path).parent_path().string();
}

bool is_pattern(std::string_view path) {
    return path.find_first_of("*?[") != std::string_view::npos;
}

}  // namespace fieldgate::config
