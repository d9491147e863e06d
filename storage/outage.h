#pragma once
#include <chrono>
#include <set>
#include <string>

namespace fieldgate::storage {

/// How long the cloud has been away, and what was done about it, so that a restart in the middle of
/// an outage does not begin it anew. In a file of its own beside the store, which may open late.
struct Outage {
    std::chrono::seconds elapsed{0};  ///< Of running time: no clock is asked.
    std::set<std::string> done;       ///< Names of what needs no repetition in this outage.
    bool operator==(const Outage&) const = default;
};

inline constexpr const char* outage_file = "outage";

/// None, if there is none that is whole. Blocks.
Outage read_outage(const std::string& file);
/// Replaced as a whole and flushed; if that fails, the old one stays. One that is over (it is as a
/// new one) leaves no file. Blocks.
void keep_outage(const std::string& file, const Outage& outage);

}  // namespace fieldgate::storage
