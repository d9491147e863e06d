#include "southbound/serial_port.h"

#include <fcntl.h>
#include <linux/serial.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

namespace fieldgate::southbound {
namespace {

struct Speed {
    std::uint32_t baud;
    speed_t code;
};
constexpr std::array speeds{
    Speed{300, B300},         Speed{600, B600},         Speed{1200, B1200},
    Speed{1800, B1800},       Speed{2400, B2400},       Speed{4800, B4800},
    Speed{9600, B9600},       Speed{19200, B19200},     Speed{38400, B38400},
    Speed{57600, B57600},     Speed{115200, B115200},   Speed{230400, B230400},
    Speed{460800, B460800},   Speed{500000, B500000},   Speed{576000, B576000},
    Speed{921600, B921600},   Speed{1000000, B1000000}, Speed{1152000, B1152000},
    Speed{1500000, B1500000}, Speed{2000000, B2000000}, Speed{2500000, B2500000},
    Speed{3000000, B3000000}, Speed{3500000, B3500000}, Speed{4000000, B4000000}};

std::string text_of(int error) { return std::generic_category().message(error); }

Error error_of(const std::string& path, const std::string& what, int error) {
    const bool gone = error == ENOENT || error == ENODEV || error == ENXIO || error == EIO;
    return {gone ? Errc::closed : Errc::io, path + ": " + what + ": " + text_of(error)};
}

std::string process_text(const std::string& pid) {
    std::ifstream file("/proc/" + pid + "/comm");
    std::string name;
    std::getline(file, name);
    return "pid " + pid + (name.empty() ? "" : " (" + name + ")");
}

// /proc/locks: "3: FLOCK  ADVISORY  WRITE 4711 00:1b:5 0 EOF", the file as major:minor:inode, hex
// but for the inode.
std::string lock_holder(const struct stat& file) {
    std::array<char, 64> wanted{};
    std::snprintf(wanted.data(), wanted.size(), " %02x:%02x:%llu ", major(file.st_dev),
                  minor(file.st_dev), static_cast<unsigned long long>(file.st_ino));
    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
        const std::size_t at = line.find(wanted.data());
        if (at == std::string::npos || line.find("->") != std::string::npos) continue;
        const std::size_t pid = line.rfind(' ', at - 1) + 1;
        return process_text(line.substr(pid, at - pid));
    }
    return "";
}

bool has_open(const std::filesystem::path& process, const struct stat& file) {
    std::error_code failure;
    for (const auto& link : std::filesystem::directory_iterator(process / "fd", failure)) {
        struct stat other {};
        if (::stat(link.path().c_str(), &other) == 0 && other.st_dev == file.st_dev &&
            other.st_ino == file.st_ino)
            return true;
    }
    return false;
}

std::string descriptor_holder(const struct stat& file) {
    const std::string own = std::to_string(::getpid());
    std::error_code failure;
    for (const auto& process : std::filesystem::directory_iterator("/proc", failure)) {
        const std::string pid = process.path().filename();
        if (pid.find_first_not_of("0123456789") != std::string::npos || pid == own) continue;
        if (has_open(process.path(), file)) return process_text(pid);
    }
    return "";
}

Error taken(const std::string& path) {
    const std::string holder = holder_of(path);
    return {Errc::busy, path + " is in use by " + (holder.empty() ? "another process" : holder)};
}

// Closes what it holds, so that every way out of open() does.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number() const { return number_; }

private:
    int number_;
};

std::optional<speed_t> speed_code(std::uint32_t baud) {
    for (const Speed& speed : speeds)
        if (speed.baud == baud) return speed.code;
    return std::nullopt;
}

// A pty has no parity; glibc refuses to ask it for one, but only when nothing else changes.
bool is_pty(int port) {
    struct stat file {};
    constexpr unsigned first_major = 136;  // Documentation/admin-guide/devices.txt: UNIX98 slaves
    constexpr unsigned last_major = 143;
    return ::fstat(port, &file) == 0 && major(file.st_rdev) >= first_major &&
           major(file.st_rdev) <= last_major;
}

Result<tcflag_t> format_flags(const SerialSettings& line) {
    if ((line.data_bits != 7 && line.data_bits != 8) ||
        (line.stop_bits != 1 && line.stop_bits != 2))
        return Error{Errc::unsupported, line.path + ": 7 or 8 data bits and 1 or 2 stop bits"};
    tcflag_t flags = CREAD | CLOCAL;
    flags |= line.data_bits == 7 ? static_cast<tcflag_t>(CS7) : static_cast<tcflag_t>(CS8);
    if (line.stop_bits == 2) flags |= CSTOPB;
    if (line.parity != 'N') flags |= PARENB;
    if (line.parity == 'O') flags |= PARODD;
    return flags;
}

