#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "daemon/config.h"
#include "daemon/site/directory.h"
#include "model/device_table.h"

namespace fieldgate {

/// A whole site, checked, with its names resolved: never changed, but followed by another. Whoever
/// is at work holds the one he began with (SitePtr), so that what a name meant then it means until
/// he is done.
struct Site {
    Site(std::uint64_t its_revision, Config checked, const std::vector<DeviceRef>& devices,
         DeviceRef gateway);
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    /// The devices of one bus (by its position in `config`), as southbound wants them.
    std::vector<southbound::DeviceSettings> devices_of(std::size_t bus) const;

    const std::uint64_t revision;  ///< 1, 2, ... in one life
    const Config config;
    const Directory directory;
};
using SitePtr = std::shared_ptr<const Site>;

/// The first site of a life; or the one that follows `before`. Points and registers that are as
/// before stay the very same objects, and a device that has them keeps its edition. Errors:
/// out_of_range (more devices than `table` takes; the text names one).
Result<SitePtr> make_site(Config config, DeviceTable& table, const Site* before = nullptr);

}  // namespace fieldgate
