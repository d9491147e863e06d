#pragma once
#include <string>
#include <utility>

#include "base/result.h"

namespace fieldgate::storage {

/// Keeps a second process off a folder: flock(2) on a file that holds our pid. Let go when
/// destroyed, and by the kernel when the process dies.
class Lock {
public:
    Lock() = default;
    Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Lock& operator=(Lock&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~Lock();

    /// Errors: busy (`detail`: the pid of the holder, 0 if unknown), io.
    static Result<Lock> take(const std::string& file);

private:
    explicit Lock(int descriptor) : descriptor_(descriptor) {}

    int descriptor_ = -1;
};

}  // namespace fieldgate::storage
