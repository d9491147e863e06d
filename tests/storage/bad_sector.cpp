#include "tests/storage/bad_sector.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace fieldgate::storage {
namespace {

constexpr std::int64_t sector_bytes = 4096;

std::atomic<ino_t> bad_file = 0;
std::atomic<dev_t> bad_device = 0;
std::atomic<std::int64_t> bad_at = 0;
std::atomic<std::uint64_t> tried = 0;

bool is_bad(int descriptor, std::size_t size, std::int64_t at) {
    if (bad_file == 0) return false;
    struct stat file {};
    if (::fstat(descriptor, &file) != 0 || file.st_ino != bad_file || file.st_dev != bad_device)
        return false;
    if (at >= bad_at + sector_bytes || at + static_cast<std::int64_t>(size) <= bad_at) return false;
    ++tried;
    return true;
}

ssize_t read_at(int descriptor, void* to, std::size_t size, std::int64_t at) {
    if (!is_bad(descriptor, size, at)) return ::syscall(SYS_pread64, descriptor, to, size, at);
    errno = EIO;
    return -1;
}

}  // namespace

BadSector::BadSector(const std::string& file, std::uint64_t page) {
    struct stat status {};
    ::stat(file.c_str(), &status);
    bad_at = static_cast<std::int64_t>(page) * sector_bytes;
    tried = 0;
    bad_device = status.st_dev;
    bad_file = status.st_ino;
}

BadSector::~BadSector() { bad_file = 0; }

std::uint64_t BadSector::reads() const { return tried; }

}  // namespace fieldgate::storage

// In front of the C library's, for SQLite's calls too.
extern "C" ssize_t pread(int descriptor, void* to, std::size_t size, off_t at) {
    return fieldgate::storage::read_at(descriptor, to, size, at);
}
extern "C" ssize_t pread64(int descriptor, void* to, std::size_t size, off64_t at) {
    return fieldgate::storage::read_at(descriptor, to, size, at);
}
