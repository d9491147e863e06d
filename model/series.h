#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fieldgate {

/// One service of one device, as the platform names them: what event_time is strictly increasing
/// within.
using SeriesId = std::uint32_t;

struct Series {
    std::string device_id;
    std::string service_id;
};

/// The names behind SeriesId. Grows only; as many as devices times services. A name stays where it
/// is: parcels under way point to it. Runs on the loop.
class SeriesTable {
public:
    SeriesId intern(std::string_view device_id, std::string_view service_id);
    const Series& operator[](SeriesId id) const { return series_[id]; }
    std::size_t size() const { return series_.size(); }

private:
    std::deque<Series> series_;
    std::unordered_map<std::string, SeriesId> ids_;  // "device_id\0service_id"
};

}  // namespace fieldgate
