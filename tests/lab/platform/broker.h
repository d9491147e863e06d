#pragma once
#include <array>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tests/lab/platform/admission.h"
#include "tests/lab/process.h"

namespace fieldgate::lab {

/// Certificates of a platform that exists for one test, made by the openssl program.
class Pki {
public:
    explicit Pki(std::filesystem::path folder);
    std::filesystem::path ca() const { return folder_ / "ca.crt"; }
    std::filesystem::path server_certificate() const { return folder_ / "server.crt"; }
    std::filesystem::path server_key() const { return folder_ / "server.key"; }

    struct Pair {
        std::filesystem::path certificate;
        std::filesystem::path key;
    };
    /// The server's certificate again, valid at these times (seconds since 1970); the broker shows
    /// it after a restart.
    void renew_server(std::int64_t from, std::int64_t until);
    /// A device's certificate, signed by ca(); its CN is the device id, as the plugin demands.
    Pair client(const std::string& device);

private:
    void certify(const std::string& file, std::vector<std::string> signer, std::int64_t from,
                 std::int64_t until);
    Pair issue(const std::string& file, const std::string& name, const std::string& extensions);
    std::filesystem::path folder_;
};

/// mosquitto with the platform's doorman: TLS for devices with a secret, TLS with client
/// certificates, and a listener without rules for the lab itself. All on 127.0.0.1, on ports that
/// stay the same through restarts.
class Broker {
public:
    struct Settings {
        std::uint16_t port = 0;  ///< 0: any.
        std::filesystem::path folder;
        Devices devices;
    };
    /// Starts; waits until it listens.
    explicit Broker(Settings settings);

    Pki& pki() { return pki_; }
    std::uint16_t port() const { return ports_[0]; }
    std::uint16_t certificate_port() const { return ports_[1]; }
    std::filesystem::path journal() const { return settings_.folder / "journal"; }
    std::filesystem::path log() const { return settings_.folder / "mosquitto.log"; }
    bool running() { return child_ && child_->running(); }

    void start();
    void stop();  ///< In order.
    void kill();
    /// SIGSTOP and SIGCONT: a broker that is there and says nothing.
    void freeze() { child_->signal(SIGSTOP); }
    void thaw() { child_->signal(SIGCONT); }
    /// Changes who is let in from now on.
    void admit(const Devices& devices);

    /// Publishes as the platform, QoS 1. Errors: closed, timeout, refused.
    Result<void> publish(const std::string& topic, const std::string& payload) const;

private:
    bool try_start();
    std::string configuration() const;

    Settings settings_;
    Pki pki_;
    std::array<std::uint16_t, 3> ports_{};
    std::optional<Child> child_;
};

}  // namespace fieldgate::lab
