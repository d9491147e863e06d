#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/post.hpp>
#include <concepts>
#include <memory>
#include <mutex>
#include <utility>

namespace fieldgate {

/// How a foreign thread (a library's callback) gets onto the loop, for as long as the one who
/// listens there lives. Held by shared_ptr on both sides.
class Door : public std::enable_shared_from_this<Door> {
public:
    explicit Door(asio::any_io_executor loop) : loop_(std::move(loop)) {}

    /// Runs `visit` on the loop, unless the door is shut by then. Any thread.
    template <std::invocable Visit>
    void post(Visit visit) {
        const std::lock_guard lock(mutex_);
        if (!open_) return;
        asio::post(loop_, [self = shared_from_this(), visit = std::move(visit)]() mutable {
            if (self->open()) visit();
        });
    }

    bool open() const {
        const std::lock_guard lock(mutex_);
        return open_;
    }
    /// From here on nothing is run and the loop is not touched any more. On the loop.
    void shut() {
        const std::lock_guard lock(mutex_);
        open_ = false;
    }

private:
    asio::any_io_executor loop_;
    mutable std::mutex mutex_;
    bool open_ = true;
};

}  // namespace fieldgate
