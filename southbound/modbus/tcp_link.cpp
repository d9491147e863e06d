// Why so long: one connection is one state; cut in two, each half would need all of the other.
#include "southbound/modbus/tcp_link.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <asio/experimental/as_tuple.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <optional>
#include <tuple>
#include <utility>

#include "base/event.h"
#include "southbound/modbus/pdu.h"

namespace fieldgate::southbound::modbus {
namespace {

using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
constexpr std::size_t header_bytes = 7;  // MBAP with the unit
constexpr auto connect_pause = 100ms;
constexpr int strikes_out = 6;  // in a row; an untrue answer counts twice
constexpr auto as_tuple = asio::experimental::as_tuple(asio::use_awaitable);

std::size_t word(const std::uint8_t* bytes) {
    return static_cast<std::size_t>(bytes[0]) << 8U | bytes[1];
}

std::uint8_t high(std::size_t number) { return static_cast<std::uint8_t>(number >> 8U & 0xffU); }
std::uint8_t low(std::size_t number) { return static_cast<std::uint8_t>(number & 0xffU); }

asio::awaitable<void> throw_if_cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        throw asio::system_error(asio::error::operation_aborted);
}

}  // namespace

class TcpLink::Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(const asio::any_io_executor& loop, TcpSettings settings)
        : settings_(std::move(settings)),
          socket_(loop),
          watch_(loop),
          resolver_(loop),
          resolved_(loop) {}

    asio::awaitable<Result<Reply>> transact(const Request& request,
                                            std::chrono::microseconds timeout);
    void close();
    void close_if_hung_up();

    bool open() const { return socket_.is_open(); }
    bool persistent() const { return settings_.persistent; }
    bool sent() const { return sent_; }
    bool closed_unanswered() const { return closed_unanswered_; }
    std::uint64_t requests() const { return requests_; }
    std::uint64_t stale() const { return stale_; }

private:
    asio::awaitable<Result<void>> connect(std::chrono::microseconds timeout);
    asio::awaitable<Result<tcp::endpoint>> resolve(Clock::time_point deadline);
    asio::awaitable<Result<Reply>> receive(const Request& request, Clock::time_point sent);
    Result<void> send(const Request& request);
    std::optional<Result<Pdu>> next_answer(const Request& request);
    bool late_answer_follows() const;
    Result<Pdu> judge(const Request& request, std::size_t protocol, std::uint8_t unit, Pdu pdu);
    void set_options();
    void watch(Clock::time_point deadline);
    void look_after(Clock::time_point at);
    void strike(int weight);
    Error failed(Errc code, const std::string& what) const;
    Error failed_connect(const std::string& what);

    TcpSettings settings_;
    tcp::socket socket_;

    // One timer that no transaction re-arms: when it fires it looks at the deadline and sleeps on.
    asio::steady_timer watch_;
    Clock::time_point watch_fires_ = Clock::time_point::max();
    Clock::time_point deadline_ = Clock::time_point::max();  // of what is being waited for
    bool expired_ = false;

    tcp::resolver resolver_;
    Event resolved_;
    bool resolving_ = false;
    std::error_code resolve_error_;
    std::vector<tcp::endpoint> addresses_;
    std::size_t next_address_ = 0;
    Clock::time_point next_connect_{};
    std::string connect_failure_;

    std::uint16_t transaction_ = 0;
    std::array<std::uint8_t, 1024> received_{};  // more than a frame, so that one read gets it
    std::size_t filled_ = 0;
    bool fresh_ = false;              // no answer yet on this connection
    bool sent_ = false;               // a byte of the last request may have left
    bool closed_unanswered_ = false;  // why the last transaction failed
    std::uint32_t unanswered_ = 0;    // requests of this connection whose answers may still come
    int strikes_ = 0;
    std::uint64_t requests_ = 0;
    std::uint64_t stale_ = 0;
};

Error TcpLink::Connection::failed(Errc code, const std::string& what) const {
    return {code, place_of(settings_) + ": " + what};
}

