#pragma once
#include <asio/awaitable.hpp>

#include "daemon/flows.h"
#include "daemon/gate/outcome.h"

namespace fieldgate {

/// Carries out a command to the gateway itself (OwnCommand). The outcome's text is what it has to
/// tell: JSON where there is something to tell.
asio::awaitable<Outcome> operate(Parts& parts, const Order& order);

/// The gateway's own properties, as they are now.
northbound::GetAnswer own_properties(Parts& parts, const Order& order);

}  // namespace fieldgate
