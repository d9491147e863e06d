#include "daemon/answering.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

constexpr std::size_t connections_max = 32;
constexpr std::size_t question_bytes_max = 8192;
constexpr auto patience = 5s;

using Local = asio::local::stream_protocol;

bool somebody_answers(const std::string& path) {
    asio::io_context loop(1);
    Local::socket socket(loop);
    std::error_code failed;
    socket.connect(Local::endpoint(path), failed);
    return !failed;
}

}  // namespace

AnsweringServer::AnsweringServer(const asio::any_io_executor& loop, std::string end, Answer answer)
    : loop_(loop),
      end_(std::move(end)),
      answer_(std::move(answer)),
      local_(loop),
      tcp_(loop),
      connections_(loop) {}

AnsweringServer::~AnsweringServer() {
    if (local_.is_open()) ::unlink(path_.c_str());
}

Result<void> AnsweringServer::listen_local(const std::string& path) {
    if (path.size() > sizeof(sockaddr_un::sun_path) - 1)
        return Error(Errc::io, path + ": longer than a socket's name can be");
    if (somebody_answers(path)) return Error(Errc::busy, path + ": somebody else answers there");
    ::unlink(path.c_str());
    const mode_t before = ::umask(0117);  // 0660 from its first moment
    std::error_code failed;
    local_.open(Local(), failed);
    if (!failed) local_.bind(Local::endpoint(path), failed);
    if (!failed) local_.listen(Local::acceptor::max_listen_connections, failed);
    ::umask(before);
    if (!failed) {
        path_ = path;
        return Result<void>();
    }
    std::error_code ignored;
    local_.close(ignored);
    return Error(Errc::io, path + ": " + failed.message());
}

Result<void> AnsweringServer::listen_tcp(const std::string& host, std::uint16_t port) {
    std::error_code failed;
    const auto address = asio::ip::make_address(host, failed);
    const asio::ip::tcp::endpoint endpoint(address, port);
    if (!failed) tcp_.open(endpoint.protocol(), failed);
    if (!failed) tcp_.set_option(asio::ip::tcp::acceptor::reuse_address(true), failed);
    if (!failed) tcp_.bind(endpoint, failed);
    if (!failed) tcp_.listen(asio::ip::tcp::acceptor::max_listen_connections, failed);
    if (!failed) return Result<void>();
    std::error_code ignored;
    tcp_.close(ignored);
    return Error(Errc::io, host + ":" + std::to_string(port) + ": " + failed.message());
}

std::uint16_t AnsweringServer::port() const { return tcp_.local_endpoint().port(); }

asio::awaitable<void> AnsweringServer::serve() {
    if (local_.is_open())
        co_await accept_from(local_);
    else if (tcp_.is_open())
        co_await accept_from(tcp_);
}

template <class Acceptor>
asio::awaitable<void> AnsweringServer::accept_from(Acceptor& acceptor) {
    asio::steady_timer pause(loop_);
    for (;;) {
        typename Acceptor::protocol_type::socket socket(loop_);
        const auto accepted = co_await acceptor.async_accept(
            socket, asio::experimental::as_tuple(asio::use_awaitable));
        const std::error_code failed = std::get<0>(accepted);
        if (failed == asio::error::operation_aborted) throw asio::system_error(failed);
        if (failed || connections_.size() >= connections_max) {
            pause.expires_after(
                100ms);  // out of descriptors, or flooded: let go of this one, and breathe
            co_await pause.async_wait(asio::use_awaitable);
            continue;
        }
        connections_.spawn("connection", converse(std::move(socket)));
    }
}

template <class Socket>
asio::awaitable<void> AnsweringServer::converse(Socket socket) {
    const auto shared = std::make_shared<Socket>(std::move(socket));
    asio::steady_timer deadline(loop_, patience);
    deadline.async_wait([shared](std::error_code cancelled) {
        if (!cancelled) shared->close();
    });
    std::string question;
    auto into = asio::dynamic_buffer(question, question_bytes_max);
    const auto read = co_await asio::async_read_until(
        *shared, into, end_, asio::experimental::as_tuple(asio::use_awaitable));
    if (!std::get<0>(read)) {
        question.resize(std::get<1>(read) - end_.size());
        const std::string answer = answer_(question);
        const auto bytes = asio::buffer(answer);
        co_await asio::async_write(*shared, bytes,
                                   asio::experimental::as_tuple(asio::use_awaitable));
    }
    deadline.cancel();
}

Result<std::string> ask_local(const std::string& path, const std::string& question) {
    asio::io_context loop(1);
    Local::socket socket(loop);
    std::error_code failed;
    socket.connect(Local::endpoint(path), failed);
    if (failed)
        return Error(Errc::closed, path + ": " + failed.message() +
                                       " (is fieldgate running? may you read this socket?)");
    const timeval limit{5, 0};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    asio::write(socket, asio::buffer(question + "\n"), failed);
    std::string answer;
    if (!failed) asio::read(socket, asio::dynamic_buffer(answer), failed);
    if (failed == asio::error::eof) return answer;
    if (failed == asio::error::would_block)
        return Error(Errc::timeout, path + ": no answer within 5 s");
    return Error(Errc::io, path + ": " + failed.message());
}

}  // namespace fieldgate
