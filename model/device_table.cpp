#include "model/device_table.h"

namespace fieldgate {

std::optional<DeviceIndex> DeviceTable::intern(std::string_view device_id) {
    const auto known = indices_.find(device_id);
    if (known != indices_.end()) return known->second;
    if (ids_.size() > devices_max) return std::nullopt;
    const auto index = static_cast<DeviceIndex>(ids_.size());
    indices_.emplace(ids_.emplace_back(device_id), index);
    return index;
}

}  // namespace fieldgate
