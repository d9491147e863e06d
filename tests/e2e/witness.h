#pragma once
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace fieldgate::e2e {

/// A Modbus TCP device that remembers what it has said: holding:0..1 is a number that grows with
/// every answer (u32, high word first), holding:2..3 the same number scrambled, so that a mixed-up
/// answer shows. Serves any unit on any number of connections, on a thread of its own, port 0.
class Witness {
public:
    struct Said {
        std::uint8_t unit = 0;
        std::uint32_t number = 0;
        std::int64_t at_ms = 0;  ///< UTC, just before the answer was written.
    };

    Witness();
    ~Witness();
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;

    std::uint16_t port() const { return port_; }
    std::vector<Said> said() const;
    /// Hangs up instead of answering, from now on.
    void fall_silent() { silent_ = true; }

    static std::uint32_t scrambled(std::uint32_t number) { return number * 2654435761U; }

private:
    class Connection;
    void accept();
    std::uint32_t testify(std::uint8_t unit);

    asio::io_context loop_{1};
    asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_;
    mutable std::mutex mutex_;  ///< Guards said_.
    std::vector<Said> said_;
    std::uint32_t number_ = 0;
    std::atomic<bool> silent_ = false;
    std::thread thread_;
};

}  // namespace fieldgate::e2e
