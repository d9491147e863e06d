#pragma once
#include <cstdint>

namespace fieldgate::storage {

/// While one lives, every file system has as much room left as it says.
class FakeSpace {
public:
    explicit FakeSpace(std::uint64_t free_bytes);
    ~FakeSpace();
    FakeSpace(const FakeSpace&) = delete;
    FakeSpace& operator=(const FakeSpace&) = delete;

    void set(std::uint64_t free_bytes);
};

}  // namespace fieldgate::storage
