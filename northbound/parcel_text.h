#pragma once
#include <string_view>

/// The fixed pieces of a property report (protocol reference 2.1 and 2.2), for the one who counts
/// its bytes and the one who writes it.
namespace fieldgate::northbound::parcel_text {

inline constexpr std::string_view own_open = R"({"services":[)";
inline constexpr std::string_view own_close = "]}";
inline constexpr std::string_view batch_open = R"({"devices":[)";
inline constexpr std::string_view batch_close = "]}";
inline constexpr std::string_view device_open = R"({"device_id":)";
inline constexpr std::string_view device_services = R"(,"services":[)";
inline constexpr std::string_view device_close = "]}";
inline constexpr std::string_view entry_open = R"({"service_id":)";
inline constexpr std::string_view entry_properties = R"(,"properties":)";
inline constexpr std::string_view entry_time = R"(,"event_time":")";
inline constexpr std::string_view entry_close = R"("})";
inline constexpr std::size_t time_bytes = 24;  // append_event_time()
inline constexpr std::size_t comma_bytes = 1;

}  // namespace fieldgate::northbound::parcel_text
