#pragma once
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "base/task_group.h"
#include "daemon/orders.h"
#include "southbound/bus.h"

namespace fieldgate {

struct Parts;

/// One wire with its devices, the orders that wait for it, and the flows that serve both: started
/// and stopped as one. Runs on the loop.
class Line {
public:
    Line(const asio::any_io_executor& loop, southbound::BusSettings settings,
         std::vector<southbound::DeviceSettings> devices)
        : bus_(loop, std::move(settings), std::move(devices)), orders_(loop), flows_(loop) {}

    void start(Parts& parts);
    /// Ends the flows: true; or false at `deadline`: a worker holds one, and must not be forgotten
    /// before it lets go.
    asio::awaitable<bool> stop(Instant deadline);

    const std::string& name() const { return bus_.name(); }
    southbound::Bus& bus() { return bus_; }
    const southbound::Bus& bus() const { return bus_; }
    Orders& orders() { return orders_; }

private:
    southbound::Bus bus_;
    Orders orders_;
    TaskGroup flows_;
};

}  // namespace fieldgate
