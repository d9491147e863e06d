#pragma once
#include "daemon/flows.h"
#include "northbound/downlink.h"

namespace fieldgate {

/// Does what a notice of the platform calls for, at once. On the loop.
void take(Parts& parts, const northbound::Notice& notice);

}  // namespace fieldgate
