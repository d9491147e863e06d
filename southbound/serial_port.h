#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "southbound/settings.h"

namespace fieldgate::southbound {

/// True for the speeds, in baud, that termios has a name for.
bool is_speed(std::int64_t baud);

/// A serial port that is ours alone: raw, at its speed, locked with flock and TIOCEXCL.
///
/// Lives on a descriptor below 1024 that is reserved when the object is made and kept for its life
/// (if there was none to be had, it is tried again by open()),
/// because libmodbus puts it into an fd_set, and glibc aborts the process on a higher one. None of
/// the calls blocks for long; one thread at a time.
class SerialPort {
public:
    explicit SerialPort(SerialSettings settings);
    ~SerialPort();
    SerialPort(const SerialPort&) = delete;
    SerialPort& operator=(const SerialPort&) = delete;

    /// Opens by path. Errors: busy (another process has it; the text names it), closed (no such
    /// device now), unsupported (speed, format, or rs485 that this port cannot do), io (no
    /// descriptor to be had, permission).
    Result<void> open();
    void close();
    bool is_open() const { return open_; }
    /// Valid while open.
    int descriptor() const { return descriptor_; }
    const std::string& path() const { return settings_.path; }

    /// What has arrived; how many bytes, 0 if nothing. Errors: closed.
    Result<std::size_t> read(std::span<std::uint8_t> to);
    /// Throws away what has arrived; returns how many bytes. Errors: closed.
    Result<std::size_t> drain();

private:
    void reserve();
    Result<void> configure(int port) const;

    SerialSettings settings_;
    int descriptor_ = -1;  ///< Reserved: /dev/null while closed.
    bool open_ = false;
};

/// Which process holds the file open at `path`: "pid 123 (minicom)"; by its lock, else by its open
/// descriptor. Empty if it cannot be told.
std::string holder_of(const std::string& path);

}  // namespace fieldgate::southbound
