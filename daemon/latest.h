#pragma once
#include <optional>
#include <vector>

#include "model/reading.h"

namespace fieldgate {

/// The last reading of every point, for those who ask for it. Runs on the loop.
class Latest {
public:
    struct Entry {
        Value value;
        Instant at;
    };

    /// By device, how many points it has.
    explicit Latest(const std::vector<std::size_t>& points) {
        for (const std::size_t count : points) entries_.emplace_back(count);
    }

    void set(const Readings& readings) {
        for (const Reading& reading : readings.values)
            entries_[readings.device][reading.point] = Entry{reading.value, readings.at};
    }

    /// nullopt: never read.
    const std::optional<Entry>& get(DeviceIndex device, PointIndex point) const {
        return entries_[device][point];
    }

private:
    std::vector<std::vector<std::optional<Entry>>> entries_;
};

}  // namespace fieldgate
