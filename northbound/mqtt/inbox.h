#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

namespace fieldgate::northbound::mqtt {

struct Message {
    std::string topic, payload;
    std::chrono::steady_clock::time_point at{};  ///< When it came off the wire.

    /// What it costs to keep: its text, two strings and what the allocator adds.
    std::size_t cost() const { return topic.size() + payload.size() + 128; }
};

/// Messages that wait to be taken, in order. Bounded in number and in bytes, each counted with what
/// it costs to keep; what does not fit is dropped and counted.
class Inbox {
public:
    Inbox(std::size_t messages_max, std::size_t bytes_max)
        : messages_max_(messages_max), bytes_max_(bytes_max) {}

    /// False: dropped.
    bool push(Message message) {
        const std::size_t bytes = message.cost();
        if (messages_.size() >= messages_max_ || bytes_ + bytes > bytes_max_) {
            ++dropped_;
            return false;
        }
        bytes_ += bytes;
        messages_.push_back(std::move(message));
        return true;
    }

    bool empty() const { return messages_.empty(); }
    /// Not to be called when empty.
    Message pop() {
        Message message = std::move(messages_.front());
        messages_.pop_front();
        bytes_ -= message.cost();
        return message;
    }
    /// What nobody has taken is dropped.
    void clear() {
        dropped_ += messages_.size();
        messages_.clear();
        bytes_ = 0;
    }

    std::uint64_t dropped() const { return dropped_; }

private:
    std::size_t messages_max_;
    std::size_t bytes_max_;
    std::deque<Message> messages_;
    std::size_t bytes_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace fieldgate::northbound::mqtt
