#include "daemon/clock.h"

#include <sys/timex.h>

#include <chrono>
#include <cstdlib>
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

Utc build_date() {
    using namespace std::chrono;
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    constexpr std::string_view date = __DATE__;  // "Nov 22 2026"
    const auto month_number = static_cast<unsigned>(months.find(date.substr(0, 3)) / 3 + 1);
    const int day_number = std::atoi(std::string(date.substr(4, 2)).c_str());
    const int year_number = std::atoi(std::string(date.substr(7, 4)).c_str());
    const year_month_day built =
        year(year_number) / month(month_number) / day(static_cast<unsigned>(day_number));
    return sys_days(built);
}

std::string boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

}  // namespace fieldgate
