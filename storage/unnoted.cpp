#include "storage/unnoted.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace fieldgate::storage {
namespace {

bool synced(const std::string& path, int flags) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0640);
    if (descriptor < 0) return false;
    const bool done = ::fsync(descriptor) == 0;
    ::close(descriptor);
    return done;
}

}  // namespace

void Unnoted::look() {
    std::error_code failed;
    if (!ours_) inherited_ = std::filesystem::exists(file(), failed);
}

// An empty file: its name says it all, and that needs no block of a disk that is full.
bool Unnoted::make() {
    if (holds_) return true;
    // Whatever of it fails, it may be there.
    ours_ = true;
    holds_ = synced(file(), O_WRONLY | O_CREAT) && synced(folder_, O_RDONLY | O_DIRECTORY);
    return holds_;
}

// One that comes back after a power cut refuses more than it has to.
void Unnoted::remove() {
    holds_ = false;
    std::error_code failed;
    std::filesystem::remove(file(), failed);
    if (failed) return;
    ours_ = inherited_ = false;
}

}  // namespace fieldgate::storage
