#include "tests/fakes/scripted_broker.h"

#include <algorithm>
#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <string_view>
#include <thread>

namespace fieldgate::fakes {
namespace {

using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

// MQTT 3.1.1, 2.2.1: the upper half of a packet's first byte.
enum Type : unsigned { connect = 1, publish = 3, subscribe = 8, pingreq = 12, disconnect = 14 };

std::string packet(unsigned first_byte, const std::string& body) {
    std::string out(1, static_cast<char>(first_byte));
    std::size_t left = body.size();
    do {
        const std::size_t digit = left % 128;
        left /= 128;
        out += static_cast<char>(digit | (left > 0 ? 0x80U : 0U));
    } while (left > 0);
    return out + body;
}

std::string two_bytes(std::size_t value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)};
}

// Reads a packet's body from the front; what is missing reads as nothing.
class Reader {
public:
    explicit Reader(std::string_view body) : left_(body) {}
    unsigned byte() {
        if (left_.empty()) return 0;
        const auto value = static_cast<unsigned char>(left_.front());
        left_.remove_prefix(1);
        return value;
    }
    unsigned number() {
        const unsigned high = byte();
        return high << 8 | byte();
    }
    std::string text() {
        const std::size_t size = number();
        std::string value(left_.substr(0, size));
        left_.remove_prefix(value.size());
        return value;
    }
    std::string rest() { return std::string(left_); }
    bool done() const { return left_.empty(); }

private:
    std::string_view left_;
};

}  // namespace

struct ScriptedBroker::State {
    State() : acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

    void accept();
    void say() { changed.notify_all(); }

    asio::io_context io;
    tcp::acceptor acceptor;
    std::list<std::shared_ptr<Link>> open;  // on the broker's thread only
    std::thread thread;

    mutable std::mutex mutex;  // guards what follows
    mutable std::condition_variable changed;
    Script script;
    std::vector<Connect> connects;
    std::vector<Publish> publishes;
    std::vector<std::string> subscriptions;
    std::size_t disconnects = 0;
    std::size_t links = 0;
};

class ScriptedBroker::Link : public std::enable_shared_from_this<Link> {
public:
    Link(State& state, tcp::socket socket) : state_(state), socket_(std::move(socket)) {}

    void read() {
        if (script().deaf) return;
        socket_.async_read_some(asio::buffer(chunk_),
                                [self = shared_from_this()](std::error_code ec, std::size_t n) {
                                    if (ec) return self->close();
                                    self->input_.append(self->chunk_.data(), n);
                                    while (self->socket_.is_open() && self->take_packet()) {
                                    }
                                    if (self->socket_.is_open()) self->read();
                                });
    }

    void close() {
        if (!socket_.is_open()) return;
        std::error_code ignored;
        socket_.close(ignored);
        state_.open.remove(shared_from_this());
        const std::lock_guard lock(state_.mutex);
        --state_.links;
        state_.say();
    }

    void write(std::string data) {
        output_.push_back(std::move(data));
        if (output_.size() == 1) write_next();
    }

    bool accepted() const { return accepted_; }
    std::uint16_t next_id() { return ++last_id_; }

private:
    Script script() const {
        const std::lock_guard lock(state_.mutex);
        return state_.script;
    }

    void write_next() {
        asio::async_write(socket_, asio::buffer(output_.front()),
                          [self = shared_from_this()](std::error_code ec, std::size_t) {
                              self->output_.pop_front();
                              if (!ec && !self->output_.empty()) self->write_next();
                          });
    }

    // One packet off the front of input_; false if it is not complete.
    bool take_packet() {
        std::size_t length = 0;
        std::size_t at = 1;
        for (unsigned shift = 0;; shift += 7, ++at) {
            if (at >= input_.size()) return false;
            const auto digit = static_cast<unsigned char>(input_[at]);
            length |= static_cast<std::size_t>(digit & 0x7FU) << shift;
            if (digit < 0x80) break;
        }
        ++at;
        if (input_.size() < at + length) return false;
        const auto first = static_cast<unsigned char>(input_.front());
        const std::string body = input_.substr(at, length);
        input_.erase(0, at + length);
        on_packet(first, body);
        return true;
    }

