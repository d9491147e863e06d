#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

namespace fieldgate::log {

/// syslog(3) priorities, so that a line's "<N>" prefix means to journald what it means here.
enum class Level : int { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

struct Field {
    std::string_view key;
    std::string value;
};

/// Lines less important than `level` are dropped. Default: info.
void set_level(Level level);

/// Writes "<N>event key=value ..." to stderr, one write(2) a line: any thread. Values with spaces
/// or control characters are quoted and escaped, so a line stays a line whatever a device or the
/// platform put into it. Log transitions, not occurrences; never a secret.
void write(Level level, std::string_view event, std::initializer_list<Field> fields);

inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::error, event, fields);
}
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::warning, event, fields);
}
inline void notice(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::notice, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::info, event, fields);
}
inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::debug, event, fields);
}

}  // namespace fieldgate::log
