#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/gate/orders.h"
#include "daemon/site/site.h"
#include "model/reading.h"
#include "storage/outage.h"

namespace fieldgate {

/// What is to be written when the cloud has been away for a while (`on_cloud_loss` of a point).
/// Pure.
///
/// Each value is due once per outage, `after` its begin, and then owed until something came of it:
/// as long as nothing was sent (the device is offline, the port is away, the queue is full) it is
/// due again after a pause that grows, and at once when the device is back. An outage is over when
/// the platform can command us again; until the first connection it counts from the start, for who
/// restarts without a cloud must become safe, too. What an earlier life has counted and done in the
/// same outage counts: restarts do not begin it anew.
class CloudLoss {
public:
    static constexpr std::chrono::seconds again_first{1};
    static constexpr std::chrono::seconds again_longest{60};
    /// While its bus is suspended nobody else notices that a device is back.
    static constexpr std::chrono::seconds again_suspended{4};
    static constexpr std::chrono::seconds noted_every{30};

    /// `memory`: what an earlier life has left of this outage.
    CloudLoss(storage::Outage memory, Instant start);

    /// From now on the rules are those of `site`. What they have in common with those of before
    /// keeps its state, and so does one that is taken away and put back in the same outage: what it
    /// has written is not written again, unless another value was to be written there meanwhile, or
    /// the device of that name is another one now (wire, unit, register, raw value).
    void serve(const SitePtr& site);

    /// What the link is now.
    void look(bool open, Instant now);
    /// The orders whose time has come. Each is under way until settled().
    std::vector<Order> due(Instant now);
    /// What became of one. `sent`: something came of it, it is not owed any more. `suspended`: its
    /// bus is. False: nothing was sent, as the last time.
    bool settled(const Order& order, bool sent, bool suspended, Instant now);
    /// The queue of its line was full, or there is none at the moment.
    void not_taken(const Order& order, Instant now);
    /// What is owed to this device is due now.
    void online(DeviceIndex device);
    /// Nothing is due before; max: nothing at all.
    Instant next(Instant now) const;

    /// What has to be on disk now, if that is something else than what is: when something was done,
    /// when the outage has ended, and every 30 s of it, if anything may be due in it.
    /// `last`: this life ends, it is not to wait for the 30 s.
    std::optional<storage::Outage> to_note(Instant now, bool last = false);

private:
    struct Rule {
        std::string point;  // its key, without the value
        DeviceIndex device = 0;
        std::chrono::milliseconds after{0};
        Order::Write write;
        std::uint64_t under_way = 0;  // which of the orders made; 0: none
        bool done = false;
        Instant again{};
        std::chrono::milliseconds pause{0};
    };
    using Rules = std::map<std::string, Rule>;  // by key: what an operator would call the write
    Order order_of(const std::string& key, const Rule& rule, Instant now) const;
    Rule* find(const Order& order);
    void keep_gone(Rules gone);

    SitePtr site_;
    Rules rules_;
    Rules gone_;  // the site has them no more, and something was done, or is under way
    std::set<std::string> done_before_;  // in an earlier life
    std::optional<Instant> lost_;
    std::uint64_t orders_ = 0;
    storage::Outage noted_;
    Instant noted_at_;
};

}  // namespace fieldgate
