#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "model/point.h"
#include "model/series.h"

namespace fieldgate {

/// UTC, in milliseconds since 1970.
using Utc = std::chrono::sys_time<std::chrono::milliseconds>;

/// What one service of one device was worth at one moment: what is stored, sent and acknowledged as
/// one.
struct Record {
    SeriesId series = 0;
    Priority priority = Priority::normal;
    /// event_time, strictly increasing per series. A guess as long as `proven` is false.
    Utc at;
    /// The same moment on this boot's monotonic clock, so that the guess can be put right exactly.
    std::chrono::milliseconds since_boot{0};
    /// The clock was known to be right when `at` was made.
    bool proven = false;
    /// A JSON object, ready to be sent: {"voltage":231.4,"current":12.08}
    std::string properties;

    bool operator==(const Record&) const = default;
};

/// What a record is to the parcel that it is offered to.
enum class Fit : std::uint8_t {
    taken,  ///< it is in
    full,   ///< this one needs the next parcel
    never,  ///< it does not fit an empty parcel
};

}  // namespace fieldgate
