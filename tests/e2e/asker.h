#pragma once
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

namespace fieldgate::e2e {

/// Asks a gateway for its status every 20 ms, on a thread of its own, as an impatient operator
/// would, and looks how much CPU time the gateway's loop has used from one answer to the next: no
/// turn of the loop can have used more.
class Asker {
public:
    using Milliseconds = std::chrono::duration<double, std::milli>;

    /// `socket`: local.control. `gateway`: its pid.
    Asker(std::filesystem::path socket, pid_t gateway);
    ~Asker();
    Asker(const Asker&) = delete;
    Asker& operator=(const Asker&) = delete;

    /// Ends the asking. What follows is for afterwards.
    void stop();
    std::size_t asked() const { return waits_.size(); }
    /// Of 100 answers, how many came within `limit`. What never came did not.
    double share_within(Milliseconds limit) const;
    Milliseconds longest() const;
    /// The most CPU time that the loop has used between two answers.
    Milliseconds turn_max() const { return turn_max_; }

private:
    void ask_on();
    bool ask() const;
    Milliseconds used() const;

    std::filesystem::path socket_;
    pid_t gateway_;
    std::atomic<bool> stopped_ = false;
    std::vector<Milliseconds> waits_;
    Milliseconds turn_max_{0};
    std::thread thread_;
};

}  // namespace fieldgate::e2e
