#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/allowance.h"
#include "base/door.h"
#include "base/event.h"
#include "base/result.h"
#include "base/tls_probe.h"
#include "base/worker.h"
#include "northbound/goodput.h"
#include "northbound/mqtt/inbox.h"
#include "northbound/mqtt/reasons.h"
#include "northbound/mqtt/session_settings.h"
#include "northbound/mqtt/slots.h"
#include "northbound/pacer.h"
#include "northbound/payload_limit.h"
#include "northbound/rank.h"

namespace fieldgate::northbound::mqtt {

class Line;
struct News;

/// MQTT 3.1.1 over Paho, joined to the loop: QoS 1, clean session, one link at a time, which never
/// comes back by itself. Runs on the loop; Paho's calls run on a worker of its own.
///
/// Every attempt to connect is a Paho client of its own (a Line), because the platform's ClientId
/// carries the hour. The last one is closed before, and destroyed on the worker.
///
/// The destructor waits at most 1 s for the worker (a name lookup may hold it). Coroutines in here
/// must have ended by then.
class Session {
public:
    /// `pacer`, `sizes` and `goodput` must outlive the session. The latter two are told what is
    /// sent and acknowledged, and with what in flight a link dies.
    Session(const asio::any_io_executor& loop, SessionSettings settings, Pacer& pacer,
            PayloadLimit& sizes, Goodput& goodput);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// With TLS and no link: examine_tls() with the broker (tls_probe.h), for a clock that may be
    /// late; within connect_deadline. Errors: as of connect().
    asio::awaitable<Result<TlsValidity>> examine(std::chrono::sys_seconds at);
    /// One attempt; returns within connect_deadline. Errors: refused (`detail`: the CONNACK code;
    /// or 0 and the reason why TLS failed), timeout, io (no connection), closed.
    asio::awaitable<Result<void>> connect(Login login);

    /// At QoS 1. Errors: refused (what is refused is named; the others hold), closed, timeout.
    asio::awaitable<Result<void>> subscribe(std::vector<std::string> filters);

    /// Returns once the PUBACK has come. Publishes of a rank leave in the order of the calls, as
    /// fast as the pacer and the window let them. Errors: closed (`detail`: so many were under way,
    /// with this one, which may have arrived), timeout (the broker has acknowledged what left
    /// later, but not this; `detail` as above), busy (settings.urgent_waiting urgent ones wait).
    asio::awaitable<Result<void>> publish(std::string topic, std::string payload,
                                          Rank rank = Rank::ordinary);

    /// The next message; or why the link is lost; or timeout at `until`. One caller at a time.
    asio::awaitable<Result<Message>> next(std::chrono::steady_clock::time_point until);

    /// Says DISCONNECT; within 2 s. What is not acknowledged yet fails.
    asio::awaitable<void> disconnect();
    void give_up(const std::string& reason);  ///< The same at once, and why.
    /// As give_up(), and for good: an attempt that is under way ends now, and nobody connects any
    /// more (closed, with the reason).
    void close(const std::string& reason);

    bool up() const { return state_ == State::up; }
    bool backlog() const { return !inbox_.empty(); }  ///< Messages wait for next().
    /// Urgent publishes that were not taken: busy.
    std::uint64_t urgent_refused() const { return urgent_refused_; }
    /// Messages that were more than can be kept, or that nobody had taken by the next connect().
    std::uint64_t messages_dropped() const { return inbox_.dropped() + incoming_->refused(); }

private:
    enum class State : std::uint8_t { down, connecting, up };
    friend class Publisher;
    class Attempt;
    struct Retired {
        std::shared_ptr<Line> line;
        std::chrono::steady_clock::time_point since;
        bool closed = false;
    };

    asio::awaitable<Result<void>> probe(TlsTarget target, Event::Clock::time_point deadline);
    void hear(const News& news);
    void on_connect_answer(const News& news);
    void on_publish_answer(const News& news);
    void on_message(const News& news);
    void on_closed(std::uint64_t line);
    void lose(const std::string& reason);
    void give_up(const Slots::Overdue& overdue);
    static void answer(Slots::Slot& slot, Result<void> how);
    void drop(const std::string& reason, std::size_t blamed);
    void retire_line();
    void bury();
    void enter_queue(Publisher& publisher);
    Publisher* first() const;
    bool has_room(const Publisher& publisher) const;
    int take_slot(Publisher& publisher);
    bool leave_queue(Publisher& publisher);
    void wake_first();
    Slots::Patience patience() const;
    void watch_acknowledgements();

    SessionSettings settings_;
    Pacer& pacer_;
    PayloadLimit& sizes_;
    Goodput& goodput_;
    asio::any_io_executor loop_;
    std::shared_ptr<Door> door_;
    std::shared_ptr<Allowance> incoming_;
    std::unique_ptr<Worker> worker_;

    State state_ = State::down;
    std::uint64_t lines_ = 0;
    std::shared_ptr<Line> line_;  // while connecting or up
    std::list<Retired> retired_;  // closing, or not yet destroyed
    std::optional<Result<void>> connect_answer_;
    std::vector<std::optional<int>> grants_;  // SUBACK: the code of each filter
    Reasons reasons_;                         // of failed attempts, since the last link
    Event answered_;  // of connect, subscribe, probe, examine; they never overlap
    Event closed_;
    Error lost_;
    std::optional<Error> over_;                // close()
    std::list<Publisher*> ordinary_, urgent_;  // waiting for their turn, in order
    Pacer::Duration urgent_cost_{};            // of those sent since the last ordinary one
    std::uint64_t urgent_refused_ = 0;
    Slots slots_;
    asio::steady_timer ack_timer_;
    bool ack_watched_ = false;

    Inbox inbox_;
    Event inbox_event_;
};

/// What a CONNACK code means (protocol reference 1.5).
std::string connack_text(int code);

}  // namespace fieldgate::northbound::mqtt
