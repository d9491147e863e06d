#pragma once
#include <string>
#include <vector>

#include "daemon/problem.h"

namespace fieldgate::config {

/// One text, read as a main file with buses and devices and as a template, without touching the
/// disk: files that it names exist and are empty, patterns match nothing.
std::vector<Problem> check_text(std::string text);

}  // namespace fieldgate::config
