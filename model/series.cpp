#include "model/series.h"

namespace fieldgate {

SeriesId SeriesTable::intern(std::string_view device_id, std::string_view service_id) {
    std::string key(device_id);
    key += '\0';
    key += service_id;
    const auto [known, added] =
        ids_.try_emplace(std::move(key), static_cast<SeriesId>(series_.size()));
    if (added) series_.push_back({std::string(device_id), std::string(service_id)});
    return known->second;
}

}  // namespace fieldgate
