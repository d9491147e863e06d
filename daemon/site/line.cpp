#include "daemon/site/line.h"

#include "daemon/flows.h"

namespace fieldgate {

void Line::start(Parts& parts) {
    flows_.spawn("collect " + name(), collect(parts, bus_));
    flows_.spawn("obey " + name(), obey(parts, bus_, orders_));
}

asio::awaitable<bool> Line::stop(Instant deadline) {
    const bool ended = co_await flows_.stop(deadline);
    co_return ended;
}

}  // namespace fieldgate
