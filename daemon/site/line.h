#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "base/task_group.h"
#include "daemon/gate/orders.h"
#include "southbound/bus.h"

namespace fieldgate {

struct Parts;

/// One wire with its devices, the orders that wait for it, and the flows that serve both: started
/// and stopped as one. Runs on the loop.
class Line {
public:
    Line(const asio::any_io_executor& loop, southbound::BusSettings settings,
         std::vector<southbound::DeviceSettings> devices)
        : bus_(loop, std::move(settings), std::move(devices)),
          orders_(loop),
          polling_(loop),
          obeying_(loop) {}

    void start(Parts& parts);
    /// Takes no orders any more; what waits is given back with `why`, what has begun may end until
    /// `deadline`. Then the flows end: true; or false half a second later: a worker holds one, and
    /// the line must not be forgotten before that lets go.
    asio::awaitable<bool> stop(Parts& parts, const char* why, Instant deadline);

    /// No flow is left of it: it may be forgotten.
    bool ended() const { return polling_.size() + obeying_.size() == 0; }

    const std::string& name() const { return bus_.name(); }
    southbound::Bus& bus() { return bus_; }
    const southbound::Bus& bus() const { return bus_; }
    Orders& orders() { return orders_; }

private:
    southbound::Bus bus_;
    Orders orders_;
    TaskGroup polling_, obeying_;
};

}  // namespace fieldgate
