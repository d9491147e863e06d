#include "tests/lab/platform/judge.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>

#include "tests/lab/platform/admission.h"

namespace fieldgate::lab {
namespace {

constexpr std::size_t devices_max = 100;  // protocol reference 2.2, 4.4

const std::string* text_of(const json::Value& object, const char* key) {
    const json::Value* member = object.get(key);
    return member == nullptr ? nullptr : member->string();
}

int number_at(std::string_view text, std::size_t from, std::size_t length) {
    int number = 0;
    std::from_chars(text.data() + from, text.data() + from + length, number);
    return number;
}

bool has_form(std::string_view text, std::string_view form) {
    return std::equal(text.begin(), text.end(), form.begin(), form.end(),
                      [](char c, char f) { return f == '0' ? c >= '0' && c <= '9' : c == f; });
}

std::string sentence(std::initializer_list<std::string_view> words) {
    std::string text;
    for (const std::string_view word : words) text += word;
    return text;
}

std::string key_of(const std::string& device, const std::string& service,
                   const std::string& property) {
    return device + "/" + service + "/" + property;
}

}  // namespace

std::optional<std::int64_t> parse_event_time(std::string_view text) {
    using namespace std::chrono;
    if (!has_form(text, "0000-00-00T00:00:00.000Z")) return std::nullopt;
    const year_month_day date{year(number_at(text, 0, 4)),
                              month(static_cast<unsigned>(number_at(text, 5, 2))),
                              day(static_cast<unsigned>(number_at(text, 8, 2)))};
    const int hour = number_at(text, 11, 2);
    const int minute = number_at(text, 14, 2);
    const int second = number_at(text, 17, 2);
    if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const auto time = sys_days(date) + hours(hour) + minutes(minute) + seconds(second) +
                      milliseconds(number_at(text, 20, 3));
    return time.time_since_epoch().count();
}

void Judge::blame(const Entry& entry, const std::string& text) {
    violations_.push_back({entry.at, text});
}

void Judge::hear(const Entry& entry) {
    switch (entry.kind) {
        case Entry::Kind::opened:
            connections_.clear();
            return;
        case Entry::Kind::connected:
            connections_[entry.session] = Connection();
            ++counts_.connections;
            return;
        case Entry::Kind::closed:
            connections_.erase(entry.session);
            return;
        case Entry::Kind::refused:
            return blame(entry, entry.topic.empty()
                                    ? "login of \"" + entry.client_id + "\" refused: " + entry.text
                                    : "\"" + entry.topic + "\" refused: " + entry.text);
        case Entry::Kind::published:
            return publish(entry);
    }
}

void Judge::publish(const Entry& entry) {
    ++counts_.publishes;
    counts_.bytes += entry.text.size();
    Connection& connection = connections_[entry.session];
    pace(entry, connection);
    const std::optional<Uplink> kind = uplink_kind(entry.device, entry.topic);
    if (!kind) return blame(entry, "unknown topic \"" + entry.topic + "\"");
    if (*kind == Uplink::message || *kind == Uplink::custom) {
        messages_.push_back({entry.at, entry.topic, entry.text});
        return;
    }
    const Result<json::Value> payload = json::parse(entry.text, {1'048'576, 32});
    if (!payload) return blame(entry, entry.topic + ": no JSON: " + payload.error().what);
    if (payload->object() == nullptr) return blame(entry, entry.topic + ": no JSON object");
    if (*kind == Uplink::batch_report) return batch(entry, *payload, connection);
    if (*kind == Uplink::report) return report(entry, *payload, connection);
    if (*kind == Uplink::event) return event(entry, *payload, connection);
    messages_.push_back({entry.at, entry.topic, entry.text});
}

void Judge::pace(const Entry& entry, Connection& connection) {
    if (!rules_.publishes_max) return;
    std::deque<std::int64_t>& recent = connection.recent;
    recent.push_back(entry.at);
    while (recent.front() <= entry.at - 1000) recent.pop_front();
    if (recent.size() <= *rules_.publishes_max) return;
    blame(entry, std::to_string(recent.size()) + " publishes within a second");
    recent.clear();
}

void Judge::report(const Entry& entry, const json::Value& payload, Connection& connection) {
    if (entry.text.size() > rules_.payload_bytes_max)
        blame(entry, "a report of " + std::to_string(entry.text.size()) + " bytes");
    if (!connection.introduced && connection.told.insert("").second)
        blame(entry, "data before sdk_info");
    services(entry, entry.device, payload.get("services"));
}

void Judge::batch(const Entry& entry, const json::Value& payload, Connection& connection) {
    ++counts_.batches;
    if (entry.text.size() > rules_.payload_bytes_max)
        blame(entry, "a batch of " + std::to_string(entry.text.size()) + " bytes");
    if (!connection.introduced && connection.told.insert("").second)
        blame(entry, "data before sdk_info");
    const json::Value* list = payload.get("devices");
    if (list == nullptr || list->array() == nullptr) return blame(entry, "a batch without devices");
    const json::Value::Array& devices = *list->array();
    if (devices.empty() || devices.size() > devices_max)
        blame(entry, "a batch of " + std::to_string(devices.size()) + " devices");
    std::set<std::string> named;
    for (const json::Value& one : devices) {
        const std::string* device = text_of(one, "device_id");
        if (device == nullptr) {
            blame(entry, "a batch entry without device_id");
            continue;
        }
        if (!named.insert(*device).second) blame(entry, *device + " twice in one batch");
        if (!rules_.sub_devices.empty() && rules_.sub_devices.count(*device) == 0)
            blame(entry, *device + " is no sub-device");
        if (connection.known.count(*device) == 0 && connection.told.insert(*device).second)
            blame(entry, "data of " + *device + " before its status");
        services(entry, *device, one.get("services"));
    }
}

void Judge::services(const Entry& entry, const std::string& device, const json::Value* list) {
    if (list == nullptr || list->array() == nullptr || list->array()->empty())
        return blame(entry, device + ": no services");
    for (const json::Value& one : *list->array()) service(entry, device, one);
}

void Judge::service(const Entry& entry, const std::string& device, const json::Value& one) {
    const std::string* id = text_of(one, "service_id");
    if (id == nullptr) return blame(entry, device + ": a service without service_id");
    std::string where = device;
    where.append("/").append(*id);
    const std::string* time_text = text_of(one, "event_time");
    const std::optional<std::int64_t> time =
        time_text == nullptr ? std::nullopt : parse_event_time(*time_text);
    if (!time) return blame(entry, where + ": event_time " + (time_text ? *time_text : "missing"));
    if (rules_.ahead_ms_max && *time > entry.at + *rules_.ahead_ms_max)
        blame(entry, where + ": event_time " + *time_text + " lies in the future");
    const json::Value* properties = one.get("properties");
    if (properties == nullptr || properties->object() == nullptr || properties->object()->empty())
        return blame(entry, where + ": no properties");
    Record record{entry.at, device, *id, *time, {}};
    std::string all;
    const Product* product = product_of(device);
    for (const auto& [name, value] : *properties->object()) {
        std::string text;
        json::append_value(text, value);
        const std::string fault = product == nullptr ? "" : product->fault(*id, name, value);
        if (!fault.empty()) blame(entry, sentence({where, "/", name, ": ", text, " ", fault}));
        record.properties[name] = text;
    }
    for (const auto& [name, text] : record.properties) all += sentence({name, "=", text, ";"});
    keep(entry, std::move(record), std::hash<std::string>()(all));
}

void Judge::keep(const Entry& entry, Record record, std::size_t hash) {
    Series& series = series_[{record.device, record.service}];
    const auto [seen, first] = series.seen.emplace(record.event_time, hash);
    const std::string where = record.device + "/" + record.service;
    if (!first) {
        ++counts_.duplicates;
        if (seen->second != hash)
            blame(entry,
                  where + ": two contents for event_time " + std::to_string(record.event_time));
        return;
    }
    if (!in_a_lane(series, record.event_time))
        blame(entry, where + ": event_time " + std::to_string(record.event_time) +
                         " comes after a later one");
    ++counts_.records;
    counts_.values += record.properties.size();
    for (const auto& [name, text] : record.properties) {
        Last& last = last_[key_of(record.device, record.service, name)];
        if (record.event_time >= last.event_time) last = {text, record.event_time};
    }
    records_.push_back(std::move(record));
}

// Splitting into the fewest rising sequences: each time goes behind the largest that is smaller.
bool Judge::in_a_lane(Series& series, std::int64_t event_time) const {
    for (std::int64_t& top : series.tops) {
        if (top >= event_time) continue;
        top = event_time;
        return true;
    }
    if (series.tops.size() >= rules_.lanes) return false;
    series.tops.push_back(event_time);
    return true;
}

void Judge::event(const Entry& entry, const json::Value& payload, Connection& connection) {
    const json::Value* list = payload.get("services");
    if (list == nullptr || list->array() == nullptr)
        return blame(entry, "an event without services");
    for (const json::Value& one : *list->array()) one_event(entry, one, connection);
    messages_.push_back({entry.at, entry.topic, entry.text});
}

void Judge::one_event(const Entry& entry, const json::Value& one, Connection& connection) {
    static const std::set<std::string> known{"$sub_device_manager/sub_device_sync_request",
                                             "$sub_device_manager/add_sub_device_request",
                                             "$sub_device_manager/delete_sub_device_request",
                                             "$time_sync/time_sync_request",
                                             "$log/log_report",
                                             "$ota/version_report",
                                             "$ota/upgrade_progress_report",
                                             "$ota/get_package",
                                             "$file_manager/get_upload_url",
                                             "$file_manager/get_download_url",
                                             "$file_manager/upload_result_report",
                                             "$file_manager/download_result_report",
                                             "$device_config/config_update_response"};
    const std::string* service = text_of(one, "service_id");
    const std::string* type = text_of(one, "event_type");
    if (service == nullptr || type == nullptr)
        return blame(entry, "an event without service_id or event_type");
    const std::string* time = text_of(one, "event_time");
    if (time != nullptr && !has_form(*time, "00000000T000000Z") && !parse_event_time(*time))
        blame(entry, *type + ": event_time " + *time);
    if (*service == "$sdk_info" && *type == "sdk_info_report") {
        connection.introduced = true;
    } else if (*service == "$sub_device_manager" && *type == "sub_device_update_status") {
        update_status(entry, one, connection);
    } else if (service->starts_with("$") && known.count(*service + "/" + *type) == 0) {
        blame(entry, "unknown event " + *service + "/" + *type);
    }
}

void Judge::update_status(const Entry& entry, const json::Value& one, Connection& connection) {
    if (!connection.introduced && connection.told.insert("").second)
        blame(entry, "status before sdk_info");
    if (text_of(one, "event_id") == nullptr) blame(entry, "sub_device_update_status: no event_id");
    const json::Value* paras = one.get("paras");
    const json::Value* list = paras == nullptr ? nullptr : paras->get("device_statuses");
    if (list == nullptr || list->array() == nullptr)
        return blame(entry, "sub_device_update_status: no device_statuses");
    const json::Value::Array& statuses = *list->array();
    if (statuses.empty() || statuses.size() > devices_max)
        blame(entry, "sub_device_update_status of " + std::to_string(statuses.size()) + " devices");
    for (const json::Value& status : statuses) {
        const std::string* device = text_of(status, "device_id");
        const std::string* word = text_of(status, "status");
        if (device == nullptr || word == nullptr || (*word != "ONLINE" && *word != "OFFLINE")) {
            blame(entry, "sub_device_update_status: no device with ONLINE or OFFLINE");
            continue;
        }
        if (!rules_.sub_devices.empty() && rules_.sub_devices.count(*device) == 0)
            blame(entry, *device + " is no sub-device");
        connection.known.insert(*device);
        online_[*device] = *word;
        statuses_.push_back({entry.at, *device, *word});
    }
}

const Product* Judge::product_of(const std::string& device) const {
    for (const auto& [id, product] : rules_.products)
        if (device.starts_with(id + "_")) return &product;
    return nullptr;
}

std::string Judge::status(const std::string& device) const {
    const auto found = online_.find(device);
    return found == online_.end() ? "INACTIVE" : found->second;
}

std::optional<std::pair<std::string, std::int64_t>> Judge::last(const std::string& device,
                                                                const std::string& service,
                                                                const std::string& property) const {
    const auto found = last_.find(key_of(device, service, property));
    if (found == last_.end()) return std::nullopt;
    return std::pair(found->second.value, found->second.event_time);
}

}  // namespace fieldgate::lab
