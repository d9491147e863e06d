#pragma once
#include <source_location>

namespace fieldgate {

/// What we promise ourselves, checked in every build: logs where and aborts. systemd starts us
/// again, and the outbox has kept the data. For what the world does to us there is Result.
[[noreturn]] void expectation_failed(const char* what, std::source_location where);

inline void expect(bool kept, const char* what,
                   std::source_location where = std::source_location::current()) {
    if (!kept) [[unlikely]]
        expectation_failed(what, where);
}

}  // namespace fieldgate
