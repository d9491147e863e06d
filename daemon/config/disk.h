#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fieldgate::config {

/// The files of a configuration. `Disk(false)` touches none of them: every file exists and is
/// empty, every pattern matches nothing (fuzzing).
class Disk {
public:
    explicit Disk(bool real) : real_(real) {}
    bool real() const { return real_; }

    bool exists(const std::string& path) const;
    /// Errors: io (with the system's reason), out_of_range (larger than `bytes_max`; not read).
    Result<std::string> read(const std::string& path, std::size_t bytes_max) const;
    /// The files that a shell pattern, relative to `folder`, names; sorted.
    std::vector<std::string> match(const std::string& folder, const std::string& pattern) const;
    /// Permission bits; 0 if there is no such file.
    unsigned mode(const std::string& path) const;

private:
    bool real_;
};

/// `path` as seen from `folder`, tidied up; an absolute path stays what it is.
std::string resolve(const std::string& folder, std::string_view path);
/// `path` as people call it who stand in `folder`; outside of it, the absolute path.
std::string seen_from(const std::string& folder, const std::string& path);
std::string folder_of(const std::string& path);
bool is_pattern(std::string_view path);

}  // namespace fieldgate::config
