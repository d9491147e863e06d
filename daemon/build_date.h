#pragma once
#include "model/record.h"

namespace fieldgate {

/// The day (UTC) of the sources that this program was built from; no right clock shows an earlier
/// time, and no record is older. From SOURCE_DATE_EPOCH or the last commit, not from the clock of
/// the machine that built it.
Utc build_date();

}  // namespace fieldgate
