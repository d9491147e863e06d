#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/lab/platform/journal.h"
#include "tests/lab/platform/product.h"

namespace fieldgate::lab {

/// Milliseconds since 1970 of "2026-11-22T20:35:00.123Z"; nullopt for every other form.
std::optional<std::int64_t> parse_event_time(std::string_view text);

/// What one gateway may do on the platform.
struct Rules {
    std::size_t payload_bytes_max = 64 * 1024;      ///< Of a property report.
    std::optional<std::size_t> publishes_max = 50;  ///< In any second of one connection.
    /// How many rising sequences of event times the first deliveries of one service may come in:
    /// 1 without outages; 2 where live data may overtake a backlog; one more for alarms.
    std::size_t lanes = 1;
    std::optional<std::int64_t> ahead_ms_max = 2000;  ///< How far event_time may lie in our future.
    std::set<std::string> sub_devices;        ///< Those that exist; empty: whoever is named.
    std::map<std::string, Product> products;  ///< By product id; devices are PRODUCT_NODE.
};

/// One service of one device at one acquisition time, as it arrived.
struct Record {
    std::int64_t arrived = 0;  ///< ms since 1970
    std::string device;
    std::string service;
    std::int64_t event_time = 0;
    std::map<std::string, std::string> properties;  ///< name -> JSON
};
struct Status {
    std::int64_t arrived = 0;
    std::string device;
    std::string status;  ///< ONLINE or OFFLINE
};
struct Violation {
    std::int64_t arrived = 0;
    std::string text;
};
/// Answers of the gateway to requests of the platform, messages and events.
struct Message {
    std::int64_t arrived = 0;
    std::string topic;
    std::string payload;
};
struct Counts {
    std::uint64_t connections = 0;
    std::uint64_t publishes = 0;
    std::uint64_t batches = 0;  ///< Batch reports.
    std::uint64_t bytes = 0;    ///< Of payloads.
    std::uint64_t records = 0;  ///< First deliveries.
    std::uint64_t duplicates = 0;
    std::uint64_t values = 0;  ///< Properties of first deliveries.
};

/// Reads what the broker heard and finds everything that the platform would not have liked. Pure.
class Judge {
public:
    explicit Judge(Rules rules) : rules_(std::move(rules)) {}

    void hear(const Entry& entry);

    /// First deliveries, in the order of arrival.
    const std::deque<Record>& records() const { return records_; }
    const std::deque<Status>& statuses() const { return statuses_; }
    const std::deque<Violation>& violations() const { return violations_; }
    const std::deque<Message>& messages() const { return messages_; }
    const Counts& counts() const { return counts_; }
    /// ONLINE, OFFLINE, or INACTIVE before the first word of it.
    std::string status(const std::string& device) const;
    /// The newest by event time. JSON text and event time.
    std::optional<std::pair<std::string, std::int64_t>> last(const std::string& device,
                                                             const std::string& service,
                                                             const std::string& property) const;

private:
    struct Connection {
        bool introduced = false;      ///< sdk_info came.
        std::set<std::string> known;  ///< Devices whose status was told on this connection.
        std::deque<std::int64_t> recent;
        std::set<std::string> told;  ///< Violations are told once per connection where they repeat.
    };
    struct Series {
        std::vector<std::int64_t> tops;  ///< The last event time of each lane, falling.
        std::unordered_map<std::int64_t, std::size_t> seen;  ///< event time -> hash of properties
    };
    struct Last {
        std::string value;
        std::int64_t event_time = 0;
    };

    void publish(const Entry& entry);
    void pace(const Entry& entry, Connection& connection);
    void report(const Entry& entry, const json::Value& payload, Connection& connection);
    void batch(const Entry& entry, const json::Value& payload, Connection& connection);
    void services(const Entry& entry, const std::string& device, const json::Value* list);
    void service(const Entry& entry, const std::string& device, const json::Value& one);
    void keep(const Entry& entry, Record record, std::size_t hash);
    bool in_a_lane(Series& series, std::int64_t event_time) const;
    void event(const Entry& entry, const json::Value& payload, Connection& connection);
    void one_event(const Entry& entry, const json::Value& one, Connection& connection);
    void update_status(const Entry& entry, const json::Value& one, Connection& connection);
    const Product* product_of(const std::string& device) const;
    void blame(const Entry& entry, const std::string& text);

    Rules rules_;
    std::map<std::uint64_t, Connection> connections_;
    std::map<std::pair<std::string, std::string>, Series> series_;
    std::map<std::string, Last> last_;
    std::map<std::string, std::string> online_;
    std::deque<Record> records_;
    std::deque<Status> statuses_;
    std::deque<Violation> violations_;
    std::deque<Message> messages_;
    Counts counts_;
};

}  // namespace fieldgate::lab
