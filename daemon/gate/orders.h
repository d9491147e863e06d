#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/event.h"
#include "base/pulse.h"
#include "daemon/gate/own_command.h"
#include "daemon/site/site.h"
#include "model/point.h"
#include "model/reading.h"
#include "northbound/request.h"
#include "storage/audit.h"

namespace fieldgate {

/// Whatever wants something of a device, or of the gateway, in our own words. A get asks for
/// `points`, everything else is `writes`.
struct Order {
    enum class Origin : std::uint8_t {
        platform,    ///< A request that was let in: it has an id, and is answered.
        cloud_loss,  ///< What the local file has ordered for that case.
    };
    struct Write {
        PointIndex point = 0;
        Value value;
    };
    static constexpr std::size_t writes_max = 64;

    Origin origin = Origin::platform;
    std::string id;             ///< The platform's; of cloud_loss: of the rule.
    std::string digest;         ///< Of the request.
    bool seen_before = false;   ///< An earlier life has begun or answered it: the ledger knows how.
    storage::AuditEntry asked;  ///< What the audit log will say that was wanted.
    SitePtr site;               ///< In which its names mean what follows.
    DeviceIndex device = 0;
    Instant received;
    Instant begin_before = Instant::max();  ///< It might not end in time otherwise.
    Instant not_after = Instant::max();     ///< It is answered by then: no byte of it leaves.
    std::vector<Write> writes;
    std::vector<PointIndex> points;
    const CommandRule* command = nullptr;  ///< Of a command to a sub-device.
    std::optional<OwnCommand> own;         ///< Of a command to the gateway itself.

    /// It changes something, here or in the field: once, whatever comes.
    bool acts() const { return own ? !own->only_reads() : !writes.empty(); }
    DeviceRef ref() const { return site->directory.ref(device); }
    const Template& device_template() const { return site->directory.template_of(device); }
};

/// The orders that wait for one bus, so that a slow wire delays nobody else's: what acts before
/// what only reads, each in order of arrival. Runs on the loop.
class Orders {
public:
    static constexpr std::size_t waiting_max = 100;
    static constexpr std::size_t reads_max =
        50;  ///< Of those, so that there is room for what acts.

    explicit Orders(const asio::any_io_executor& loop) : wake_(loop) {}

    /// True: `order` is taken. False, and it is as it was: too many wait, or they are closed.
    bool push(Order& order) {
        if (closed_ || acts_.size() + reads_.size() >= waiting_max) return false;
        if (!order.acts() && reads_.size() >= reads_max) return false;
        (order.acts() ? acts_ : reads_).push_back(std::move(order));
        wake_.notify();
        return true;
    }

    /// The next one; nullopt after 10 s without one, or sooner.
    asio::awaitable<std::optional<Order>> next() {
        if (acts_.empty() && reads_.empty() && !closed_)
            co_await wake_.wait_until(Event::Clock::now() + longest_wait);
        std::deque<Order>& waiting = acts_.empty() ? reads_ : acts_;
        if (waiting.empty()) co_return std::nullopt;
        std::optional<Order> order = std::move(waiting.front());
        waiting.pop_front();
        co_return order;
    }

    /// Nothing comes in any more; what waits is returned.
    std::deque<Order> close() {
        closed_ = true;
        std::deque<Order> left = std::exchange(acts_, {});
        std::move(reads_.begin(), reads_.end(), std::back_inserter(left));
        reads_.clear();
        wake_.notify();
        return left;
    }
    bool closed() const { return closed_; }

private:
    bool closed_ = false;
    std::deque<Order> acts_;
    std::deque<Order> reads_;
    Event wake_;
};

}  // namespace fieldgate
