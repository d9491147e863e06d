#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace fieldgate::storage {

enum class Durability : std::uint8_t {
    strict,       ///< every poll waits for its commit
    group,        ///< committed every `commit`, or at 1 MB
    flash_saver,  ///< only what is unacknowledged after 5 s, and everything when stopping
};
/// Alarms always go last. A store that refuses the newest takes them again within some seconds of
/// there being room, whoever has made it.
enum class WhenFull : std::uint8_t { drop_oldest, drop_newest };

struct Settings {
    std::string path = "/var/lib/fieldgate";  ///< A folder.
    std::uint64_t max_size_bytes = 256ULL << 20;
    std::uint64_t keep_free_bytes = 64ULL << 20;
    Durability durability = Durability::group;
    std::chrono::milliseconds commit{1000};  ///< So much a crash may undo.
    WhenFull when_full = WhenFull::drop_oldest;
    bool operator==(const Settings&) const = default;
};

}  // namespace fieldgate::storage
