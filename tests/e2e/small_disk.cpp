#include "tests/e2e/small_disk.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <string>

namespace fieldgate::e2e {

SmallDisk::SmallDisk(std::filesystem::path at, std::uint64_t bytes) : at_(std::move(at)) {
    const auto done = [](const std::vector<std::string>& words) {
        return lab::run(words).code == 0;
    };
    std::filesystem::create_directories(at_);
    const std::string image = (image_ / "image").string();
    lab::write_file(image, "");
    std::filesystem::resize_file(image, bytes);
    // No reserve: the gateway of a test may be root, and full is to mean full.
    if (done({"mkfs.ext4", "-q", "-F", "-m", "0", image}) &&
        done({"mount", "-o", "loop", image, at_.string()})) {
        kind_ = "ext4";
    } else if (done({"mount", "-t", "tmpfs", "-o", "size=" + std::to_string(bytes), "none",
                     at_.string()})) {
        kind_ = "tmpfs";
    }
}

SmallDisk::~SmallDisk() {
    if (mounted()) ::umount2(at_.c_str(), MNT_DETACH);
}

std::uint64_t SmallDisk::fill() {
    const int file =
        ::open((at_ / "filler").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) return 0;
    std::uint64_t taken = 0;
    std::string block(1UL << 20, 'x');
    while (!block.empty()) {
        const ssize_t written = ::write(file, block.data(), block.size());
        if (written > 0)
            taken += static_cast<std::uint64_t>(written);
        else
            block.resize(block.size() / 2);
    }
    ::fsync(file);
    ::close(file);
    return taken;
}

void SmallDisk::free() { std::filesystem::remove(at_ / "filler"); }

}  // namespace fieldgate::e2e
