#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/event.h"
#include "model/reading.h"
#include "northbound/request.h"

namespace fieldgate {

/// Sees to it that every request gets one answer in time: 14 s after its receipt, whatever the wire
/// does (the platform gives up at 20 s). Whoever works on it gives the answer; if time runs out
/// before, the answer is "busy" for what has not begun, and "unknown" for what has. Runs on the
/// loop.
class Answers {
public:
    static constexpr std::chrono::seconds patience{14};
    /// Refusals at the door that wait to be sent, at most: at the platform's 45 a second more would
    /// come too late for anybody to hear. What is beyond is given up and counted.
    static constexpr std::size_t refusals_max = 256;
    static constexpr std::size_t sending_max = 10;

    struct Ready {
        std::string request_id;
        northbound::Answer answer;
    };

    explicit Answers(const asio::any_io_executor& loop) : wake_(loop) {}

    /// From now on `request` is owed an answer. False: it is owed one already, this is a copy.
    bool owe(const northbound::Request& request, Instant now);
    /// The wire may know of it from now on. False: it was answered meanwhile, let it be.
    bool begin(const std::string& request_id);
    /// The answer; nothing happens if time has run out before.
    void give(const std::string& request_id, northbound::Answer answer);
    /// An answer to what was never owed one: refused at the door. Goes after all others.
    void refuse(std::string request_id, northbound::Answer answer);

    /// The next answer to send; nullopt after 10 s without one. Waits while 10 are being sent.
    asio::awaitable<std::optional<Ready>> next();
    /// One that next() has given is sent, or lost.
    void sent();

    std::size_t owed() const { return owed_.size(); }
    std::uint64_t late() const { return late_; }          ///< Answered because time ran out.
    std::uint64_t given_up() const { return given_up_; }  ///< Never sent: too many refusals waited.

private:
    struct Owed {
        northbound::Answer busy;
        northbound::Answer unknown;
        bool begun = false;
    };
    struct Deadline {
        Instant at;
        std::string request_id;
    };

    void expire(Instant now);

    std::unordered_map<std::string, Owed> owed_;
    std::deque<Deadline> deadlines_;  // the earliest in front
    std::deque<Ready> ready_;
    std::deque<Ready> refusals_;
    std::size_t sending_ = 0;
    std::uint64_t late_ = 0;
    std::uint64_t given_up_ = 0;
    Event wake_;
};

}  // namespace fieldgate
