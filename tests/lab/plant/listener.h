#pragma once
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>

#include "tests/lab/plant/fault.h"

namespace fieldgate::lab {

/// A Modbus TCP port on 127.0.0.1. Runs on its loop.
class Listener : public std::enable_shared_from_this<Listener> {
public:
    using Answer = std::function<Spoiled(const Bytes& frame)>;

    Listener(const asio::any_io_executor& loop, Answer answer);

    /// `port` 0: any free one. Returns the port.
    std::uint16_t listen(std::uint16_t port);
    /// Refuses from now on, and closes what is open.
    void stop();
    /// Closes what is open, as devices do with idle connections.
    void drop_connections();

    std::uint64_t accepted() const { return accepted_; }
    std::size_t open_connections() const;

private:
    class Connection;
    void accept();

    asio::any_io_executor loop_;
    Answer answer_;
    asio::ip::tcp::acceptor acceptor_;
    std::list<std::weak_ptr<Connection>> connections_;
    std::uint64_t accepted_ = 0;
};

}  // namespace fieldgate::lab
