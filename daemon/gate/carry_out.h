#pragma once
#include <asio/awaitable.hpp>

#include "daemon/flows.h"
#include "daemon/gate/outcome.h"

namespace fieldgate {

/// Performs the writes of `order` one after the other, each at most once, and ends with the first
/// that does not come out well; what was written before it stays written, and is named.
asio::awaitable<Outcome> write_order(Parts& parts, southbound::Bus& bus, const Order& order);

/// One write that the local file has ordered, with its line in the log and in the audit.
asio::awaitable<void> write_safe(Parts& parts, southbound::Bus& bus, const Order& order);

/// It will not be carried out; whoever wants it is told `why`.
asio::awaitable<void> give_back(Parts& parts, Order order, const char* why);

/// Reads from the wire what is not known as freshly as the period of its point asks for. What
/// cannot be read is left out: no value is better than an old one.
asio::awaitable<northbound::GetAnswer> read_order(Parts& parts, southbound::Bus& bus,
                                                  const Order& order);

}  // namespace fieldgate
