#include "daemon/problem.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "base/json.h"
#include "daemon/config/lines.h"

namespace fieldgate {
namespace {

// How much of a long line is shown before and behind the caret, in characters.
constexpr int shown_before = 200;
constexpr int shown_behind = 200;

// Columns that a terminal gives to the character: East Asian wide ones take two, combining ones
// none (the ranges that texts are made of; not the whole of Unicode).
int columns_of(std::string_view character) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(character[i]); };
    std::uint32_t code = byte(0);
    if (character.size() == 2) code = (code & 0x1FU) << 6 | (byte(1) & 0x3FU);
    if (character.size() == 3)
        code = (code & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
    if (character.size() == 4) return 2;  // ideographs and pictures
    if (code >= 0x300 && code <= 0x36F) return 0;
    const bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                      (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                      (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60);
    return wide ? 2 : 1;
}

bool is_control(std::string_view character) {
    const auto first = static_cast<std::uint8_t>(character[0]);
    if (character.size() == 1) return first < 0x20 || first == 0x7F;
    // U+0080 to U+009F: C1, which some terminals obey.
    return character.size() == 2 && first == 0xC2 && static_cast<std::uint8_t>(character[1]) < 0xA0;
}

// A control character becomes a blank, what is no UTF-8 a question mark: one column each.
struct Shown {
    std::string text;
    int columns = 0;  // in front of the caret
};

Shown show(std::string_view line, int column) {
    Shown shown;
    int at = 1;
    const int first = column > shown_before ? column - shown_before : 1;
    while (!line.empty() && at < column + shown_behind) {
        const std::size_t length = config::utf8_length(line.substr(0, 4));
        std::string_view character = line.substr(0, length);
        line.remove_prefix(length == 0 ? 1 : length);
        if (length == 0) {
            character = "?";
        } else if (is_control(character)) {
            character = " ";
        }
        if (at >= first) {
            shown.text += character;
            if (at < column) shown.columns += columns_of(character);
        }
        ++at;
    }
    if (at < column) shown.columns += column - at;  // behind the end of the line
    return shown;
}

std::string plain(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = config::utf8_length(text.substr(0, 4));
        const std::string_view character = text.substr(0, length);
        if (length == 0) {
            out += '?';
        } else if (is_control(character)) {
            out += ' ';
        } else {
            out += character;
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

void append_member(std::string& out, const char* name, const std::string& text) {
    json::append_string(out, name);
    out += ':';
    json::append_string(out, text);
    out += ',';
}

std::string headline(const Problem& problem) {
    std::string text = plain(problem.file) + ':' + std::to_string(problem.line) + ':' +
                       std::to_string(problem.column) + ": ";
    if (problem.severity == Problem::Severity::warning) text += "warning: ";
    if (!problem.path.empty()) text += plain(problem.path) + ": ";
    return text + plain(problem.what);
}

}  // namespace

std::string describe(const Problem& problem) {
    std::string text = headline(problem);
    std::string margin = "\n    ";
    if (!problem.line_text.empty()) {
        const Shown shown = show(problem.line_text, problem.column);
        text += '\n' + shown.text + '\n' +
                std::string(static_cast<std::size_t>(shown.columns), ' ') + '^';
        margin = " ";
    }
    if (!problem.hint.empty()) text += margin + "hint: " + plain(problem.hint);
    return text;
}

std::string describe_briefly(const Problem& problem) {
    return headline(problem) + (problem.hint.empty() ? "" : " (" + plain(problem.hint) + ")");
}

void append_problems_json(std::string& out, const std::vector<Problem>& problems) {
    out += "\"problems\":[";
    for (const Problem& problem : problems) {
        if (&problem != &problems.front()) out += ',';
        out += '{';
        append_member(out, "file", problem.file);
        out += "\"line\":";
        json::append_integer(out, problem.line);
        out += ",\"column\":";
        json::append_integer(out, problem.column);
        out += ',';
        append_member(out, "path", problem.path);
        append_member(out, "severity",
                      problem.severity == Problem::Severity::error ? "error" : "warning");
        append_member(out, "what", problem.what);
        append_member(out, "hint", problem.hint);
        out.back() = '}';
    }
    out += ']';
}

std::size_t error_count(const std::vector<Problem>& problems) {
    const auto is_error = [](const Problem& one) {
        return one.severity == Problem::Severity::error;
    };
    return static_cast<std::size_t>(std::count_if(problems.begin(), problems.end(), is_error));
}

void print_problems(const std::vector<Problem>& problems) {
    for (const Problem& problem : problems) std::fputs((describe(problem) + "\n").c_str(), stderr);
}

}  // namespace fieldgate
