#include "storage/proven_time.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "storage/row.h"

namespace fieldgate::storage {
namespace {

constexpr std::chrono::hours worth_a_write{1};

// "1795379700123 2212294583\n": milliseconds since 1970 and their check sum.
std::string line_of(std::int64_t milliseconds) {
    const std::string number = std::to_string(milliseconds);
    return number + " " + std::to_string(name_checksum("proven-time", number));
}

bool write_flushed(const std::string& file, const std::string& text) {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (descriptor < 0) return false;
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    const bool whole = written == static_cast<ssize_t>(text.size()) && ::fsync(descriptor) == 0;
    return ::close(descriptor) == 0 && whole;
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
    const std::string part = file + ".part";
    const bool whole = write_flushed(part, line_of(time.time_since_epoch().count()) + "\n");
    if (!whole || ::rename(part.c_str(), file.c_str()) != 0) ::unlink(part.c_str());
}

}  // namespace fieldgate::storage
