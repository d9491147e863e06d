#pragma once
#include <span>

#include "daemon/site/latest.h"
#include "model/event_time.h"
#include "northbound/request.h"

namespace fieldgate {

/// What a get is answered with: the latest value of each of `wanted` that there is, as the model
/// wants it, by service and moment of reading. Pure.
northbound::GetAnswer property_answer(std::span<const Point> points, DeviceRef device,
                                      std::span<const PointIndex> wanted, const Latest& latest,
                                      const EventClock& clock);

}  // namespace fieldgate
