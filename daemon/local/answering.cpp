#include "daemon/local/answering.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/event.h"
#include "base/pulse.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

constexpr std::size_t connections_max = 32;
constexpr std::size_t question_bytes_max = 8192;
constexpr auto question_within = 5s;
constexpr auto conversation = 60s;

using Local = asio::local::stream_protocol;

// Waits until somebody wants to be let in, for a turn at most.
template <class Acceptor>
class Doorman {
public:
    Doorman(const asio::any_io_executor& loop, Acceptor& acceptor)
        : acceptor_(acceptor), knocked_(std::make_shared<Knocked>(loop)) {}
    ~Doorman() {
        std::error_code ignored;
        acceptor_.cancel(ignored);
    }
    Doorman(const Doorman&) = delete;
    Doorman& operator=(const Doorman&) = delete;

    asio::awaitable<void> wait() {
        if (!std::exchange(knocked_->asked, true))
            acceptor_.async_wait(Acceptor::wait_read, [knocked = knocked_](std::error_code) {
                knocked->asked = false;
                knocked->event.notify();
            });
        co_await knocked_->event.wait_until(Event::Clock::now() + longest_wait);
    }

private:
    struct Knocked {  // what the acceptor tells may come when we are gone
        explicit Knocked(const asio::any_io_executor& loop) : event(loop) {}
        Event event;
        bool asked = false;
    };

    Acceptor& acceptor_;
    std::shared_ptr<Knocked> knocked_;
};

std::error_code code_of(const std::exception_ptr& thrown) {
    try {
        if (thrown) std::rethrow_exception(thrown);
    } catch (const std::system_error& error) {
        return error.code();
    }
    return {};
}

// Not waited for: a listener whose queue is full is somebody, too.
bool somebody_answers(const std::string& path) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) return false;
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    const auto* address = reinterpret_cast<const sockaddr*>(&name);
    const bool connected = ::connect(socket, address, sizeof name) == 0;
    const bool busy = !connected && (errno == EAGAIN || errno == EINPROGRESS);
    ::close(socket);
    return connected || busy;
}

// What a dead process has left is a socket. Anything else there is somebody's file.
Result<void> make_way(const std::string& path) {
    struct stat there {};
    if (::lstat(path.c_str(), &there) != 0) return {};
    if (!S_ISSOCK(there.st_mode))
        return Error(Errc::io, path + ": a file that is no socket is there; remove it, or name " +
                                   "another place");
    if (somebody_answers(path)) return Error(Errc::busy, path + ": somebody else answers there");
    ::unlink(path.c_str());
    return {};
}

std::optional<uid_t> user_of(Local::socket& socket) {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        return std::nullopt;
    return who.uid;
}

std::optional<uid_t> user_of(asio::ip::tcp::socket&) { return std::nullopt; }

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
    const Result<void> free = make_way(path);
    if (!free) return free;
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

asio::awaitable<void> AnsweringServer::serve(Pulses::Pulse& pulse) {
    if (local_.is_open())
        co_await accept_from(local_, pulse);
    else if (tcp_.is_open())
        co_await accept_from(tcp_, pulse);
}

template <class Acceptor>
asio::awaitable<void> AnsweringServer::accept_from(Acceptor& acceptor, Pulses::Pulse& pulse) {
    asio::steady_timer pause(loop_);
    Doorman<Acceptor> doorman(loop_, acceptor);
    acceptor.non_blocking(true);
    for (;;) {
        pulse.beat();
        co_await doorman.wait();
        typename Acceptor::protocol_type::socket socket(loop_);
        std::error_code failed;
        acceptor.accept(socket, failed);
        if (failed == asio::error::would_block) continue;
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
    asio::steady_timer deadline(loop_);
    const auto hang_up_after = [&](std::chrono::seconds time) {
        deadline.expires_after(time);
        deadline.async_wait([shared](std::error_code cancelled) {
            std::error_code ignored;
            if (!cancelled) shared->close(ignored);
        });
    };
    hang_up_after(question_within);
    std::string question;
    auto into = asio::dynamic_buffer(question, question_bytes_max);
    const auto read = co_await asio::async_read_until(
        *shared, into, end_, asio::experimental::as_tuple(asio::use_awaitable));
    if (!std::get<0>(read)) {
        question.resize(std::get<1>(read) - end_.size());
        hang_up_after(conversation);
        const std::optional<uid_t> user = user_of(*shared);
        const std::string answer = co_await answer_(std::move(question), user);
        const auto bytes = asio::buffer(answer);
        co_await asio::async_write(*shared, bytes,
                                   asio::experimental::as_tuple(asio::use_awaitable));
    }
    deadline.cancel();
}

Result<std::string> ask_local(const std::string& path, const std::string& question,
                              std::chrono::milliseconds patience) {
    asio::io_context loop(1);
    Local::socket socket(loop);
    std::string answer;
    bool connected = false;
    std::error_code failed = asio::error::would_block;
    // Not with SO_RCVTIMEO: Asio waits again after it.
    const auto ask = [&]() -> asio::awaitable<void> {
        co_await socket.async_connect(Local::endpoint(path), asio::use_awaitable);
        connected = true;
        const std::string line = question + "\n";
        co_await asio::async_write(socket, asio::buffer(line), asio::use_awaitable);
        co_await asio::async_read(socket, asio::dynamic_buffer(answer), asio::use_awaitable);
    };
    asio::co_spawn(loop, ask(),
                   [&](const std::exception_ptr& thrown) { failed = code_of(thrown); });
    loop.run_for(patience);
    if (failed == asio::error::eof) return answer;
    if (failed == asio::error::would_block)
        return Error(Errc::timeout,
                     path + ": no answer within " + std::to_string(patience.count()) + " ms");
    if (connected) return Error(Errc::io, path + ": " + failed.message());
    const bool forbidden = failed == asio::error::access_denied;
    return Error(Errc::closed,
                 path + ": " + failed.message() +
                     (forbidden ? " (only root and the user and group of the gateway may use it)"
                                : " (does fieldgate run? --control names another socket)"));
}

}  // namespace fieldgate
