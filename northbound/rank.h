#pragma once
#include <cstdint>

namespace fieldgate::northbound {

/// Urgent publishes go before all that waits, and have room of their own in the window. They leave
/// what is ordinary its share: a quarter of the pace, and of the window.
enum class Rank : std::uint8_t { ordinary, urgent };

}  // namespace fieldgate::northbound
