#pragma once
#include <cstdint>
#include <string>

namespace fieldgate::storage {

/// A file that takes space while there is some, to be given up when there is none: on a full disk
/// even DELETE and a checkpoint need room. Runs on the disk's worker.
class Ballast {
public:
    /// A size of 0 makes none.
    Ballast(std::string file, std::uint64_t bytes) : file_(std::move(file)), bytes_(bytes) {}

    /// Makes it if it is not there. False: no room, or no file system for it.
    bool take_on();
    /// True if there was any.
    bool drop();
    std::uint64_t bytes() const { return bytes_; }
    std::uint64_t bytes_on_disk() const;

private:
    std::string file_;
    std::uint64_t bytes_ = 0;
};

}  // namespace fieldgate::storage
