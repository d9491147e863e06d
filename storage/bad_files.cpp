#include "storage/bad_files.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

namespace fieldgate::storage {

namespace fs = std::filesystem;

int bad_number(const std::string& name, std::string_view stem) {
    const std::string prefix = std::string(stem) + ".bad-";
    int number = 0;
    if (name.starts_with(prefix))
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    return number;
}

Result<std::string> move_aside(const std::string& folder, const std::string& stem) {
    const fs::path from(folder);
    int highest = 0;
    std::error_code failed;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, failed)) {
        const int number = bad_number(entry.path().filename().string(), stem);
        highest = std::max(highest, number);
        std::error_code ignored;
        if (number > 0) fs::remove(entry.path(), ignored);
    }
    std::string bad_name = stem + ".bad-" + std::to_string(highest + 1);
    fs::rename(from / (stem + ".db"), from / bad_name, failed);
    if (failed) return Error(Errc::io, bad_name + ": " + failed.message());
    // Its WAL belongs to it, and so does the WAL's index that a reader may have left: to the new
    // file they would be poison.
    fs::remove(from / (stem + ".db-shm"), failed);
    const std::string wal = stem + ".db-wal";
    if (fs::exists(from / wal, failed)) fs::rename(from / wal, from / (bad_name + "-wal"), failed);
    if (failed) return Error(Errc::io, wal + ": " + failed.message());
    return bad_name;
}

}  // namespace fieldgate::storage
