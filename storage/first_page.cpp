#include "storage/first_page.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
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

// A page on a bad sector is zeros in the copy: it is not why there should be none.
Result<void> copy_what_is_readable(const std::string& from, const std::string& to) {
    const int descriptor = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return Error(Errc::io, from + ": " + std::strerror(errno));
    std::error_code failed;
    const std::uintmax_t bytes = fs::file_size(from, failed);
    std::ofstream out(to, std::ios::binary | std::ios::trunc);
    std::string page;
    for (std::uintmax_t at = 0; !failed && out && at < bytes; at += page.size()) {
        page.assign(std::min<std::uintmax_t>(Database::page_bytes, bytes - at), '\0');
        static_cast<void>(::pread(descriptor, page.data(), page.size(), static_cast<off_t>(at)));
        out << page;
    }
    ::close(descriptor);
    if (failed || !out.flush()) return Error(Errc::io, to + ": cannot be written");
    return {};
}

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
    Result<void> copied = copy_what_is_readable(damaged, copy);
    std::error_code ignored;
    if (copied && fs::exists(damaged + "-wal", ignored))
        copied = copy_what_is_readable(damaged + "-wal", copy + "-wal");
    if (!copied) return copied;
    std::fstream out(copy, std::ios::in | std::ios::out | std::ios::binary);
    out << page;
    if (!out.flush()) return Error(Errc::io, copy + ": cannot be written");
    return {};
}

}  // namespace fieldgate::storage
