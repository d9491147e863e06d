#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <utility>

namespace fieldgate::southbound {

/// Who waits for the wire: somebody (a write, a read for a command), or the schedule.
enum class Urgency : std::uint8_t { command, scan };

/// Turns on one wire: one at a time, commands before scans, each in the order of coming. After a
/// command a scan that waits goes first, so a command waits for one scan at most, and no number of
/// commands stops the polling. Runs on the loop.
class Turns {
    struct State;

public:
    /// The wire is its owner's until it ends. May outlive the Turns.
    class Turn {
    public:
        explicit Turn(std::shared_ptr<State> state) : state_(std::move(state)) {}
        Turn(Turn&&) noexcept = default;
        Turn& operator=(Turn&&) = delete;
        ~Turn();

    private:
        std::shared_ptr<State> state_;
    };

    explicit Turns(const asio::any_io_executor& loop);

    /// Waits for the wire. Throws operation_aborted when cancelled: who waited is out of the queue
    /// then, and what was given to it meanwhile goes to the next.
    asio::awaitable<Turn> take(Urgency urgency);
    /// Somebody has the wire.
    bool taken() const;

private:
    asio::any_io_executor loop_;
    std::shared_ptr<State> state_;
};

}  // namespace fieldgate::southbound
