#include "daemon/clock.h"

#include <sys/timex.h>

#include <chrono>
#include <fstream>

namespace fieldgate {

bool system_clock_synchronised() {
    timex kernel{};
    const int state = adjtimex(&kernel);  // modes 0: asks, sets nothing
    return state != -1 && state != TIME_ERROR && (kernel.status & STA_UNSYNC) == 0;
}

Utc system_clock_now() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

}  // namespace fieldgate
