#include "northbound/parcel.h"

#include <algorithm>

#include "base/json.h"
#include "northbound/pacer.h"
#include "northbound/parcel_text.h"

namespace fieldgate::northbound {
namespace {

namespace text = parcel_text;

constexpr std::size_t sub_devices_max = 100;  // protocol reference 2.2

constexpr std::size_t own_frame = text::own_open.size() + text::own_close.size();
constexpr std::size_t batch_frame = text::batch_open.size() + text::batch_close.size();
constexpr std::size_t device_frame =
    text::device_open.size() + text::device_services.size() + text::device_close.size();
constexpr std::size_t entry_frame = text::entry_open.size() + text::entry_properties.size() +
                                    text::entry_time.size() + text::time_bytes +
                                    text::entry_close.size();

std::size_t quoted_bytes(std::string_view name) {
    std::string quoted;
    json::append_string(quoted, name);
    return quoted.size();
}

}  // namespace

Parcel::Parcel(const Limits& limits, const PayloadLimit& learned, const SeriesTable& series,
               std::string_view gateway_id, std::size_t link_bytes)
    : limits_(limits),
      learned_(learned),
      series_(series),
      gateway_id_(gateway_id),
      comfortable_bytes_(std::min({comfortable_payload(limits), learned.bytes(), link_bytes})) {}

Parcel::Seen& Parcel::seen(SeriesId id) {
    const auto [place, added] = seen_.try_emplace(id);
    Seen& it = place->second;
    if (!added) return it;
    const Series& name = series_[id];
    it.own = name.device_id == gateway_id_;
    it.device_bytes = it.own ? 0 : device_frame + quoted_bytes(name.device_id);
    it.entry_bytes = entry_frame + quoted_bytes(name.service_id);
    return it;
}

Fit Parcel::add(const Record& record) {
    Seen& it = seen(record.series);
    const std::size_t frame = it.own ? own_frame : batch_frame;
    const std::size_t entry = it.entry_bytes + record.properties.size();
    const std::size_t alone = frame + it.device_bytes + entry;
    if (alone > limits_.payload_bytes || learned_.never(alone)) return Fit::never;
    if (!empty() && own_ != it.own) return Fit::full;
    if (it.entries > 0 && (record.at <= it.last || it.entries >= limits_.history)) return Fit::full;

    const std::string_view device_id = series_[record.series].device_id;
    const auto known = device_at_.find(device_id);
    const bool new_device = known == device_at_.end();
    if (new_device && devices_.size() >= std::min(limits_.sub_devices, sub_devices_max) && !empty())
        return Fit::full;
    std::size_t bytes = empty() ? frame : bytes_ + text::comma_bytes;
    bytes += entry + (new_device ? it.device_bytes : 0);
    if (!empty() && bytes > comfortable_bytes_) return Fit::full;

    std::size_t place = devices_.size();
    if (new_device) {
        device_at_.emplace(device_id, place);
        devices_.push_back({device_id, {}});
    } else {
        place = known->second;
    }
    devices_[place].entries.push_back({record.series, record.at, record.properties});
    bytes_ = bytes;
    own_ = it.own;
    it.last = record.at;
    ++it.entries;
    ++records_;
    return Fit::taken;
}

}  // namespace fieldgate::northbound