Error TcpLink::Connection::failed_connect(const std::string& what) {
    close();
    next_connect_ = Clock::now() + connect_pause;
    connect_failure_ = what;
    return failed(Errc::closed, what);
}

void TcpLink::Connection::close() {
    std::error_code ignored;
    socket_.close(ignored);
    filled_ = 0;
    unanswered_ = 0;
    strikes_ = 0;
}

// What the device has closed while idle is closed here too. Late replies stay for receive().
void TcpLink::Connection::close_if_hung_up() {
    if (!open()) return;
    std::uint8_t byte = 0;
    std::error_code error;
    socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
    if (error && error != asio::error::would_block && error != asio::error::try_again) close();
}

void TcpLink::Connection::watch(Clock::time_point deadline) {
    deadline_ = deadline;
    expired_ = false;
    if (watch_fires_ > deadline) look_after(deadline);
}

void TcpLink::Connection::look_after(Clock::time_point at) {
    watch_fires_ = at;
    watch_.expires_at(at);
    watch_.async_wait([weak = weak_from_this()](const std::error_code& error) {
        const auto self = weak.lock();
        if (error || !self) return;
        self->watch_fires_ = Clock::time_point::max();
        if (self->deadline_ == Clock::time_point::max()) return;
        if (Clock::now() < self->deadline_) return self->look_after(self->deadline_);
        self->expired_ = true;
        std::error_code ignored;
        self->socket_.cancel(ignored);
    });
}

asio::awaitable<Result<tcp::endpoint>> TcpLink::Connection::resolve(Clock::time_point deadline) {
    std::error_code not_numeric;
    const auto address = asio::ip::make_address(settings_.host, not_numeric);
    if (!not_numeric) co_return tcp::endpoint(address, settings_.port);

    // The lookup runs on Asio's own thread and cannot be interrupted: who waits may give up, and
    // takes the answer next time.
    if (!resolving_ && next_address_ >= addresses_.size()) {
        resolving_ = true;
        auto on_resolved = [weak = weak_from_this()](const std::error_code& error,
                                                     const tcp::resolver::results_type& found) {
            const auto self = weak.lock();
            if (!self) return;
            self->resolving_ = false;
            self->resolve_error_ = error;
            self->addresses_.clear();
            for (const auto& entry : found) self->addresses_.push_back(entry.endpoint());
            self->next_address_ = 0;
            self->resolved_.notify();
        };
        resolver_.async_resolve(settings_.host, std::to_string(settings_.port), on_resolved);
    }
    while (resolving_) {
        const bool notified = co_await resolved_.wait_until(deadline);
        if (!notified && resolving_) co_return failed(Errc::closed, "name not resolved in time");
    }
    if (next_address_ >= addresses_.size())
        co_return failed(Errc::closed, "name not resolved: " + resolve_error_.message());
    co_return addresses_[next_address_++];
}

asio::awaitable<Result<void>> TcpLink::Connection::connect(std::chrono::microseconds timeout) {
    if (Clock::now() < next_connect_) {
        if (!connect_failure_.empty()) co_return failed(Errc::closed, connect_failure_);
        asio::steady_timer pause(socket_.get_executor(), next_connect_);
        co_await pause.async_wait(asio::use_awaitable);
    }
    const auto deadline = Clock::now() + timeout;
    const Result<tcp::endpoint> endpoint = co_await resolve(deadline);
    if (!endpoint) {
        next_connect_ = Clock::now() + connect_pause;
        connect_failure_ = "name not resolved";
        co_return endpoint.error();
    }
    std::error_code error;
    socket_.open(endpoint->protocol(), error);
    if (error) co_return failed_connect("no socket: " + error.message());
    watch(deadline);
    const auto connected = co_await socket_.async_connect(*endpoint, as_tuple);
    const std::error_code refusal = std::get<0>(connected);
    deadline_ = Clock::time_point::max();
    if (refusal == asio::error::operation_aborted && !expired_) close();
    co_await throw_if_cancelled();
    if (expired_) co_return failed_connect("connect: no answer");
    if (refusal) co_return failed_connect("connect: " + refusal.message());
    set_options();
    addresses_.clear();
    next_address_ = 0;
    fresh_ = true;
    co_return Result<void>();
}

