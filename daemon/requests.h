#pragma once
#include <cstdint>
#include <deque>
#include <string>

#include "daemon/admission.h"
#include "daemon/answers.h"
#include "daemon/directory.h"
#include "daemon/orders.h"
#include "daemon/outcome.h"
#include "model/event_time.h"
#include "storage/audit.h"

namespace fieldgate {

/// What the platform asks for, from the gate to the answer: lets in or refuses, hands each order to
/// its bus, keeps account and audit. Runs on the loop.
class Requests {
public:
    struct Counters {
        std::uint64_t received = 0;
        std::uint64_t refused = 0;  ///< Not permitted, not known, not possible.
        std::uint64_t busy = 0;     ///< Refused for lack of time or room.
        std::uint64_t copies = 0;   ///< Of requests under way or settled.
        std::uint64_t done = 0;
        std::uint64_t failed = 0;  ///< The device refused, or cannot be reached.
        std::uint64_t unknown = 0;
    };

    /// All must outlive it.
    Requests(const asio::any_io_executor& loop, const Config& config, const EventClock& clock,
             storage::Audit& audit);

    /// Never waits: the request is in a queue or refused when this returns.
    void take(northbound::Request request, Instant now);
    /// The answer to an order, and its line in the audit log.
    void settle(const Order& order, Outcome outcome);
    /// As settle(), for what only reads: not audited.
    void settle(const Order& order, northbound::GetAnswer answer);
    /// The answer that a copy gets; the wire stays untouched.
    void repeat(const Order& order, Outcome outcome);

    /// A line in the audit log; its time is now.
    void audit(storage::AuditEntry entry);

    /// By bus; the last are the gateway's own.
    Orders& orders(std::size_t bus) { return orders_[bus]; }
    Answers& answers() { return answers_; }
    const Answers& answers() const { return answers_; }
    const Directory& directory() const { return directory_; }
    const Counters& counters() const { return counters_; }

private:
    void refuse(const northbound::Request& request, int code, const std::string& why);
    void audit(const northbound::Request& request, const std::string& result);

    const Config& config_;
    const EventClock& clock_;
    storage::Audit& audit_;
    Directory directory_;
    Admission admission_;
    Answers answers_;
    std::deque<Orders> orders_;
    Counters counters_;
};

}  // namespace fieldgate
