#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/system_error.hpp>
#include <exception>
#include <list>
#include <string>

#include "base/event.h"
#include "base/expect.h"
#include "base/log.h"

namespace fieldgate {

/// The flows of the program: started together, stopped together, never left behind. Runs on the
/// loop; the group outlives its flows.
class TaskGroup {
public:
    explicit TaskGroup(const asio::any_io_executor& loop) : loop_(loop), drained_(loop) {}
    ~TaskGroup() { expect(cancels_.empty(), "no flow to outlive its group"); }
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts a flow. It may return; it may not throw anything but operation_aborted.
    void spawn(std::string name, asio::awaitable<void> flow) {
        auto self = cancels_.emplace(cancels_.end());
        auto on_end = [this, self, name = std::move(name)](const std::exception_ptr& failure) {
            cancels_.erase(self);
            if (failure) require_cancelled(name, failure);
            if (cancels_.empty()) drained_.notify();
        };
        asio::co_spawn(loop_, std::move(flow), asio::bind_cancellation_slot(self->slot(), on_end));
    }

    std::size_t size() const { return cancels_.size(); }

    /// Waits until the last flow has ended by itself: true; or until `deadline`: false.
    asio::awaitable<bool> ended(Event::Clock::time_point deadline) {
        while (!cancels_.empty() && Event::Clock::now() < deadline)
            co_await drained_.wait_until(deadline);
        const bool all = cancels_.empty();
        co_return all;
    }

    /// Cancels every flow and waits until the last one has unwound: true; or until `deadline`:
    /// false, what blocks on a worker unwinds when it can.
    asio::awaitable<bool> stop(
        Event::Clock::time_point deadline = Event::Clock::time_point::max()) {
        for (auto next = cancels_.begin(); next != cancels_.end();) {
            auto& cancel = *next++;
            cancel.emit(asio::cancellation_type::terminal);
        }
        const bool unwound = co_await ended(deadline);
        co_return unwound;
    }

private:
    static void require_cancelled(const std::string& name, const std::exception_ptr& failure) {
        try {
            std::rethrow_exception(failure);
        } catch (const asio::system_error& e) {
            if (e.code() == asio::error::operation_aborted) return;
            log::error("flow threw", {{"flow", name}, {"why", e.what()}});
        } catch (const std::exception& e) {
            log::error("flow threw", {{"flow", name}, {"why", e.what()}});
        } catch (...) {
            log::error("flow threw", {{"flow", name}});
        }
        expect(false, "flows to end by cancellation alone");
    }

    asio::any_io_executor loop_;
    std::list<asio::cancellation_signal> cancels_;
    Event drained_;
};

}  // namespace fieldgate
