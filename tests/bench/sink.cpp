// A broker that costs little and looks at the clock: acknowledges whatever it is told, and counts
// the records in it by their event_time.
//   fieldgate-bench-sink PORT
// Prints a line when it listens; on SIGUSR1 one JSON line about what has come since the last.
// Records that were read before the gateway was connected, its sub-devices' statuses told, are
// backlog, later ones live.
#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/signal_set.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using asio::ip::tcp;
using Clock = std::chrono::system_clock;

constexpr std::string_view event_time = R"("event_time":")";
constexpr std::size_t time_bytes = 24;

int digits(std::string_view text, std::size_t at, std::size_t count) {
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) value = value * 10 + (text[i] - '0');
    return value;
}

// "2026-01-01T12:00:00.123Z"
Clock::time_point time_of(std::string_view text) {
    using namespace std::chrono;
    const sys_days day = year(digits(text, 0, 4)) /
                         month(static_cast<unsigned>(digits(text, 5, 2))) /
                         std::chrono::day(static_cast<unsigned>(digits(text, 8, 2)));
    return day + hours(digits(text, 11, 2)) + minutes(digits(text, 14, 2)) +
           seconds(digits(text, 17, 2)) + milliseconds(digits(text, 20, 3));
}

double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

// What has come since the last report.
class Records {
public:
    void connected() {
        live_from_ = Clock::now();
        told_ = false;
    }

    void take(std::string_view topic, std::string_view payload) {
        if (topic.ends_with("/events/up")) {
            if (!told_) live_from_ = Clock::now();
            return;
        }
        told_ = true;
        const auto now = Clock::now();
        for (std::size_t at = payload.find(event_time); at != std::string_view::npos;
             at = payload.find(event_time, at)) {
            at += event_time.size();
            if (payload.size() < at + time_bytes) return;
            const Clock::time_point read = time_of(payload.substr(at, time_bytes));
            if (read < live_from_) {
                ++backlog_;
                last_backlog_ = now;
            } else {
                delays_s_.push_back(seconds(now - read));
            }
        }
    }

    void report() {
        std::sort(delays_s_.begin(), delays_s_.end());
        const auto part = [&](std::size_t percent) {
            return delays_s_.empty() ? 0 : delays_s_[(delays_s_.size() - 1) * percent / 100];
        };
        std::printf(
            "{\"backlog\":%zu,\"backlog_s\":%.3f,\"live\":%zu,\"p50_s\":%.3f,"
            "\"p99_s\":%.3f,\"max_s\":%.3f}\n",
            backlog_, backlog_ == 0 ? 0 : seconds(last_backlog_ - live_from_), delays_s_.size(),
            part(50), part(99), part(100));
        std::fflush(stdout);
        backlog_ = 0;
        delays_s_.clear();
    }

private:
    Clock::time_point live_from_;
    bool told_ = false;  // data has come since
    Clock::time_point last_backlog_;
    std::size_t backlog_ = 0;
    std::vector<double> delays_s_;  // live: from reading to receipt
};

// MQTT 3.1.1, as far as one client of ours needs it.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(tcp::socket socket, Records& records)
        : socket_(std::move(socket)), records_(records) {
        socket_.set_option(tcp::no_delay(true));
    }

    void read() {
        if (buffer_.size() < end_ + chunk) buffer_.resize(end_ + chunk);
        socket_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
                                [self = shared_from_this()](auto failed, std::size_t got) {
                                    if (failed) return;
                                    self->end_ += got;
                                    self->take_packets();
                                });
    }

private:
    static constexpr std::size_t chunk = std::size_t{256} * 1024;

    void take_packets() {
        std::size_t at = 0;
        while (const std::size_t bytes = packet_at(at)) at += bytes;
        std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(at),
                  buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
        end_ -= at;
        if (answer_.empty()) return read();
        asio::async_write(socket_, asio::buffer(answer_),
                          [self = shared_from_this()](auto failed, std::size_t) {
                              if (failed) return;
                              self->answer_.clear();
                              self->read();
                          });
    }

    // Its length; 0: not all of it is there.
    std::size_t packet_at(std::size_t at) {
        std::size_t length = 0;
        for (std::size_t i = 1; i <= 4 && at + i < end_; ++i) {
            length |= static_cast<std::size_t>(buffer_[at + i] & 0x7F) << (7 * (i - 1));
            if (buffer_[at + i] & 0x80) continue;
            const std::size_t head = 1 + i;
            if (at + head + length > end_) return 0;
            take(static_cast<std::uint8_t>(buffer_[at]),
                 std::string_view(buffer_.data() + at + head, length));
            return head + length;
        }
        return 0;
    }

    void take(std::uint8_t kind, std::string_view body) {
        switch (kind >> 4) {
            case 1:
                records_.connected();
                answer({0x20, 2, 0, 0});
                break;
            case 3: {
                const std::size_t topic = number_at(body, 0);
                records_.take(body.substr(2, topic), body.substr(topic + 4));
                answer({0x40, 2, body[topic + 2], body[topic + 3]});
                break;
            }
            case 8:
                answer({static_cast<char>(0x90), static_cast<char>(2 + filters(body)), body[0],
                        body[1]});
                answer_.append(filters(body), 1);
                break;
            case 12:
                answer({static_cast<char>(0xD0), 0});
                break;
            default:
                break;
        }
    }

    static std::size_t number_at(std::string_view body, std::size_t at) {
        return static_cast<std::size_t>(static_cast<std::uint8_t>(body[at]) << 8 |
                                        static_cast<std::uint8_t>(body[at + 1]));
    }

    static std::size_t filters(std::string_view body) {
        std::size_t count = 0;
        for (std::size_t at = 2; at + 2 < body.size(); ++count) at += 3 + number_at(body, at);
        return count;
    }

    void answer(std::initializer_list<char> bytes) { answer_.append(bytes); }

    tcp::socket socket_;
    Records& records_;
    std::vector<char> buffer_;
    std::size_t end_ = 0;  // of what has come
    std::string answer_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    asio::io_context loop(1);
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), port));
    Records records;
    std::function<void()> accept = [&] {
        acceptor.async_accept([&](auto failed, tcp::socket socket) {
            if (!failed) std::make_shared<Connection>(std::move(socket), records)->read();
            accept();
        });
    };
    accept();
    std::puts("ready");
    std::fflush(stdout);

    asio::signal_set signals(loop, SIGUSR1, SIGTERM);
    std::function<void()> listen = [&] {
        signals.async_wait([&](auto failed, int number) {
            if (failed || number == SIGTERM) return loop.stop();
            records.report();
            listen();
        });
    };
    listen();
    loop.run();
}
