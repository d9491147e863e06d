#pragma once
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/record.h"
#include "model/series.h"
#include "northbound/payload_limit.h"
#include "northbound/settings.h"

namespace fieldgate::northbound {

/// The records of one publish, collected under the limits. Pure.
///
/// In one publish a device stands once; its services may stand several times with rising event_time
/// (limits.history). The gateway's own records travel alone, without sub-devices: another topic.
/// A parcel is full a little before limits.payload_bytes where that uses the bandwidth better
/// (comfortable_payload), or where the link (goodput.h) or the platform (payload_limit.h) takes
/// less; a single record may use all of it.
class Parcel {
public:
    /// All of them must outlive the parcel. `learned`: what the platform takes. `gateway_id`: whose
    /// records are its own. `link_bytes`: what the link takes at one time (goodput.h).
    Parcel(const Limits& limits, const PayloadLimit& learned, const SeriesTable& series,
           std::string_view gateway_id,
           std::size_t link_bytes = std::numeric_limits<std::size_t>::max());

    /// `never`: larger than limits.payload_bytes even alone, or than the platform takes; otherwise
    /// `full` needs the next parcel.
    Fit add(const Record& record);

    bool empty() const { return records_ == 0; }
    std::size_t records() const { return records_; }
    /// True: the gateway's own properties (…/sys/properties/report).
    bool own() const { return own_; }
    /// Exact length of what encode() will write.
    std::size_t payload_bytes() const { return bytes_; }

    struct Entry {
        SeriesId series;
        Utc at;
        std::string properties;
    };
    struct Device {
        std::string_view device_id;
        std::vector<Entry> entries;
    };
    const std::vector<Device>& devices() const { return devices_; }
    const SeriesTable& series() const { return series_; }

private:
    // What is known of a series that was offered once.
    struct Seen {
        bool own = false;
        std::size_t device_bytes = 0;  // of its device, without entries
        std::size_t entry_bytes = 0;   // of an entry, without its properties
        std::size_t entries = 0;       // of it in this parcel
        Utc last;
    };

    Seen& seen(SeriesId id);

    const Limits& limits_;
    const PayloadLimit& learned_;
    const SeriesTable& series_;
    std::string_view gateway_id_;
    std::size_t comfortable_bytes_;
    std::vector<Device> devices_;
    std::unordered_map<std::string_view, std::size_t> device_at_;  // device id -> place in devices_
    std::unordered_map<SeriesId, Seen> seen_;
    std::size_t records_ = 0;
    std::size_t bytes_ = 0;
    bool own_ = false;
};

}  // namespace fieldgate::northbound
