#pragma once
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "model/reading.h"

namespace fieldgate {

/// Which device a DeviceIndex means. Grows only: an index means the same device for as long as the
/// process lives, whether the site has it at the moment or not. Runs on the loop.
class DeviceTable {
public:
    /// The gateway itself, which reports as a device of its own.
    static constexpr DeviceIndex gateway = 0;
    /// All that were ever known in one life.
    static constexpr std::size_t devices_max = 100'000;

    /// With the gateway in it.
    DeviceTable() : ids_(1) {}

    /// The index of `device_id`, a new one if it has none. nullopt: the table is full.
    std::optional<DeviceIndex> intern(std::string_view device_id);
    /// The id; empty for the gateway.
    const std::string& operator[](DeviceIndex device) const { return ids_[device]; }
    std::size_t size() const { return ids_.size(); }

private:
    std::deque<std::string> ids_;
    std::unordered_map<std::string_view, DeviceIndex> indices_;  // views into ids_
};

}  // namespace fieldgate
