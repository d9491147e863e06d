#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "daemon/site/site.h"

namespace fieldgate {

/// What is to be done so that one site becomes another. Pure.
struct SiteChange {
    /// What becomes of the devices of one bus whose wire stays as it is.
    struct Redeviced {
        std::string bus;
        std::vector<southbound::DeviceSettings> devices;  ///< All that it has then.
        std::size_t added = 0, removed = 0, changed = 0, untouched = 0;
    };

    // Buses, by name.
    std::vector<std::string> lines_gone;
    std::vector<std::string> lines_new;
    std::vector<std::string> lines_rewired;  ///< The wire's own settings differ: closed, and anew.
    std::vector<Redeviced> redeviced;
    // Devices. Of another edition are those whose points, registers, unit, wire or name differ.
    std::vector<DeviceIndex> gone;
    std::vector<DeviceIndex> fresh;
    std::vector<DeviceIndex> remapped;  ///< Of another edition; the gateway may be among them.

    bool own = false;       ///< What the gateway reports of itself, or how often.
    bool commands = false;  ///< What devices may be told.
    bool platform = false;  ///< The next connection is another one.
    bool remote = false;    ///< Powers, and what else holds for the next request.
    bool clock = false;
    /// restarts_owed(): said, not done.
    std::vector<std::string> needs_restart;

    /// Nothing moves.
    bool empty() const;
};

SiteChange compare(const Site& before, const Site& after);

/// Keys whose change takes a restart: those of `now` that are not as a life has begun with them.
std::vector<std::string> restarts_owed(const Config& begun, const Config& now);

/// What there is to say of a configuration that has no error, a line each: what is switched on, and
/// not in this version; which credentials no reload reads anew.
std::vector<std::string> remarks(const Config& config);

/// For people, a line each: "line1: 2 devices added, 38 untouched", "line2: new".
std::vector<std::string> describe(const SiteChange& change, const Site& after);

}  // namespace fieldgate
