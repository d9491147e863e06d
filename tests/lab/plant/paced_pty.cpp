#include "tests/lab/plant/paced_pty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <cstdio>

#include "base/expect.h"

namespace fieldgate::lab {
namespace {

using namespace std::chrono_literals;

constexpr auto frame_gap = 20ms;  // half a request older than this is noise

// Length of the request that starts here; 0: not known yet.
std::size_t request_bytes(const Bytes& bytes) {
    if (bytes.size() < 2) return 0;
    const std::uint8_t function = bytes[1];
    if (function == 15 || function == 16) return bytes.size() < 7 ? 0 : 9U + bytes[6];
    if (function == 22) return 10;
    if (function == 23) return bytes.size() < 11 ? 0 : 13U + bytes[10];
    return 8;
}

bool has_good_checksum(const Bytes& frame) {
    const std::size_t size = frame.size();
    const std::uint16_t crc = crc16(std::span(frame).first(size - 2));
    return frame[size - 2] == (crc & 0xffU) && frame[size - 1] == crc >> 8U;
}

}  // namespace

PacedPty::PacedPty(const asio::any_io_executor& loop, std::string link, LineOptions options,
                   Answer answer)
    : loop_(loop),
      link_(std::move(link)),
      options_(options),
      answer_(std::move(answer)),
      master_(loop) {}

PacedPty::~PacedPty() { unplug(); }

std::chrono::nanoseconds PacedPty::time_of(std::size_t bytes) const {
    if (options_.baud == 0) return 0ns;
    return std::chrono::nanoseconds(11'000'000'000LL * static_cast<std::int64_t>(bytes) /
                                    options_.baud);
}

std::chrono::nanoseconds PacedPty::silence() const {
    if (options_.baud == 0) return 0ns;
    return options_.baud <= 19200 ? time_of(7) / 2 : std::chrono::nanoseconds(1'750'000);
}

void PacedPty::plug() {
    if (master_.is_open()) return;
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    expect(master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0, "a pty");
    std::array<char, 64> name{};
    expect(::ptsname_r(master, name.data(), name.size()) == 0, "a pty's name");
    slave_ = ::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    termios raw{};
    expect(slave_ >= 0 && ::tcgetattr(slave_, &raw) == 0, "a pty's other end");
    ::cfmakeraw(&raw);
    ::tcsetattr(slave_, TCSANOW, &raw);
    master_.assign(master);
    ++plugged_;
    received_.clear();
    free_at_ = {};
    std::remove(link_.c_str());
    expect(::symlink(name.data(), link_.c_str()) == 0, "a link to the pty");
    read();
}

void PacedPty::unplug() {
    if (!master_.is_open()) return;
    std::remove(link_.c_str());
    std::error_code ignored;
    master_.close(ignored);
    ::close(slave_);
    ++plugged_;
}

void PacedPty::read() {
    master_.async_read_some(
        asio::buffer(chunk_),
        [weak = weak_from_this(), turn = plugged_](const std::error_code& error, std::size_t got) {
            const auto self = weak.lock();
            if (!self || error || turn != self->plugged_) return;
            const auto now = Clock::now();
            if (!self->received_.empty() && now - self->began_ > frame_gap) self->received_.clear();
            if (self->received_.empty()) self->began_ = now;
            const auto end = self->chunk_.begin() + static_cast<std::ptrdiff_t>(got);
            self->received_.insert(self->received_.end(), self->chunk_.begin(), end);
            self->take_frames();
            self->read();
        });
}

void PacedPty::take_frames() {
    for (;;) {
        const std::size_t bytes = request_bytes(received_);
        if (bytes == 0 || received_.size() < bytes) return;
        const auto end = received_.begin() + static_cast<std::ptrdiff_t>(bytes);
        const Bytes frame(received_.begin(), end);
        received_.erase(received_.begin(), end);
        if (!has_good_checksum(frame)) {
            received_.clear();
            return;
        }
        reply(frame);
    }
}

void PacedPty::reply(const Bytes& frame) {
    ++requests_;
    if (options_.echo) send_at(began_ + time_of(frame.size()), frame);
    if (options_.baud != 0 && began_ < free_at_ + silence()) ++violations_;
    // Made now, however late it is delivered: a late answer holds old values.
    const Spoiled spoiled = answer_(frame);
    const auto ready = began_ + time_of(frame.size()) + silence() + options_.latency;
    const auto start = std::max(ready, free_at_ + 1us);  // timers of one instant have no order
    for (const Chunk& chunk : spoiled.chunks) {
        const auto done = start + chunk.after + time_of(chunk.bytes.size());
        if (!spoiled.overtaken) free_at_ = std::max(free_at_, done);
        send_at(done, chunk.bytes);
    }
}

void PacedPty::send_at(Clock::time_point when, Bytes bytes) {
    auto timer = std::make_shared<asio::steady_timer>(loop_, when);
    timer->async_wait([weak = weak_from_this(), timer, when, turn = plugged_,
                       bytes = std::move(bytes)](const std::error_code& error) {
        const auto self = weak.lock();
        if (!self || error || turn != self->plugged_) return;
        self->late_ += Clock::now() - when;
        std::error_code ignored;
        asio::write(self->master_, asio::buffer(bytes), ignored);
    });
}

}  // namespace fieldgate::lab
