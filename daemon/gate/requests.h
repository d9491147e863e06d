#pragma once
#include <asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "daemon/gate/admission.h"
#include "daemon/gate/answers.h"
#include "daemon/gate/orders.h"
#include "daemon/gate/outcome.h"
#include "daemon/gate/tally.h"
#include "daemon/site/site.h"
#include "model/event_time.h"
#include "northbound/downlink.h"
#include "storage/control_store.h"

namespace fieldgate {

/// What the platform asks for, from the gate to the answer: finds copies, lets in or refuses, notes
/// in the ledger what is to act, hands each order to its bus, keeps account and audit. One id has
/// one verdict: what was told "not done" under it is never done. Runs on the loop.
class Requests {
public:
    struct Counters {
        std::uint64_t received = 0;
        std::uint64_t refused = 0;    ///< Not permitted, not known, not possible.
        std::uint64_t malformed = 0;  ///< Made no sense.
        std::uint64_t busy = 0;       ///< Refused for lack of time or room.
        std::uint64_t copies = 0;     ///< Of requests under way or answered.
        std::uint64_t done = 0;
        std::uint64_t failed = 0;  ///< The device refused, or cannot be reached.
        std::uint64_t unknown = 0;
    };

    /// The orders that wait for a bus, by its name; without a name, the gateway's own, which need
    /// none. nullptr: there is no such bus any more.
    using Queues = std::function<Orders*(const std::string& bus)>;

    /// `clock` and `control` must outlive it, and so must what `queues` returns.
    Requests(const asio::any_io_executor& loop, SitePtr site, const EventClock& clock,
             storage::ControlStore& control, Queues queues);

    /// What comes from now on is judged by `site`.
    void serve(SitePtr site) { site_ = std::move(site); }

    /// `now`: when it was received. Never waits: the request is refused, or in the queue of its
    /// bus, or it acts: then it is returned, and its place is note().
    [[nodiscard]] std::optional<Order> take(northbound::Request request, Instant now);
    /// What makes no sense is answered so.
    void take(const northbound::Malformed& malformed, Instant now);
    /// The ledger first: what was done before is not done again, and what cannot be noted is not
    /// done. Then the order goes to its bus.
    asio::awaitable<void> note(Order order);
    /// An order is about to be carried out. False: it was answered meanwhile, let it be.
    bool begin(const Order& order) { return answers_.begin(order.id); }
    /// The answer to an order, and its line in the audit log; on disk before it is told.
    asio::awaitable<void> settle(const Order& order, Outcome outcome);
    /// The answer to a get: not audited.
    void settle(const Order& order, northbound::GetAnswer answer);

    /// A line in the audit log; its time is now.
    void audit(storage::AuditEntry entry);
    /// Lines of what was only counted, as far as their time is over; at least every 10 s, and with
    /// Instant::max() at the end.
    void audit_counts(Instant now);

    Answers& answers() { return answers_; }
    const Answers& answers() const { return answers_; }
    const Site& site() const { return *site_; }
    const Counters& counters() const { return counters_; }

private:
    void recall();
    void mark();
    bool is_copy(const northbound::Request& request, Answers::Known known, Instant now);
    /// nullptr; or why not, and `order` is as it was.
    const char* push(Order& order);
    void refuse(const northbound::Request& request, int code, const std::string& why, Instant now);
    void refuse_flood(const northbound::Request& request, const std::string& why, Instant now);
    void count(const Outcome& outcome);
    void tell(const Order& order, Outcome outcome);
    void repeat(const Order& order, Outcome outcome);
    storage::AuditEntry entry_of(const northbound::Request& request, std::string result) const;
    void count(storage::AuditEntry entry, int code);
    void audit(const Order& order, const Outcome& outcome);

    SitePtr site_;
    const EventClock& clock_;
    storage::Audit& audit_;
    storage::Ledger& ledger_;
    Admission admission_;
    Answers answers_;
    Queues queues_;
    Tally tally_;
    Counters counters_;
};

}  // namespace fieldgate