// A peer that has vanished is noticed within 10 s when there is something to send, within a minute
// when there is not.
void TcpLink::Connection::set_options() {
    std::error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    const auto set_tcp = [this](int name, int value) {
        ::setsockopt(socket_.native_handle(), IPPROTO_TCP, name, &value, sizeof value);
    };
    set_tcp(TCP_KEEPIDLE, 30);
    set_tcp(TCP_KEEPINTVL, 10);
    set_tcp(TCP_KEEPCNT, 3);
    set_tcp(TCP_USER_TIMEOUT, 10'000);
}

// A request is a few bytes: if the socket does not take them at once, nobody has read for long.
Result<void> TcpLink::Connection::send(const Request& request) {
    expect(!request.pdu.empty() && request.pdu.size() <= pdu_bytes_max, "a PDU of 1 to 253 bytes");
    ++transaction_;
    const std::size_t length = request.pdu.size() + 1;
    std::array<std::uint8_t, header_bytes + pdu_bytes_max> frame{
        high(transaction_), low(transaction_), 0, 0, high(length), low(length), request.unit};
    std::copy(request.pdu.begin(), request.pdu.end(), frame.begin() + header_bytes);

    std::error_code error;
    const std::size_t bytes = header_bytes + request.pdu.size();
    const std::size_t sent = socket_.write_some(asio::buffer(frame.data(), bytes), error);
    sent_ = sent > 0;
    if (sent_) ++requests_;
    if (!error && sent == bytes) return {};
    close();
    closed_unanswered_ = true;
    return failed(Errc::closed, error ? error.message() : "the device does not read");
}

void TcpLink::Connection::strike(int weight) {
    strikes_ += weight;
    if (strikes_ >= strikes_out) close();
}

Result<Pdu> TcpLink::Connection::judge(const Request& request, std::size_t protocol,
                                       std::uint8_t unit, Pdu pdu) {
    if (protocol != 0) {
        strike(2);
        return failed(Errc::bad_data, "protocol id " + std::to_string(protocol));
    }
    const Result<void> checked = check_reply(request, unit, pdu);
    if (!checked && checked.error().code != Errc::refused) {
        // A wrong length puts all that follows in doubt.
        if (pdu.size() != request.reply_bytes)
            close();
        else
            strike(2);
        return checked.error();
    }
    strikes_ = 0;
    fresh_ = false;
    if (!checked) return checked.error();
    return pdu;
}

bool TcpLink::Connection::late_answer_follows() const {
    return unanswered_ > 0 && filled_ >= header_bytes && word(received_.data()) != transaction_ &&
           word(&received_[2]) == 0 && word(&received_[4]) <= pdu_bytes_max + 1;
}

// Takes frames out of what was received until one answers this transaction.
std::optional<Result<Pdu>> TcpLink::Connection::next_answer(const Request& request) {
    while (filled_ >= header_bytes) {
        const std::size_t transaction = word(received_.data());
        const std::size_t protocol = word(&received_[2]);
        const std::size_t length = word(&received_[4]);
        if (length < 2 || length > pdu_bytes_max + 1) {
            close();
            return Result<Pdu>(failed(Errc::bad_data, "a frame of " + std::to_string(length)));
        }
        const std::size_t bytes = header_bytes - 1 + length;
        if (filled_ < bytes) break;
        const std::uint8_t unit = received_[6];
        const auto* begin = received_.data();
        const bool ours = transaction == transaction_;
        Pdu pdu;
        if (ours) pdu.assign(begin + header_bytes, begin + bytes);
        std::copy(begin + bytes, begin + filled_, received_.begin());
        filled_ -= bytes;
        if (ours && filled_ > 0 && !late_answer_follows()) {
            // Bytes have come in between, and maybe not at the end.
            close();
            return Result<Pdu>(failed(Errc::bad_data, "more than an answer"));
        }
        if (ours) return judge(request, protocol, unit, std::move(pdu));

        ++stale_;
        if (unanswered_ > 0)
            --unanswered_;
        else
            strike(2);  // nothing we have asked on this connection
        if (!open()) return Result<Pdu>(failed(Errc::bad_data, "answers to nothing"));
    }
    return std::nullopt;
}

asio::awaitable<Result<Reply>> TcpLink::Connection::receive(const Request& request,
                                                            Clock::time_point sent) {
    bool nothing_yet = filled_ == 0;
    for (;;) {
        const auto rest = asio::buffer(received_.data() + filled_, received_.size() - filled_);
        const auto read = co_await socket_.async_read_some(rest, as_tuple);
        const std::error_code error = std::get<0>(read);
        const std::size_t got = std::get<1>(read);
        const auto now = Clock::now();
        if (error == asio::error::operation_aborted && !expired_) {
            close();  // whoever cancels leaves an answer behind
            co_await throw_if_cancelled();
        }
        filled_ += got;
        if (got > 0) {
            nothing_yet = false;
            std::optional<Result<Pdu>> answer = next_answer(request);
            if (answer && !*answer) co_return answer->error();
            if (answer) {
                const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - sent);
                Reply reply{std::move(**answer), now, took};
                co_return reply;
            }
        }
        if (expired_) {
            ++unanswered_;
            const bool half_a_frame = filled_ > 0;
            strike(half_a_frame ? strikes_out : 1);
            co_return failed(Errc::timeout, half_a_frame ? "half an answer" : "no answer");
        }
        if (error) {
            closed_unanswered_ = nothing_yet;
            close();
            if (!fresh_) co_return failed(Errc::closed, error.message());
            // Maybe of this one request: the next one waits, but it is sent.
            next_connect_ = now + connect_pause;
            connect_failure_.clear();
            co_return failed(Errc::closed, "closed before any answer: " + error.message());
        }
    }
}

