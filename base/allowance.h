#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace fieldgate {

/// Bytes that may be on their way from one thread to another at one time: the sender takes, the
/// receiver gives back. What is refused is counted. Any thread.
class Allowance {
public:
    explicit Allowance(std::size_t bytes) : left_(bytes) {}

    /// False: not so many are left.
    bool take(std::size_t bytes) {
        std::size_t left = left_.load();
        while (left >= bytes)
            if (left_.compare_exchange_weak(left, left - bytes)) return true;
        ++refused_;
        return false;
    }
    /// Of what was taken.
    void give_back(std::size_t bytes) { left_ += bytes; }

    std::uint64_t refused() const { return refused_; }

private:
    std::atomic<std::size_t> left_;
    std::atomic<std::uint64_t> refused_ = 0;
};

}  // namespace fieldgate
