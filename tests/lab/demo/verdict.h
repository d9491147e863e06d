#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "tests/lab/demo/truth.h"
#include "tests/lab/platform/judge.h"

namespace fieldgate::lab {

/// What is missing or wrong after a demo, one line for each; empty: all well. Pure.
///
/// Every property that the plant has must have arrived at least once; each value that arrived must
/// have been the plant's own at its event time; nothing may have been judged.
std::vector<std::string> verdict(const Truth& truth, std::chrono::milliseconds tick,
                                 const std::vector<Record>& records,
                                 const std::vector<Violation>& violations);

}  // namespace fieldgate::lab
