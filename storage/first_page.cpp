#include "storage/first_page.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "storage/database.h"
#include "storage/whole_file.h"

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

Result<std::string> read_page(const std::string& file) {
    std::string page(Database::page_bytes, '\0');
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return Error(Errc::io, file + ": " + std::strerror(errno));
    const ssize_t bytes = ::pread(descriptor, page.data(), page.size(), 0);
    ::close(descriptor);
    if (bytes != static_cast<ssize_t>(page.size()))
        return Error(Errc::io, file + ": cannot be read");
    return page;
}

// Counters that do not fit: the size of the file counts, not what the page says of it.
void forget_counters(std::string& page) {
    const auto set = [&](std::size_t at, std::size_t bytes, char last) {
        std::fill_n(page.begin() + static_cast<std::ptrdiff_t>(at), bytes, '\0');
        page[at + bytes - 1] = last;
    };
    set(change_counter, 8, 1);  // and how many pages there are
    set(valid_for, 4, 2);
    set(free_pages, 8, 0);
}

}  // namespace

Result<std::string> first_page(const std::string& file) {
    Result<std::string> page = read_page(file);
    if (page) forget_counters(*page);
    return page;
}

Result<void> keep_first_page(const std::string& file, const std::string& copy) {
    const Result<std::string> page = first_page(file);
    if (!page) return page.error();
    const Result<std::string> kept = read_page(copy);
    if (kept && *kept == *page) return {};
    return write_whole_file(copy, *page);
}

bool has_another_first_page(const std::string& damaged, const std::string& copy) {
    const Result<std::string> kept = read_page(copy);
    if (!kept) return false;
    const Result<std::string> page = first_page(damaged);
    return !page || *page != *kept;
}

Result<void> lend_first_page(const std::string& damaged, const std::string& from) {
    const Result<std::string> page = first_page(from);
    if (!page) return page.error();
    const int descriptor = ::open(damaged.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return Error(Errc::io, damaged + ": " + std::strerror(errno));
    std::string own(Database::page_bytes, '\0');
    const ssize_t bytes = ::pread(descriptor, own.data(), own.size(), 0);
    // No room for it: the rows behind it are worth more.
    if (bytes > 0)
        (void)write_whole_file(damaged + "-page-1",
                               std::string_view(own).substr(0, static_cast<std::size_t>(bytes)));
    const bool lent =
        ::pwrite(descriptor, page->data(), page->size(), 0) == static_cast<ssize_t>(page->size()) &&
        ::fsync(descriptor) == 0;
    const int why = errno;
    ::close(descriptor);
    if (!lent) return Error(Errc::io, damaged + ": " + std::strerror(why));
    return {};
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
