#pragma once
#include <cstdint>
#include <filesystem>

#include "tests/lab/process.h"

namespace fieldgate::e2e {

/// A file system of its own, mounted at a folder: ext4 in a file, or tmpfs where the machine has no
/// loop devices. Needs root and mount(8). Goes with its owner, also while files on it are open.
class SmallDisk {
public:
    SmallDisk(std::filesystem::path at, std::uint64_t bytes);
    ~SmallDisk();
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    /// False: this machine does not let us; there is nothing at the folder then.
    bool mounted() const { return !kind_.empty(); }
    const std::string& kind() const { return kind_; }  ///< "ext4" or "tmpfs"

    /// Takes what is free, to the last byte, into a file of its own; again whenever something has
    /// become free since. Returns the bytes taken by this call.
    std::uint64_t fill();
    /// Gives it all back.
    void free();

private:
    lab::TempDir image_;
    std::filesystem::path at_;
    std::string kind_;
};

}  // namespace fieldgate::e2e
