#pragma once
#include <chrono>
#include <optional>

#include "base/worker.h"

namespace fieldgate::storage {

/// How long a job goes on that nobody waits for any more (Worker::Unwanted): a second, for what is
/// nearly done is worth its end, and then no longer, for the process is stopping. On the worker.
class Patience {
public:
    explicit Patience(const Worker::Unwanted& unwanted) : unwanted_(unwanted) {}

    bool over() {
        if (!unwanted_) return false;
        const auto now = std::chrono::steady_clock::now();
        if (!since_) since_ = now;
        return now - *since_ >= limit;
    }

private:
    static constexpr std::chrono::seconds limit{1};

    const Worker::Unwanted& unwanted_;
    std::optional<std::chrono::steady_clock::time_point> since_;
};

}  // namespace fieldgate::storage
