#pragma once
#include <optional>

#include "daemon/config/points.h"

namespace fieldgate::config {

/// A value that is to be written to the point: inside what the point can hold and what its `write`
/// allows, of the kind that its readings have.
std::optional<Value> read_writable(const Place& place, const ReadPoint& read, Report& report);

}  // namespace fieldgate::config
