#include "storage/proven_time.h"

#include <charconv>
#include <chrono>
#include <fstream>

#include "storage/row.h"
#include "storage/whole_file.h"

namespace fieldgate::storage {
namespace {

constexpr std::chrono::hours worth_a_write{1};

// "1795379700123 2212294583\n": milliseconds since 1970 and their check sum.
std::string line_of(std::int64_t milliseconds) {
    const std::string number = std::to_string(milliseconds);
    return number + " " + std::to_string(name_checksum("proven-time", number));
}

}  // namespace

std::optional<Utc> read_proven_time(const std::string& file) {
    std::ifstream in(file);
    std::string line;
    std::int64_t milliseconds = 0;
    if (!std::getline(in, line) ||
        std::from_chars(line.data(), line.data() + line.size(), milliseconds).ec != std::errc())
        return std::nullopt;
    if (line != line_of(milliseconds)) return std::nullopt;
    return Utc(std::chrono::milliseconds(milliseconds));
}

void keep_proven_time(const std::string& file, Utc time) {
    const std::optional<Utc> kept = read_proven_time(file);
    if (kept && std::chrono::abs(time - *kept) < worth_a_write) return;
    // What fails is tried again with the next time, and what is on disk stays.
    (void)write_whole_file(file, line_of(time.time_since_epoch().count()) + "\n");
}

}  // namespace fieldgate::storage
