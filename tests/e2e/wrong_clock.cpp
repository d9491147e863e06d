#include "tests/e2e/wrong_clock.h"

namespace fieldgate::e2e {
namespace {

// Debian has it in a folder of the machine's architecture.
std::string faketime() {
    for (const auto& folder : std::filesystem::directory_iterator("/usr/lib")) {
        const auto library = folder.path() / "faketime/libfaketime.so.1";
        std::error_code absent;
        if (std::filesystem::exists(library, absent)) return library.string();
    }
    return "";
}

}  // namespace

std::string no_wrong_clock() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return "a sanitizer's library must be the first, and so must libfaketime";
#endif
    return faketime().empty() ? "no libfaketime here" : "";
}

std::vector<std::string> wrong_clock(const std::filesystem::path& clock) {
    return {std::string("LD_PRELOAD=") + FIELDGATE_TRUE_TIMERFD_LIBRARY + ":" + faketime(),
            "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
            "FAKETIME_TIMESTAMP_FILE=" + clock.string()};
}

}  // namespace fieldgate::e2e
