#include "tests/fakes/paced_relay.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <deque>
#include <list>
#include <string>
#include <thread>

namespace fieldgate::fakes {
namespace {

using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr int kernel_buffer_bytes = 4096;
// Loopback's segments of 64 KB do not go together with buffers that are smaller.
using MaxSegment = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_MAXSEG>;
constexpr int segment_bytes = 1000;
constexpr double turns_per_second = 50;

}  // namespace

struct PacedRelay::State {
    State(std::uint16_t server, Settings how) : acceptor(io), to(server), settings(how) {
        const tcp::endpoint here(asio::ip::address_v4::loopback(), 0);
        acceptor.open(here.protocol());
        acceptor.set_option(asio::socket_base::receive_buffer_size(kernel_buffer_bytes));
        acceptor.set_option(MaxSegment(segment_bytes));
        acceptor.bind(here);
        acceptor.listen();
    }
    void accept();

    asio::io_context io;
    tcp::acceptor acceptor;
    std::uint16_t to;
    Settings settings;
    std::thread thread;
};

class PacedRelay::Line : public std::enable_shared_from_this<Line> {
public:
    Line(State& state, tcp::socket client)
        : state_(state),
          client_(std::move(client)),
          server_(state.io),
          up_(state.io),
          down_(state.io) {}

    void open() {
        server_.open(tcp::v4());
        server_.set_option(asio::socket_base::send_buffer_size(kernel_buffer_bytes));
        server_.async_connect({asio::ip::address_v4::loopback(), state_.to},
                              [self = shared_from_this()](std::error_code ec) {
                                  if (ec) return self->close();
                                  std::error_code ignored;
                                  self->server_.set_option(tcp::no_delay(true), ignored);
                                  self->client_.set_option(tcp::no_delay(true), ignored);
                                  self->read(self->client_, self->server_, self->up_);
                                  self->read(self->server_, self->client_, self->down_);
                              });
    }

private:
    struct Chunk {
        std::string bytes;
        Clock::time_point leaves;
    };
    struct Way {
        explicit Way(asio::io_context& io) : timer(io) {}
        std::array<char, 512> chunk{};
        std::deque<Chunk> waiting;
        std::size_t bytes = 0;
        bool reading = false, writing = false;
        Clock::time_point free_at;
        asio::steady_timer timer;
    };

    void read(tcp::socket& from, tcp::socket& to, Way& way) {
        if (way.reading || way.bytes >= state_.settings.buffer_bytes) return;
        way.reading = true;
        from.async_read_some(asio::buffer(way.chunk), [self = shared_from_this(), &from, &to, &way](
                                                          std::error_code ec, std::size_t n) {
            way.reading = false;
            if (ec) return self->close();
            way.waiting.push_back(
                {std::string(way.chunk.data(), n), Clock::now() + self->state_.settings.latency});
            way.bytes += n;
            self->write(from, to, way);
            self->read(from, to, way);
        });
    }

    void write(tcp::socket& from, tcp::socket& to, Way& way) {
        if (way.writing || way.waiting.empty()) return;
        way.writing = true;
        way.free_at = std::max({way.free_at, way.waiting.front().leaves, Clock::now()});
        way.timer.expires_at(way.free_at);
        way.timer.async_wait([self = shared_from_this(), &from, &to, &way](std::error_code ec) {
            if (ec || !to.is_open()) return;
            const double pace = self->state_.settings.bytes_per_second;
            std::string& front = way.waiting.front().bytes;
            const auto most =
                std::max<std::size_t>(1, static_cast<std::size_t>(pace / turns_per_second));
            auto slice = std::make_shared<std::string>(front.substr(0, most));
            front.erase(0, slice->size());
            if (front.empty()) way.waiting.pop_front();
            way.free_at += std::chrono::duration_cast<Clock::duration>(
                std::chrono::duration<double>(static_cast<double>(slice->size()) / pace));
            asio::async_write(to, asio::buffer(*slice),
                              [self, slice, &from, &to, &way](std::error_code failed, std::size_t) {
                                  way.writing = false;
                                  if (failed) return self->close();
                                  way.bytes -= slice->size();
                                  self->read(from, to, way);
                                  self->write(from, to, way);
                              });
        });
    }

    void close() {
        std::error_code ignored;
        client_.close(ignored);
        server_.close(ignored);
        up_.timer.cancel();
        down_.timer.cancel();
    }

    State& state_;
    tcp::socket client_, server_;
    Way up_, down_;
};

void PacedRelay::State::accept() {
    acceptor.async_accept([this](std::error_code ec, tcp::socket socket) {
        if (ec) return;
        std::make_shared<Line>(*this, std::move(socket))->open();
        accept();
    });
}

PacedRelay::PacedRelay(std::uint16_t to, Settings settings)
    : state_(std::make_unique<State>(to, settings)) {
    state_->accept();
    state_->thread = std::thread([this] { state_->io.run(); });
}

PacedRelay::~PacedRelay() {
    state_->io.stop();
    state_->thread.join();
}

std::uint16_t PacedRelay::port() const { return state_->acceptor.local_endpoint().port(); }

void PacedRelay::set_pace(double bytes_per_second) {
    asio::post(state_->io,
               [this, bytes_per_second] { state_->settings.bytes_per_second = bytes_per_second; });
}

}  // namespace fieldgate::fakes
