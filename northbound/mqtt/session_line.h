#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/allowance.h"
#include "base/door.h"
#include "northbound/mqtt/session.h"

namespace fieldgate::northbound::mqtt {

/// "20 s", "150 ms".
std::string seconds_text(std::chrono::milliseconds time);

/// The broker, for a handshake of our own.
TlsTarget tls_target(const SessionSettings& settings, std::chrono::sys_seconds judged_at);

/// What a line has to say, told on the loop.
struct News {
    enum class Kind : std::uint8_t {
        connected,
        refused,           ///< `code`: CONNACK
        failed,            ///< to connect; `message.payload`: Paho's words
        subscribed,        ///< `slot`: which filter; `code`: what the SUBACK says of it
        acknowledged,      ///< `slot`
        not_acknowledged,  ///< `slot`: given up by Paho
        lost,
        message,
        closed,  ///< nothing more will come
    };
    explicit News(Kind what, int which_slot = 0) : kind(what), slot(which_slot) {}

    Kind kind;
    std::uint64_t line = 0;
    int slot;
    int code = 0;
    Message message;
    std::size_t bytes = 0;  // of the message, taken from the line's allowance
};

/// One Paho client: an attempt to connect and the link that comes of it, never used twice. Its
/// functions block (Paho's global mutex, held during name lookups) and belong on the worker; the
/// callbacks copy and post.
class Line {
public:
    using Hear = std::function<void(const News&)>;

    /// `number` marks its news; `incoming` bounds the messages on their way to the loop. On the
    /// loop, as is `hear`.
    Line(std::uint64_t number, const SessionSettings& settings, std::shared_ptr<Door> door,
         std::shared_ptr<Allowance> incoming, Hear hear);
    ~Line();
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    std::uint64_t number() const { return number_; }

    /// News: connected, refused or failed.
    void open(const Login& login);
    /// News: acknowledged or not_acknowledged. `slot` < settings.slots(), one publish at a time.
    void send(int slot, const std::string& topic, const std::string& payload);
    /// News: subscribed, for each filter, or lost.
    void subscribe(const std::vector<std::string>& filters);
    /// DISCONNECT if it can be sent. News: closed, if open() was called.
    void hang_up();
    /// After it no callback runs any more.
    void destroy();

private:
    struct Callbacks;  // Paho calls these
    struct SlotContext {
        Line* line;
        int slot;
    };

    int start(const Login& login);
    void tell(News news) const;
    bool leaves_unread(const std::string& topic) const;

    const std::uint64_t number_;
    const SessionSettings settings_;
    const std::shared_ptr<Door> door_;
    const std::shared_ptr<Allowance> incoming_;
    const Hear hear_;
    std::vector<SlotContext> slots_;
    std::deque<SlotContext> filters_;  // `slot`: which
    void* client_ = nullptr;           // MQTTAsync
};

}  // namespace fieldgate::northbound::mqtt
