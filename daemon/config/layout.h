#pragma once
#include <string_view>
#include <vector>

#include "daemon/config/lines.h"

namespace fieldgate::config {

/// Looks at a YAML text before the parser does, for what the parser reports badly or not at all:
/// bytes that are no text, tabs, directives, quotes and brackets that are never closed, and nesting
/// so deep that the parser would give up on line 1. Linear in the text, not recursive.
///
/// Block scalars are skipped; the parser has the last word on everything else.
std::vector<Fault> scan_layout(std::string_view text, const Lines& lines);

}  // namespace fieldgate::config
