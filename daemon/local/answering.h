#pragma once
#include <sys/types.h>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/pulse.h"
#include "base/result.h"
#include "base/task_group.h"

namespace fieldgate {

/// A server of one question and one answer a connection: the control socket and /metrics. At most
/// 32 connections at a time, 8 KB a question, 5 s for the question and 60 s in all; who exceeds it
/// is hung up on. Runs on the loop.
class AnsweringServer {
public:
    /// `user`: who asks, where that is known (a local socket); else nobody.
    using Answer = std::function<asio::awaitable<std::string>(std::string question,
                                                              std::optional<uid_t> user)>;

    /// `end`: what the question ends with ("\n", "\r\n\r\n").
    AnsweringServer(const asio::any_io_executor& loop, std::string end, Answer answer);
    ~AnsweringServer();

    /// A Unix socket, mode 0660. A file left over by a dead process is replaced.
    /// Errors: busy (somebody answers there), io.
    Result<void> listen_local(const std::string& path);
    /// Errors: io.
    Result<void> listen_tcp(const std::string& host, std::uint16_t port);
    std::uint16_t port() const;  ///< After listen_tcp(); the one given, or the one found for 0.

    bool listening() const { return local_.is_open() || tcp_.is_open(); }
    /// Accepts until cancelled, and beats at least every 10 s.
    asio::awaitable<void> serve(Pulses::Pulse& pulse);
    /// Ends the connections that are open.
    asio::awaitable<bool> stop() { return connections_.stop(); }

private:
    template <class Socket>
    asio::awaitable<void> converse(Socket socket);
    template <class Acceptor>
    asio::awaitable<void> accept_from(Acceptor& acceptor, Pulses::Pulse& pulse);

    asio::any_io_executor loop_;
    std::string end_;
    Answer answer_;
    std::string path_;
    asio::local::stream_protocol::acceptor local_;
    asio::ip::tcp::acceptor tcp_;
    TaskGroup connections_;
};

/// Asks the local socket at `path` one question. Blocks, for `patience` at most. Errors: closed
/// (nobody is there), timeout, io.
Result<std::string> ask_local(const std::string& path, const std::string& question,
                              std::chrono::milliseconds patience = std::chrono::seconds(5));

}  // namespace fieldgate