    void on_packet(unsigned first, const std::string& body) {
        switch (first >> 4) {
            case Type::connect:
                return on_connect(body);
            case Type::publish:
                return on_publish(first & 0xF, body);
            case Type::subscribe:
                return on_subscribe(body);
            case Type::pingreq:
                if (!script().silent) write(packet(0xD0, ""));
                return;
            case Type::disconnect: {
                const std::lock_guard lock(state_.mutex);
                ++state_.disconnects;
                state_.say();
                return;
            }
            default:
                return;  // PUBACK of what we sent
        }
    }

    void on_connect(const std::string& body) {  // MQTT 3.1.1, 3.1
        Reader reader(body);
        Connect record;
        reader.text();
        record.protocol_level = static_cast<std::uint8_t>(reader.byte());
        const unsigned flags = reader.byte();
        record.clean_session = (flags & 2) != 0;
        record.will = (flags & 4) != 0;
        record.keep_alive = static_cast<std::uint16_t>(reader.number());
        record.client_id = reader.text();
        if ((flags & 0x80) != 0) record.username = reader.text();
        if ((flags & 0x40) != 0) record.password = reader.text();
        user_ = record.username.value_or("");
        Script now = script();
        if (record.client_id.find(now.connack_for) == std::string::npos) now.connack = 0;
        if (now.kick_older) kick_older();
        {
            const std::lock_guard lock(state_.mutex);
            number_ = state_.connects.size();
            state_.connects.push_back(std::move(record));
            state_.say();
        }
        if (now.connack == Script::never || now.silent) return;
        const std::string answer{'\0', static_cast<char>(now.connack)};
        write(packet(0x20, answer));
        accepted_ = now.connack == 0;
    }

    void kick_older() {
        const auto links = state_.open;
        for (const auto& link : links)
            if (link.get() != this && link->user_ == user_) link->close();
    }

    void on_publish(unsigned flags, const std::string& body) {  // 3.3
        Reader reader(body);
        Publish record;
        record.topic = reader.text();
        record.qos = static_cast<std::uint8_t>(flags >> 1 & 3);
        record.retain = (flags & 1) != 0;
        record.duplicate = (flags & 8) != 0;
        if (record.qos > 0) record.packet_id = static_cast<std::uint16_t>(reader.number());
        record.payload = reader.rest();
        record.link = number_;
        record.at = Clock::now();
        const std::uint16_t id = record.packet_id;
        const bool wants_puback = record.qos > 0;
        const Script now = script();
        std::string said;
        if (now.answers)
            for (const auto& [topic, payload] : now.answers(record.topic, record.payload))
                said += packet(0x30, two_bytes(topic.size()) + topic + payload);
        const auto has = [&](const std::optional<std::string>& text) {
            return text && record.payload.find(*text) != std::string::npos;
        };
        const bool too_large = now.payload_max && record.payload.size() > *now.payload_max;
        const bool poisoned = has(now.poison) || (too_large && !now.ignores_larger);
        const bool ignored = has(now.ignored) || (too_large && now.ignores_larger);
        {
            const std::lock_guard lock(state_.mutex);
            state_.publishes.push_back(std::move(record));
            state_.say();
        }
        ++publishes_;
        if (poisoned || (now.drop_after_publishes && publishes_ >= *now.drop_after_publishes))
            return close();
        if (ignored) return;
        if (!said.empty()) write(std::move(said));
        if (wants_puback && now.puback && !now.silent) acknowledge(id, now);
    }

    void acknowledge(std::uint16_t id, const Script& now) {
        held_.push_back(id);
        if (held_.size() < now.puback_reversed) return;
        std::string all;
        for (; !held_.empty(); held_.pop_back()) {
            if (now.puback_unknown) all += packet(0x40, two_bytes(60000U + held_.back() % 5000U));
            all += packet(0x40, two_bytes(held_.back()));
            if (now.puback_twice) all += packet(0x40, two_bytes(held_.back()));
        }
        if (now.puback_delay.count() == 0) return write(std::move(all));
        auto timer = std::make_shared<asio::steady_timer>(state_.io, now.puback_delay);
        timer->async_wait([self = shared_from_this(), timer, all](std::error_code) {
            if (self->socket_.is_open()) self->write(all);
        });
    }