asio::awaitable<Result<Reply>> TcpLink::Connection::transact(const Request& request,
                                                             std::chrono::microseconds timeout) {
    sent_ = false;
    closed_unanswered_ = false;
    if (!open()) {
        const Result<void> connected = co_await connect(timeout);
        if (!connected) co_return connected.error();
    }
    const auto sent = Clock::now();
    if (sent >= request.not_after)
        co_return failed(Errc::timeout, "the connection was not there in time");
    if (const Result<void> written = send(request); !written) co_return written.error();
    watch(sent + timeout);
    Result<Reply> reply = co_await receive(request, sent);
    deadline_ = Clock::time_point::max();
    co_return reply;
}

TcpLink::TcpLink(const asio::any_io_executor& loop, TcpSettings settings)
    : connection_(std::make_shared<Connection>(loop, std::move(settings))) {}

TcpLink::~TcpLink() = default;

asio::awaitable<Result<Reply>> TcpLink::transact(const Request& request,
                                                 std::chrono::microseconds timeout) {
    const bool writes = is_write(request);
    if (writes) connection_->close_if_hung_up();
    const bool used_before = connection_->open();
    Result<Reply> reply = co_await connection_->transact(request, timeout);
    const bool again = !reply && used_before && !writes && connection_->closed_unanswered();
    if (again) reply = co_await connection_->transact(request, timeout);
    co_return reply;
}

void TcpLink::idle() {
    if (!connection_->persistent()) connection_->close();
}

bool TcpLink::sent() const { return connection_->sent(); }
bool TcpLink::up() const { return connection_->open(); }
std::uint64_t TcpLink::requests() const { return connection_->requests(); }
std::uint64_t TcpLink::stale() const { return connection_->stale(); }

}  // namespace fieldgate::southbound::modbus
