#pragma once
#include <cstddef>
#include <unordered_map>
#include <vector>

#include "model/reading.h"

namespace fieldgate::southbound {

/// When each point of one device was last written. What was read of it before is history, and not
/// to be told any more.
class LastWrites {
public:
    /// `point` was, or may have been, written until `at`.
    void note(PointIndex point, Instant at) { written_[point] = at; }

    /// Takes out of `values` what was read at `read_at`, before the last write of its point.
    /// Returns how many that were.
    std::size_t drop_older(Instant read_at, std::vector<Reading>& values) const {
        if (written_.empty()) return 0;
        return std::erase_if(values, [&](const Reading& reading) {
            const auto last = written_.find(reading.point);
            return last != written_.end() && read_at <= last->second;
        });
    }

private:
    std::unordered_map<PointIndex, Instant> written_;
};

}  // namespace fieldgate::southbound
