#pragma once
#include <asio/awaitable.hpp>

#include "daemon/flows.h"

namespace fieldgate {

/// The flow that keeps the road to the platform open: connects, sends the answers that wait, says
/// how the devices are, asks for the time, then lets data through, and hears what comes. Runs until
/// it is cancelled, on the loop.
asio::awaitable<void> stay_connected(Parts& parts);

}  // namespace fieldgate
