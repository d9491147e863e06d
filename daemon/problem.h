#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fieldgate {

/// One thing wrong with a configuration file, where an editor can jump to it.
struct Problem {
    enum class Severity : std::uint8_t { error, warning };
    std::string file;  ///< As named from the main file's folder.
    int line = 0;      ///< From 1. YAML::Mark counts from 0; converted once, in the reader.
    int column = 0;    ///< From 1.
    std::string path;  ///< Where in the document: "services.Electrical.voltage.at".
    Severity severity = Severity::error;
    std::string what;
    std::string hint;       ///< What would have been right; may be empty.
    std::string line_text;  ///< The source line, for the caret; empty if it may hold a secret.
};

/// "FILE:LINE:COLUMN: PATH: WHAT" (warnings "…: warning: PATH: WHAT"), the line itself, a caret and
/// the hint. Without a path or a line text, they are left out. No byte of the file reaches the
/// terminal as a control character.
std::string describe(const Problem& problem);

/// The same on one line, for a log: "FILE:LINE:COLUMN: PATH: WHAT (HINT)".
std::string describe_briefly(const Problem& problem);

/// How many of them are errors.
std::size_t error_count(const std::vector<Problem>& problems);

/// Each of them described, on stderr.
void print_problems(const std::vector<Problem>& problems);

/// Appends `"problems":[{"file":...,"line":...,"column":...,"path":...,"severity":...,"what":...,
/// "hint":...},...]`: a member of the object that `--json` prints.
void append_problems_json(std::string& out, const std::vector<Problem>& problems);

}  // namespace fieldgate
