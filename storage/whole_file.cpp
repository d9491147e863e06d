#include "storage/whole_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "storage/row.h"

namespace fieldgate::storage {
namespace {

Error failed(const std::string& what) { return {Errc::io, what + ": " + std::strerror(errno)}; }

// Whatever of it fails, the descriptor is closed, and errno says why.
bool write_and_sync(int descriptor, std::string_view bytes) {
    bool done = true;
    while (done && !bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        done = written > 0 || (written < 0 && errno == EINTR);
        if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
        if (written == 0) errno = EIO;
    }
    done = done && ::fsync(descriptor) == 0;
    const int why = errno;
    done = ::close(descriptor) == 0 && done;
    errno = why;
    return done;
}

}  // namespace

Result<void> write_whole_file(const std::string& file, std::string_view bytes) {
    const std::string part = file + ".part";
    const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (descriptor < 0) return failed(part);
    if (!write_and_sync(descriptor, bytes) || ::rename(part.c_str(), file.c_str()) != 0) {
        Error why = failed(part);
        ::unlink(part.c_str());
        return why;
    }
    return sync_folder(std::filesystem::path(file).parent_path().string());
}

Result<void> sync_folder(const std::string& folder) {
    const char* path = folder.empty() ? "." : folder.c_str();
    const int descriptor = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return failed(folder);
    if (!write_and_sync(descriptor, {})) return failed(folder);
    return {};
}

void keep_checked_line(const std::string& file, const char* kind, const std::string& line) {
    std::error_code ignored;
    if (line.empty())
        std::filesystem::remove(file, ignored);
    else
        (void)write_whole_file(file,
                               line + '\n' + std::to_string(name_checksum(kind, line)) + '\n');
}

std::string read_checked_line(const std::string& file, const char* kind) {
    std::ifstream in(file);
    std::string line;
    std::string sum;
    if (!std::getline(in, line) || !std::getline(in, sum)) return {};
    return sum == std::to_string(name_checksum(kind, line)) ? line : std::string();
}

}  // namespace fieldgate::storage
