#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/member_reader.h"
#include "model/record.h"

/// The envelope of everything on events/up and events/down (protocol reference 4.0). Pure.
namespace fieldgate::northbound::iotda {

/// Appends ,"name":"value" ("name":"value" after a bracket). `name` needs no escape.
void append_member(std::string& out, std::string_view name, std::string_view value);
void append_member(std::string& out, std::string_view name, std::int64_t value);

/// Opens an event up to its paras, which the caller writes. An empty `event_id` is left out.
std::string open_event(std::string_view service, std::string_view type, std::string_view event_id,
                       Utc now);
inline constexpr std::string_view close_event = "}}]}";

/// One event that came down. Valid as long as the message it was read from.
struct Event {
    std::string device_id;  ///< object_device_id; empty: none.
    std::string service_id;
    std::string type;
    std::string id;            ///< Empty: none.
    const json::Value& paras;  ///< An object, or null where there are none.
};

/// The events of a message; those without service or type, or with paras that are no object, are
/// errors of their own. Errors of the whole: bad_data (no envelope).
Result<std::vector<Result<Event>>> read_events(const json::Value& message);

/// A whole number, not below 0: a version, or the milliseconds since 1970 of $time_sync. Nullopt if
/// absent.
std::optional<std::int64_t> whole_number(MemberReader& reader, std::string_view key);
/// 0 after an error.
std::int64_t required_whole_number(MemberReader& reader, std::string_view key);

}  // namespace fieldgate::northbound::iotda
