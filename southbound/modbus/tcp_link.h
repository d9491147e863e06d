#pragma once
#include <asio/any_io_executor.hpp>
#include <memory>

#include "southbound/link.h"
#include "southbound/settings.h"

namespace fieldgate::southbound::modbus {

/// Modbus TCP on one connection: MBAP (Modbus Messaging on TCP/IP V1.0b, 3.1) and transaction ids.
///
/// A reply is matched by its transaction id: one that comes too late is dropped and counted, and
/// the connection lives on. It is closed when its framing is in doubt, after three untrue answers
/// or six without any in a row, and when the device closes it; a close while idle is no error, the
/// request is sent once more on a new connection (a write is not: it looks first). It connects at
/// most every 100 ms where that has failed or brought no answer: after a failure requests fail at
/// once meanwhile, after a connection that was closed unanswered the next one waits. Connecting has
/// the transaction's time limit of its own. Runs on the loop; thousands do on one.
class TcpLink final : public Link {
public:
    TcpLink(const asio::any_io_executor& loop, TcpSettings settings);
    ~TcpLink() override;
    TcpLink(const TcpLink&) = delete;
    TcpLink& operator=(const TcpLink&) = delete;

    asio::awaitable<Result<Reply>> transact(const Request& request,
                                            std::chrono::microseconds timeout) override;
    void idle() override;
    bool sent() const override;
    bool up() const override;
    std::uint64_t requests() const override;
    std::uint64_t stale() const override;

private:
    class Connection;
    std::shared_ptr<Connection> connection_;  ///< Shared with the timers that look after it.
};

}  // namespace fieldgate::southbound::modbus
