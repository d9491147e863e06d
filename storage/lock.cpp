#include "storage/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace fieldgate::storage {
namespace {

int pid_in(int descriptor) {
    std::array<char, 16> text{};
    const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
    int pid = 0;
    if (size > 0) std::from_chars(text.data(), text.data() + size, pid);
    return pid;
}

}  // namespace

Lock::~Lock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<Lock> Lock::take(const std::string& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (descriptor < 0) return Error(Errc::io, file + ": " + std::strerror(errno));
    Lock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return Error(Errc::io, file + ": " + std::strerror(errno));
        Error busy(Errc::busy, "another process holds " + file);
        busy.detail = pid_in(descriptor);
        return busy;
    }
    // The pid is for people; on a full disk the lock holds without it.
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(descriptor, 0) == 0) {
        [[maybe_unused]] const ssize_t written = ::pwrite(descriptor, pid.data(), pid.size(), 0);
    }
    return lock;
}

}  // namespace fieldgate::storage
