#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace fieldgate::fakes {

/// A slow line on the way to a TCP server: what connects here is carried on to a port of 127.0.0.1,
/// each direction at so many bytes a second and no faster, behind a buffer of its own, as a modem
/// has it. So what was written early delays what is written later. On a thread of its own.
class PacedRelay {
public:
    struct Settings {
        double bytes_per_second = 8000;
        std::chrono::milliseconds latency{50};  ///< one way
        std::size_t buffer_bytes = 64 * 1024;   ///< each way, beside those of the kernel
    };

    PacedRelay(std::uint16_t to, Settings settings);
    ~PacedRelay();
    PacedRelay(const PacedRelay&) = delete;
    PacedRelay& operator=(const PacedRelay&) = delete;

    std::uint16_t port() const;
    /// From now on; what is in the buffer, too. Any thread.
    void set_pace(double bytes_per_second);

private:
    struct State;
    class Line;
    std::unique_ptr<State> state_;
};

}  // namespace fieldgate::fakes
