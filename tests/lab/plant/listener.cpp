#include "tests/lab/plant/listener.h"

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <utility>

namespace fieldgate::lab {

using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

class Listener::Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(tcp::socket socket, std::shared_ptr<Listener> listener)
        : socket_(std::move(socket)), listener_(std::move(listener)) {
        std::error_code ignored;
        socket_.set_option(tcp::no_delay(true), ignored);
    }

    void read() {
        socket_.async_read_some(
            asio::buffer(chunk_),
            [self = shared_from_this()](const std::error_code& error, std::size_t got) {
                if (error) return self->close();
                const auto end = self->chunk_.begin() + static_cast<std::ptrdiff_t>(got);
                self->received_.insert(self->received_.end(), self->chunk_.begin(), end);
                self->take_frames();
                if (self->socket_.is_open()) self->read();
            });
    }

    void close() {
        std::error_code ignored;
        socket_.close(ignored);
    }
    bool open() const { return socket_.is_open(); }

private:
    void take_frames() {
        while (received_.size() >= 8) {
            const std::size_t bytes = 6 + (std::size_t{received_[4]} << 8U | received_[5]);
            if (received_.size() < bytes) return;
            const auto end = received_.begin() + static_cast<std::ptrdiff_t>(bytes);
            const Bytes frame(received_.begin(), end);
            received_.erase(received_.begin(), end);
            reply(listener_->answer_(frame));
        }
    }

    void reply(const Spoiled& spoiled) {
        // Timers of one instant have no order.
        const auto start = std::max(Clock::now(), free_at_ + std::chrono::microseconds(1));
        auto last = start;
        for (const Chunk& chunk : spoiled.chunks) {
            last = start + chunk.after;
            send_at(last, chunk.bytes);
        }
        if (!spoiled.overtaken) free_at_ = last;
        if (spoiled.close) send_at(last, {});
    }

    // No bytes: close.
    void send_at(Clock::time_point when, Bytes bytes) {
        if (when <= Clock::now()) return send(bytes);
        auto timer = std::make_shared<asio::steady_timer>(socket_.get_executor(), when);
        timer->async_wait([self = shared_from_this(), timer,
                           bytes = std::move(bytes)](const std::error_code& error) {
            if (!error) self->send(bytes);
        });
    }

    void send(const Bytes& bytes) {
        if (bytes.empty()) return close();
        std::error_code ignored;
        if (open()) asio::write(socket_, asio::buffer(bytes), ignored);
    }

    tcp::socket socket_;
    std::shared_ptr<Listener> listener_;
    Bytes chunk_ = Bytes(1024);
    Bytes received_;
    Clock::time_point free_at_{};
};

Listener::Listener(const asio::any_io_executor& loop, Answer answer)
    : loop_(loop), answer_(std::move(answer)), acceptor_(loop) {}

std::uint16_t Listener::listen(std::uint16_t port) {
    const tcp::endpoint here(asio::ip::address_v4::loopback(), port);
    acceptor_.open(here.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(here);
    acceptor_.listen();
    accept();
    return acceptor_.local_endpoint().port();
}

void Listener::accept() {
    acceptor_.async_accept(
        [weak = weak_from_this()](const std::error_code& error, tcp::socket socket) {
            const auto self = weak.lock();
            if (!self || error) return;
            ++self->accepted_;
            std::erase_if(self->connections_, [](const auto& entry) {
                const auto connection = entry.lock();
                return !connection || !connection->open();
            });
            const auto connection = std::make_shared<Connection>(std::move(socket), self);
            self->connections_.push_back(connection);
            connection->read();
            self->accept();
        });
}

void Listener::drop_connections() {
    for (const auto& entry : std::exchange(connections_, {}))
        if (const auto connection = entry.lock()) connection->close();
}

std::size_t Listener::open_connections() const {
    return static_cast<std::size_t>(
        std::count_if(connections_.begin(), connections_.end(), [](const auto& entry) {
            const auto connection = entry.lock();
            return connection && connection->open();
        }));
}

void Listener::stop() {
    std::error_code ignored;
    acceptor_.close(ignored);
    drop_connections();
}

}  // namespace fieldgate::lab
