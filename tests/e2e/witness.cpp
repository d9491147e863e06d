#include "tests/e2e/witness.h"

#include <array>
#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <memory>

namespace fieldgate::e2e {

using asio::ip::tcp;

class Witness::Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(tcp::socket socket, Witness& witness)
        : socket_(std::move(socket)), witness_(witness) {}

    void read() {
        const auto self = shared_from_this();
        socket_.async_read_some(asio::buffer(request_),
                                [self](std::error_code failed, std::size_t bytes) {
                                    if (!failed && bytes == 12 && !self->witness_.silent_)
                                        self->answer();
                                });
    }

private:
    void put(std::size_t at, std::uint16_t word) {
        reply_.at(at) = static_cast<std::uint8_t>(word >> 8);
        reply_.at(at + 1) = static_cast<std::uint8_t>(word);
    }

    // MBAP and FC 3 (Modbus Messaging on TCP/IP V1.0b, 3.1.3). What is not known counts on from 4.
    void answer() {
        const auto word = [this](std::size_t at) {
            return static_cast<std::uint16_t>(request_.at(at) << 8 | request_.at(at + 1));
        };
        const std::uint16_t first = word(8);
        const std::uint16_t count = word(10);
        const std::uint32_t number = witness_.testify(request_[6]);
        const std::uint32_t scrambled = Witness::scrambled(number);
        const std::array<std::uint16_t, 4> known{
            static_cast<std::uint16_t>(number >> 16), static_cast<std::uint16_t>(number),
            static_cast<std::uint16_t>(scrambled >> 16), static_cast<std::uint16_t>(scrambled)};
        std::copy_n(request_.begin(), 8, reply_.begin());
        put(4, static_cast<std::uint16_t>(3 + 2 * count));
        reply_[8] = static_cast<std::uint8_t>(2 * count);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t address = first + i;
            put(9 + 2 * i, address < 4 ? known.at(address) : static_cast<std::uint16_t>(address));
        }
        const auto self = shared_from_this();
        asio::async_write(socket_, asio::buffer(reply_, 9U + 2U * count),
                          [self](std::error_code failed, std::size_t) {
                              if (!failed) self->read();
                          });
    }

    tcp::socket socket_;
    Witness& witness_;
    std::array<std::uint8_t, 260> request_{};
    std::array<std::uint8_t, 260> reply_{};
};

Witness::Witness()
    : acceptor_(loop_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()) {
    accept();
    thread_ = std::thread([this] { loop_.run(); });
}

Witness::~Witness() {
    loop_.stop();
    thread_.join();
}

std::vector<Witness::Said> Witness::said() const {
    const std::lock_guard lock(mutex_);
    return said_;
}

void Witness::accept() {
    acceptor_.async_accept([this](std::error_code failed, tcp::socket socket) {
        if (!failed) std::make_shared<Connection>(std::move(socket), *this)->read();
        accept();
    });
}

std::uint32_t Witness::testify(std::uint8_t unit) {
    using namespace std::chrono;
    const auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch());
    const std::lock_guard lock(mutex_);
    said_.push_back({unit, ++number_, now.count()});
    return number_;
}

}  // namespace fieldgate::e2e
