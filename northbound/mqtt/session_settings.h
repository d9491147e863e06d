#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"

namespace fieldgate::northbound::mqtt {

struct SessionSettings {
    bool tls = true;
    std::string host;
    std::uint16_t port = 8883;
    std::string ca_file;           ///< With tls: what the broker's certificate must come from.
    std::string certificate_file;  ///< Our own, with key_file; empty: none.
    std::string key_file;
    std::chrono::seconds keep_alive{120};
    std::chrono::milliseconds connect_deadline{25000};
    /// Every PUBACK restarts it, but for what left before the publish that it acknowledges. Longer
    /// on a slow link (Goodput::patience).
    std::chrono::milliseconds ack_deadline{20000};
    std::size_t window_messages = 10;  ///< Publishes under way; their bytes: Goodput.
    std::size_t window_urgent = 4;     ///< Urgent ones that may be under way beyond that.
    std::size_t urgent_waiting = 128;  ///< For their turn; more are refused.
    /// What has come and was not taken yet: ten thousand commands of the usual size. As many bytes
    /// may be on their way from Paho's thread to the loop.
    std::size_t inbox_messages = 16384;
    std::size_t inbox_bytes = std::size_t{4} << 20;

    /// Topics that nobody reads, and the platform sends unasked: of their messages the topic alone
    /// is kept, so that they take no room from what is read.
    std::vector<std::string> unread;

    /// Publishes under way, at most.
    std::size_t slots() const { return window_messages + window_urgent; }
};

struct Login {
    std::string client_id, username;
    Secret password;  ///< Empty: none is sent.
    /// The time by which the broker's certificate is judged.
    std::chrono::sys_seconds judged_at =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
};

}  // namespace fieldgate::northbound::mqtt
