#include "storage/first_page.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "storage/database.h"

namespace fieldgate::storage {
namespace {

namespace fs = std::filesystem;

// Offsets of the file format (sqlite.org/fileformat2.html, 1.3).
constexpr std::size_t change_counter = 24;
constexpr std::size_t free_pages = 32;  // the first one, and how many
constexpr std::size_t valid_for = 92;

}  // namespace

Result<std::string> first_page(const std::string& file) {
    std::string page(Database::page_bytes, '\0');
    std::ifstream in(file, std::ios::binary);
    if (!in.read(page.data(), static_cast<std::streamsize>(page.size())))
        return Error(Errc::io, file + ": cannot be read");
    const auto set = [&](std::size_t at, std::size_t bytes, char last) {
        std::fill_n(page.begin() + static_cast<std::ptrdiff_t>(at), bytes, '\0');
        page[at + bytes - 1] = last;
    };
    // Counters that do not fit: the size of the file counts, not what the page says of it.
    set(change_counter, 4, 1);
    set(valid_for, 4, 2);
    set(free_pages, 8, 0);
    return page;
}

Result<void> copy_under_first_page(const std::string& damaged, const std::string& copy,
                                   const std::string& page) {
    std::error_code failed;
    fs::copy_file(damaged, copy, fs::copy_options::overwrite_existing, failed);
    if (failed) return Error(Errc::io, copy + ": " + failed.message());
    if (fs::exists(damaged + "-wal", failed))
        fs::copy_file(damaged + "-wal", copy + "-wal", fs::copy_options::overwrite_existing,
                      failed);
    if (failed) return Error(Errc::io, copy + "-wal: " + failed.message());
    std::fstream out(copy, std::ios::in | std::ios::out | std::ios::binary);
    out << page;
    if (!out.flush()) return Error(Errc::io, copy + ": cannot be written");
    return {};
}

}  // namespace fieldgate::storage
