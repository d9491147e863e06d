#include "daemon/site/line.h"

#include "daemon/flows.h"
#include "daemon/gate/carry_out.h"

namespace fieldgate {

void Line::start(Parts& parts) {
    polling_.spawn("collect " + name(), collect(parts, bus_));
    obeying_.spawn("obey " + name(), obey(parts, bus_, orders_));
}

asio::awaitable<bool> Line::stop(Parts& parts, const char* why, Instant deadline) {
    for (Order& order : orders_.close())
        parts.deliveries.spawn("give back", give_back(parts, std::move(order), why));
    constexpr std::chrono::milliseconds grace{500};  // for what a worker does in one job
    const bool silent = co_await polling_.stop(deadline + grace);
    co_await obeying_.ended(deadline);
    const bool obeyed = co_await obeying_.stop(deadline + grace);
    co_return silent&& obeyed;
}

}  // namespace fieldgate
