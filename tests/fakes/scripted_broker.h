#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fieldgate::fakes {

/// An MQTT 3.1.1 broker that does what no real one can be made to do: it keeps silent, refuses
/// with any code, acknowledges late, never, twice or in the wrong order, drops the link in the
/// middle. Plain TCP on a port of 127.0.0.1 that the system chose, on a thread of its own.
///
/// Every function may be called from any thread.
class ScriptedBroker {
public:
    struct Script {
        static constexpr int never = -1;
        int connack = 0;          ///< The code; `never`: none at all.
        std::string connack_for;  ///< Only client ids with this in them are refused.
        bool puback = true;
        std::chrono::milliseconds puback_delay{0};
        std::size_t puback_reversed = 1;  ///< Collects so many, acknowledges the last first.
        bool puback_unknown = false;      ///< Before each: one for an id that was never used.
        bool puback_twice = false;
        /// Closes the link when so many publishes have come over it; the last stays unacknowledged.
        std::optional<std::size_t> drop_after_publishes;
        /// Closes the link at a publish whose payload contains it; that stays unacknowledged.
        std::optional<std::string> poison;
        /// Closes the link at a publish with a larger payload; that stays unacknowledged.
        std::optional<std::size_t> payload_max;
        bool ignores_larger = false;  ///< than that: it does not close the link.
        /// Neither acknowledges nor closes the link at a publish whose payload contains it.
        std::optional<std::string> ignored;
        /// What is said to a publish, at QoS 0: topics and payloads. Called on the broker's thread.
        std::function<std::vector<std::pair<std::string, std::string>>(const std::string& topic,
                                                                       const std::string& payload)>
            answers;
        bool kick_older = false;  ///< A new CONNECT of the same user closes the older link.
        bool silent = false;      ///< Reads, and answers nothing: no PINGRESP, no SUBACK.
        bool refuse_subscriptions = false;
        std::optional<std::size_t> suback_codes;  ///< So many, whatever was asked.
        bool deaf = false;  ///< Does not even read: the client's buffers fill.
    };

    struct Connect {
        std::string client_id;
        std::optional<std::string> username;
        std::optional<std::string> password;
        std::uint16_t keep_alive = 0;
        std::uint8_t protocol_level = 0;  ///< 4: MQTT 3.1.1
        bool clean_session = false;
        bool will = false;
    };

    struct Publish {
        std::string topic;
        std::string payload;
        std::uint16_t packet_id = 0;
        std::uint8_t qos = 0;
        bool retain = false;
        bool duplicate = false;
        std::size_t link = 0;  ///< Which of connects() it came over, from 0.
        std::chrono::steady_clock::time_point at;
    };

    ScriptedBroker();
    ~ScriptedBroker();
    ScriptedBroker(const ScriptedBroker&) = delete;
    ScriptedBroker& operator=(const ScriptedBroker&) = delete;

    std::uint16_t port() const;

    /// From the next packet on.
    void play(const Script& script);
    /// Closes every link.
    void kick();
    /// To every link that had a CONNACK, subscribed or not, as the platform does with its system
    /// topics.
    void send(const std::string& topic, const std::string& payload, std::uint8_t qos = 0);

    std::vector<Connect> connects() const;
    /// From number `from` on; who looks often does not copy all of them each time.
    std::vector<Publish> publishes(std::size_t from = 0) const;
    std::vector<std::string> subscriptions() const;
    std::size_t disconnects() const;  ///< DISCONNECT packets
    std::size_t links() const;        ///< open now

    /// Waits until `met` is true of this broker; false if it is not within `patience`.
    bool wait_for(const std::function<bool(const ScriptedBroker&)>& met,
                  std::chrono::milliseconds patience = std::chrono::seconds(20)) const;

private:
    struct State;
    class Link;
    std::unique_ptr<State> state_;
};

}  // namespace fieldgate::fakes
