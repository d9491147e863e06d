#include "storage/unnoted.h"

#include <filesystem>
#include <system_error>

#include "storage/whole_file.h"

namespace fieldgate::storage {

void Unnoted::look() {
    std::error_code failed;
    if (!ours_) inherited_ = std::filesystem::exists(file(), failed);
}

// An empty file: its name says it all, and that needs no block of a disk that is full.
bool Unnoted::make() {
    if (holds_) return true;
    // Whatever of it fails, it may be there.
    ours_ = true;
    holds_ = write_whole_file(file(), {}).has_value();
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
