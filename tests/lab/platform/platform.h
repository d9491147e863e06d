#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/lab/platform/broker.h"
#include "tests/lab/platform/judge.h"

namespace fieldgate::lab {

/// The cloud of the lab: a broker with the platform's rules, and a thread that records and judges
/// what comes up and answers as the platform does. All calls from any thread.
///
/// The broker's plugin writes each accepted publish down before it is acknowledged. So "recorded"
/// here means what PUBACK means to the gateway, through restarts and kills of the broker.
class Platform {
public:
    struct Settings {
        Devices devices;  ///< Who may connect: device id -> secret; "" for X.509.
        Rules rules;
        std::uint16_t port = 0;                  ///< 0: any.
        bool answers = true;                     ///< Time and status requests are answered.
        std::chrono::milliseconds clock_off{0};  ///< What it tells of the time is too late by this.
        std::filesystem::path folder;  ///< For keys, journal, log; empty: a temporary one.
    };
    explicit Platform(Settings settings);
    ~Platform();
    Platform(const Platform&) = delete;
    Platform& operator=(const Platform&) = delete;

    /// "mqtts://localhost:PORT"; for X.509 devices the second.
    std::string endpoint() const;
    std::string certificate_endpoint() const;
    std::filesystem::path ca() { return broker_->pki().ca(); }
    /// start, stop, kill, freeze, thaw, admit, publish.
    Broker& broker() { return *broker_; }

    /// Settings::clock_off from now on.
    void set_clock_off(std::chrono::milliseconds off) { clock_off_ = off; }

    /// Sends a downlink; `suffix` follows "$oc/devices/DEVICE/sys/".
    Result<void> send(const std::string& device, const std::string& suffix,
                      const std::string& payload);

    /// Waits until all that was acknowledged up to now has been judged; false if that takes 10 s.
    bool catch_up() const;

    std::vector<Record> records(std::size_t from = 0) const;
    std::vector<Record> records_of(const std::string& device, const std::string& service) const;
    std::vector<Status> statuses(std::size_t from = 0) const;
    std::vector<Violation> violations(std::size_t from = 0) const;
    std::vector<Message> messages(std::size_t from = 0) const;
    Counts counts() const;
    std::string status(const std::string& device) const;
    std::optional<std::pair<std::string, std::int64_t>> last(const std::string& device,
                                                             const std::string& service,
                                                             const std::string& property) const;

private:
    void follow(const std::stop_token& stop);
    void answer(const Entry& entry);

    Settings settings_;
    std::atomic<std::chrono::milliseconds> clock_off_;
    std::optional<TempDir> own_folder_;
    std::unique_ptr<Broker> broker_;
    mutable std::mutex mutex_;  ///< Guards judge_ and heard_bytes_.
    Judge judge_;
    std::uint64_t heard_bytes_ = 0;
    std::jthread thread_;  ///< Last: it uses all of the above.
};

}  // namespace fieldgate::lab
