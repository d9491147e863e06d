#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

namespace fieldgate::log {
namespace {

std::atomic<Level> threshold = Level::info;

bool is_plain(char c) { return c > ' ' && c != '"' && c != '=' && c != '\\' && c != 0x7f; }

void append_value(std::string& line, std::string_view value) {
    if (!value.empty() && std::all_of(value.begin(), value.end(), is_plain)) {
        line.append(value);
        return;
    }
    line += '"';
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            line += '\\';
            line += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
            line += escaped;
        } else {
            line += c;
        }
    }
    line += '"';
}

}  // namespace

void set_level(Level level) { threshold = level; }

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    if (level > threshold.load()) return;
    std::string line = "<" + std::to_string(static_cast<int>(level)) + ">";
    line.append(event);
    for (const Field& field : fields) {
        line.append(" ").append(field.key).append("=");
        append_value(line, field.value);
    }
    line += '\n';
    // One write(2): lines of several threads do not mix. A log that cannot be written is lost.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace fieldgate::log
