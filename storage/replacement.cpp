#include "storage/replacement.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "storage/whole_file.h"

namespace fieldgate::storage {
namespace {

namespace fs = std::filesystem;

// 3 of "outbox.bad-3" and of "outbox.bad-3-wal"; 0: no such name of `stem`.
int bad_number(const std::string& name, const std::string& stem) {
    const std::string prefix = stem + ".bad-";
    int number = 0;
    if (name.starts_with(prefix))
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    return number;
}

std::vector<fs::path> bad_files(const std::string& folder, const std::string& stem) {
    std::vector<fs::path> files;
    std::error_code failed;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, failed))
        if (bad_number(entry.path().filename().string(), stem) > 0) files.push_back(entry.path());
    return files;
}

// Of the file that is damaged now.
int number_of_bad(const std::string& folder, const std::string& stem) {
    int highest = 0;
    for (const fs::path& file : bad_files(folder, stem))
        highest = std::max(highest, bad_number(file.filename().string(), stem));
    // It is gone if a crash came after that: the highest number is its own.
    std::error_code failed;
    return fs::exists(fs::path(folder) / (stem + ".db"), failed) ? highest + 1 : highest;
}

}  // namespace

Result<void> write_replacement(const std::string& folder, const std::string& stem,
                               const std::function<Result<void>(const std::string& file)>& write,
                               const std::function<bool(const std::string& file)>& goes_on) {
    const std::string part = folder + "/" + stem + ".new";
    const auto remove_part = [&] {
        std::error_code ignored;
        for (const char* end : {"", "-wal", "-journal"}) fs::remove(part + end, ignored);
    };
    std::error_code failed;
    if (!goes_on || !fs::exists(part, failed) || !goes_on(part)) remove_part();
    const Result<void> written = write(part);
    // A stop, or a disk that fails for a while, throws nothing away that can be gone on with.
    const bool kept = goes_on && !written &&
                      (written.error().code == Errc::closed || written.error().code == Errc::io);
    if (!written && !kept) remove_part();
    if (!written) return written;
    failed.clear();
    fs::rename(part, folder + "/" + stem + ".salvaged", failed);
    if (failed) return Error(Errc::io, stem + ".new: " + failed.message());
    (void)sync_folder(folder);
    return {};
}

std::string bad_name(const std::string& folder, const std::string& stem) {
    return stem + ".bad-" + std::to_string(number_of_bad(folder, stem));
}

Result<std::string> put_in_place(const std::string& folder, const std::string& stem) {
    const fs::path complete = fs::path(folder) / (stem + ".salvaged");
    const fs::path store = fs::path(folder) / (stem + ".db");
    std::error_code failed;
    if (!fs::exists(complete, failed)) return std::string();
    const std::vector<fs::path> older = bad_files(folder, stem);
    const int number = number_of_bad(folder, stem);
    const std::string name = bad_name(folder, stem);
    const fs::path bad = fs::path(folder) / name;
    const auto rename = [&](const fs::path& from, const fs::path& to) {
        if (!failed && fs::exists(from, failed)) fs::rename(from, to, failed);
    };
    failed.clear();
    rename(store, bad);
    // Its WAL belongs to it, and so does the WAL's index that a reader may have left, and what is
    // left of its making: to the new file they would be poison.
    rename(store.string() + "-wal", bad.string() + "-wal");
    rename(store.string() + "-page-1", bad.string() + "-page-1");
    if (!failed) fs::remove(store.string() + "-shm", failed);
    if (!failed) fs::remove(store.string() + "-journal", failed);
    rename(complete, store);
    if (failed) return Error(Errc::io, name + ": " + failed.message());
    (void)sync_folder(folder);
    for (const fs::path& file : older)
        if (bad_number(file.filename().string(), stem) != number) fs::remove(file, failed);
    return name;
}

}  // namespace fieldgate::storage
