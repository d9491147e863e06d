// A field that costs little: Modbus TCP servers on one thread, so that the gateway's CPU is what is
// measured.
//   fieldgate-bench-field CONNECTIONS
// Prints the ports on one line; on SIGUSR1 one JSON line about the intervals between the requests
// of each unit since the last.
#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/signal_set.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace {

using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

// When each unit was asked for its first block.
struct Watch {
    std::array<Clock::time_point, 256> last{};
    std::vector<double> intervals_ms;
    void asked(std::uint8_t unit) {
        const auto now = Clock::now();
        if (last[unit] != Clock::time_point())
            intervals_ms.push_back(
                std::chrono::duration<double, std::milli>(now - last[unit]).count());
        last[unit] = now;
    }
};

class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(tcp::socket socket, Watch& watch) : socket_(std::move(socket)), watch_(watch) {
        socket_.set_option(tcp::no_delay(true));
    }
    void read() {
        socket_.async_read_some(asio::buffer(request_),
                                [self = shared_from_this()](auto failed, std::size_t n) {
                                    if (!failed && n >= 12) self->answer();
                                });
    }

private:
    // FC 3 only: registers that count on with every request.
    void answer() {
        const std::size_t count = static_cast<std::size_t>(request_[10] << 8 | request_[11]);
        const std::size_t data = count * 2;
        std::copy_n(request_.begin(), 4, reply_.begin());
        reply_[4] = static_cast<std::uint8_t>((data + 3) >> 8);
        reply_[5] = static_cast<std::uint8_t>(data + 3);
        reply_[6] = request_[6];
        reply_[7] = request_[7];
        reply_[8] = static_cast<std::uint8_t>(data);
        ++counter_;
        for (std::size_t i = 0; i < count; ++i) {
            const auto value = static_cast<std::uint16_t>(counter_ * 7 + i * 131);
            reply_[9 + i * 2] = static_cast<std::uint8_t>(value >> 8);
            reply_[10 + i * 2] = static_cast<std::uint8_t>(value);
        }
        watch_.asked(request_[6]);
        asio::async_write(socket_, asio::buffer(reply_, 9 + data),
                          [self = shared_from_this()](auto failed, std::size_t) {
                              if (!failed) self->read();
                          });
    }

    tcp::socket socket_;
    Watch& watch_;
    std::array<std::uint8_t, 300> request_{};
    std::array<std::uint8_t, 300> reply_{};
    std::uint32_t counter_ = 0;
};

struct Server {
    explicit Server(asio::io_context& loop)
        : acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
    void accept() {
        acceptor.async_accept([this](auto failed, tcp::socket socket) {
            if (!failed) std::make_shared<Connection>(std::move(socket), watch)->read();
            accept();
        });
    }
    tcp::acceptor acceptor;
    Watch watch;
};

void report(std::list<Server>& servers) {
    std::vector<double> all;
    for (Server& server : servers) {
        all.insert(all.end(), server.watch.intervals_ms.begin(), server.watch.intervals_ms.end());
        server.watch.intervals_ms.clear();
    }
    double sum = 0;
    for (const double interval : all) sum += interval;
    const double mean = all.empty() ? 0 : sum / static_cast<double>(all.size());
    for (double& interval : all) interval = std::abs(interval - mean);
    std::sort(all.begin(), all.end());
    const double p99 = all.empty() ? 0 : all[all.size() * 99 / 100];
    const double worst = all.empty() ? 0 : all.back();
    std::printf(
        "{\"requests\":%zu,\"mean_ms\":%.4f,\"p99_off_mean_ms\":%.3f,\"max_off_mean_ms\":%.3f}\n",
        all.size(), mean, p99, worst);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    asio::io_context loop(1);
    std::list<Server> servers;
    const int connections = argc > 1 ? std::atoi(argv[1]) : 10;
    for (int i = 0; i < connections; ++i) servers.emplace_back(loop).accept();
    for (Server& server : servers) std::printf("%u ", server.acceptor.local_endpoint().port());
    std::puts("");
    std::fflush(stdout);

    asio::signal_set signals(loop, SIGUSR1, SIGTERM);
    std::function<void()> listen = [&] {
        signals.async_wait([&](auto failed, int number) {
            if (failed || number == SIGTERM) return loop.stop();
            report(servers);
            listen();
        });
    };
    listen();
    loop.run();
}
