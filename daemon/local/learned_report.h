#pragma once
#include <string>
#include <vector>

#include "base/json.h"
#include "daemon/config.h"

namespace fieldgate {

/// What one device does not give, for people: "holding:32018..32063 refused (exception 2)".
struct LearnedLines {
    std::string device;
    std::vector<std::string> lines;
};

/// What a gateway has learned of its devices, out of its `status --json`.
std::vector<LearnedLines> learned_of(const json::Value& status);

/// The same of the gateway that runs on this machine, if it answers and runs this configuration;
/// else nothing. Blocks, 5 s at most.
std::vector<LearnedLines> ask_what_was_learned(const Config& config);

}  // namespace fieldgate
