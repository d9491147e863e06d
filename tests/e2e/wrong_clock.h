#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace fieldgate::e2e {

/// Why no program can be given a wrong clock here; empty if one can.
std::string no_wrong_clock();

/// The environment of a program whose system clock is off by what the file `clock` says, as
/// faketime(1) has it: "-1h", "+7200". Read anew whenever it asks. The monotonic clock stays right.
std::vector<std::string> wrong_clock(const std::filesystem::path& clock);

}  // namespace fieldgate::e2e
