#include "tests/storage/fake_space.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>

namespace fieldgate::storage {
namespace {

constexpr std::uint64_t real = ~std::uint64_t{0};
std::atomic<std::uint64_t> free_now = real;  // the worker looks

}  // namespace

FakeSpace::FakeSpace(std::uint64_t free_bytes) { set(free_bytes); }
FakeSpace::~FakeSpace() { set(real); }
void FakeSpace::set(std::uint64_t free_bytes) { free_now = free_bytes; }

namespace {

int look(const char* path, struct statvfs* space) {
    const int descriptor = ::open(path, O_PATH | O_CLOEXEC);
    if (descriptor < 0) return -1;
    const int result = ::fstatvfs(descriptor, space);
    ::close(descriptor);
    const std::uint64_t free_bytes = free_now;
    if (result != 0 || free_bytes == real) return result;
    space->f_bfree = space->f_bavail = free_bytes / space->f_frsize;
    return 0;
}

}  // namespace
}  // namespace fieldgate::storage

// Instead of the C library's, for the whole test program.
extern "C" int statvfs(const char* path, struct statvfs* space) noexcept {
    return fieldgate::storage::look(path, space);
}
