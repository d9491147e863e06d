#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <utility>

namespace fieldgate::southbound {

/// Who waits for the wire: a write, somebody who asks, or the schedule.
enum class Urgency : std::uint8_t { command, read, scan };

/// Turns on one wire: one at a time, each kind in the order of coming. Commands go first; after a
/// command a scan that waits does, so a command waits for one scan at most, and no number of
/// commands stops the polling. Who only asks gets one turn in four as long as scans are due, so
/// that no number of questions halves the polling of a slow line. Runs on the loop.
class Turns {
    struct State;

public:
    static constexpr int scans_for_a_read = 3;

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
