#include "storage/ballast.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fieldgate::storage {

bool Ballast::take_on() {
    if (bytes_ == 0 || bytes_on_disk() >= bytes_) return true;
    const int descriptor = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (descriptor < 0) return false;
    const bool taken = ::posix_fallocate(descriptor, 0, static_cast<off_t>(bytes_)) == 0;
    ::close(descriptor);
    if (!taken) ::unlink(file_.c_str());
    return taken;
}

bool Ballast::drop() { return ::unlink(file_.c_str()) == 0; }

std::uint64_t Ballast::bytes_on_disk() const {
    struct stat status {};
    if (::stat(file_.c_str(), &status) != 0) return 0;
    return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace fieldgate::storage