// The kernel counts these delays in whole milliseconds.
__u32 whole_milliseconds(std::chrono::microseconds delay) {
    return static_cast<__u32>(std::chrono::ceil<std::chrono::milliseconds>(delay).count());
}

}  // namespace

bool is_speed(std::int64_t baud) {
    return std::any_of(speeds.begin(), speeds.end(),
                       [&](const Speed& speed) { return speed.baud == baud; });
}

std::string holder_of(const std::string& path) {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0) return "";
    std::string holder = lock_holder(file);
    return holder.empty() ? descriptor_holder(file) : holder;
}

SerialPort::SerialPort(SerialSettings settings) : settings_(std::move(settings)) { reserve(); }

void SerialPort::reserve() {
    if (descriptor_ >= 0) return;
    const int reserved = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (reserved >= 0 && reserved < FD_SETSIZE)
        descriptor_ = reserved;
    else if (reserved >= 0)
        ::close(reserved);
}

SerialPort::~SerialPort() {
    close();
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> SerialPort::open() {
    if (open_) return {};
    const std::string& path = settings_.path;
    reserve();
    if (descriptor_ < 0) return Error{Errc::io, path + ": no descriptor below 1024 was left"};
    const Descriptor port(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (port.number() < 0) {
        if (errno == EBUSY) return taken(path);  // someone's TIOCEXCL
        return error_of(path, "cannot be opened", errno);
    }
    // The lock comes before the settings: the line of another process is not to be disturbed.
    if (::flock(port.number(), LOCK_EX | LOCK_NB) != 0) return taken(path);
    if (Result<void> configured = configure(port.number()); !configured) return configured;
    if (::dup3(port.number(), descriptor_, O_CLOEXEC) < 0)
        return error_of(path, "no descriptor", errno);
    open_ = true;
    return {};
}

Result<void> SerialPort::configure(int port) const {
    const std::optional<speed_t> speed = speed_code(settings_.baud);
    if (!speed)
        return Error{Errc::unsupported,
                     settings_.path + ": no speed of " + std::to_string(settings_.baud) + " baud"};
    const Result<tcflag_t> flags = format_flags(settings_);
    if (!flags) return flags.error();

    termios raw{};  // all else off: no echo, no flow control, no translation
    raw.c_cflag = *flags;
    raw.c_cc[VMIN] = 1;  // so that "nothing there" (EAGAIN) and "hung up" (0) differ
    if (settings_.parity != 'N') raw.c_iflag = INPCK;
    if (is_pty(port)) raw.c_cflag &= ~static_cast<tcflag_t>(PARENB | PARODD);
    if (::cfsetispeed(&raw, *speed) != 0 || ::cfsetospeed(&raw, *speed) != 0 ||
        ::tcsetattr(port, TCSANOW, &raw) != 0)
        return error_of(settings_.path, "cannot be set up", errno);
    if (::ioctl(port, TIOCEXCL) != 0) return error_of(settings_.path, "cannot be locked", errno);
    if (!settings_.rs485) return {};

    serial_rs485 direction{};
    direction.flags = SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND;
    direction.delay_rts_before_send = whole_milliseconds(settings_.rs485->before);
    direction.delay_rts_after_send = whole_milliseconds(settings_.rs485->after);
    if (::ioctl(port, TIOCSRS485, &direction) == 0) return {};
    const int error = errno;
    ::ioctl(port, TIOCNXCL);
    return Error{Errc::unsupported, settings_.path + ": rs485: kernel: " + text_of(error)};
}

void SerialPort::close() {
    if (!open_) return;
    ::ioctl(descriptor_, TIOCNXCL);
    // Put back under the reservation in one step, so that no other thread can take the number.
    const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (nothing.number() < 0 || ::dup3(nothing.number(), descriptor_, O_CLOEXEC) < 0) {
        ::close(descriptor_);
        descriptor_ = -1;
    }
    open_ = false;
}

Result<std::size_t> SerialPort::read(std::span<std::uint8_t> to) {
    for (;;) {
        const ssize_t got = ::read(descriptor_, to.data(), to.size());
        if (got > 0) return static_cast<std::size_t>(got);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::size_t{0};
        return Error{Errc::closed, path() + ": " + (got == 0 ? "hung up" : text_of(errno))};
    }
}

Result<std::size_t> SerialPort::drain() {
    std::array<std::uint8_t, 512> waste{};
    std::size_t drained = 0;
    constexpr std::size_t babble_bytes = 65536;  // then the line is no line
    while (drained < babble_bytes) {
        const Result<std::size_t> got = read(waste);
        if (!got) return got;
        if (*got == 0) break;
        drained += *got;
    }
    return drained;
}

}  // namespace fieldgate::southbound
