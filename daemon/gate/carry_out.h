#pragma once
#include <asio/awaitable.hpp>

#include "daemon/flows.h"
#include "daemon/gate/outcome.h"

namespace fieldgate {

/// Performs the writes of `order` one after the other, each at most once, and ends with the first
/// that does not come out well; what was written before it stays written, and is named.
asio::awaitable<Outcome> write_order(Parts& parts, southbound::Bus& bus, const Order& order);

/// Not if its time to begin is over, or it was answered meanwhile. Its outcome is noted and told,
/// also if it is cut off. `bus` nullptr: a command to the gateway itself.
asio::awaitable<void> carry_out(Parts& parts, southbound::Bus* bus, const Order& order);
/// The same for such a command that may take long.
asio::awaitable<void> carry_out_apart(Parts& parts, Order order);
/// It may still begin.
bool is_in_time(const Order& order);

/// One write that the local file has ordered, with its line in the log and in the audit.
asio::awaitable<void> write_safe(Parts& parts, southbound::Bus& bus, const Order& order);

/// It will not be carried out; whoever wants it is told `why`.
asio::awaitable<void> give_back(Parts& parts, Order order, const char* why);

/// Reads from the wire what is not known as freshly as the period of its point asks for. What
/// cannot be read is left out: no value is better than an old one.
asio::awaitable<northbound::GetAnswer> read_order(Parts& parts, southbound::Bus& bus,
                                                  const Order& order);

}  // namespace fieldgate