    void on_subscribe(const std::string& body) {  // 3.8
        Reader reader(body);
        std::string answer = two_bytes(reader.number());
        const Script now = script();
        {
            const std::lock_guard lock(state_.mutex);
            while (!reader.done()) {
                state_.subscriptions.push_back(reader.text());
                const auto qos = static_cast<char>(reader.byte());
                answer += now.refuse_subscriptions ? '\x80' : qos;
            }
            if (now.suback_codes) answer.resize(2 + *now.suback_codes, '\x01');
            state_.say();
        }
        if (!now.silent) write(packet(0x90, answer));
    }

    State& state_;
    tcp::socket socket_;
    std::array<char, 65536> chunk_{};
    std::string input_;
    std::deque<std::string> output_;
    std::vector<std::uint16_t> held_;
    std::string user_;
    std::size_t number_ = 0;
    std::size_t publishes_ = 0;
    std::uint16_t last_id_ = 0;
    bool accepted_ = false;
};

void ScriptedBroker::State::accept() {
    acceptor.async_accept([this](std::error_code ec, tcp::socket socket) {
        if (ec) return;
        {
            const std::lock_guard lock(mutex);
            ++links;
            say();
        }
        open.push_back(std::make_shared<Link>(*this, std::move(socket)));
        open.back()->read();
        accept();
    });
}

ScriptedBroker::ScriptedBroker() : state_(std::make_unique<State>()) {
    state_->accept();
    state_->thread = std::thread([this] { state_->io.run(); });
}

ScriptedBroker::~ScriptedBroker() {
    state_->io.stop();
    state_->thread.join();
}

std::uint16_t ScriptedBroker::port() const { return state_->acceptor.local_endpoint().port(); }

void ScriptedBroker::play(const Script& script) {
    const std::lock_guard lock(state_->mutex);
    state_->script = script;
}

void ScriptedBroker::kick() {
    asio::post(state_->io, [this] {
        const auto links = state_->open;
        for (const auto& link : links) link->close();
    });
}

void ScriptedBroker::send(const std::string& topic, const std::string& payload, std::uint8_t qos) {
    asio::post(state_->io, [this, topic, payload, qos] {
        for (const auto& link : state_->open) {
            if (!link->accepted()) continue;
            std::string body = two_bytes(topic.size()) + topic;
            if (qos > 0) body += two_bytes(link->next_id());
            link->write(packet(0x30U | static_cast<unsigned>(qos) << 1U, body + payload));
        }
    });
}

std::vector<ScriptedBroker::Connect> ScriptedBroker::connects() const {
    const std::lock_guard lock(state_->mutex);
    return state_->connects;
}

std::vector<ScriptedBroker::Publish> ScriptedBroker::publishes(std::size_t from) const {
    const std::lock_guard lock(state_->mutex);
    const std::vector<Publish>& all = state_->publishes;
    return {all.begin() + static_cast<std::ptrdiff_t>(std::min(from, all.size())), all.end()};
}

std::vector<std::string> ScriptedBroker::subscriptions() const {
    const std::lock_guard lock(state_->mutex);
    return state_->subscriptions;
}

std::size_t ScriptedBroker::disconnects() const {
    const std::lock_guard lock(state_->mutex);
    return state_->disconnects;
}

std::size_t ScriptedBroker::links() const {
    const std::lock_guard lock(state_->mutex);
    return state_->links;
}

bool ScriptedBroker::wait_for(const std::function<bool(const ScriptedBroker&)>& met,
                              std::chrono::milliseconds patience) const {
    const auto deadline = Clock::now() + patience;
    while (!met(*this)) {
        std::unique_lock lock(state_->mutex);
        if (Clock::now() >= deadline) return false;
        // A change between met() and here is seen at the next look.
        state_->changed.wait_for(lock, std::chrono::milliseconds(10));
    }
    return true;
}

}  // namespace fieldgate::fakes
