#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "northbound/downlink.h"

namespace fieldgate::northbound::iotda {

/// Why a message, or an event in it, is passed over in silence.
enum class Passed : std::uint8_t {
    own_answer,     ///< The filter of the commands matches our answers as well.
    other_topic,    ///< Nothing that we know; also the topics of another device.
    bad_id,         ///< A request without an id that could stand in the topic of an answer.
    unreadable,     ///< No JSON, too large, too deep, or no envelope.
    unknown_event,  ///< A service or an event type that this version does not know.
    bad_notice,     ///< Of a known type, with members missing or of a wrong type.
};
inline constexpr std::size_t passed_kinds = 6;
const char* to_string(Passed why);

struct Decoded {
    struct Silence {
        Passed why;
        std::string what;
    };
    std::vector<Downlink> downlinks;
    std::vector<Silence> passed;
};

inline constexpr std::size_t request_bytes_max = std::size_t{64} * 1024;
/// Of everything else.
inline constexpr std::size_t notice_bytes_max = std::size_t{256} * 1024;
inline constexpr std::size_t request_id_max = 256;

/// What a message from the platform to `device_id` means (protocol reference 2.3 to 2.5, 3.1, 4,
/// 5). Pure; takes any bytes.
///
/// One request at most, or as many notices as the message has events. JSON of at most 32 levels, no
/// key twice. Optional members that are null count as absent, unknown ones are not looked at. A
/// request that breaks the rules becomes Malformed as long as its id is known: at most 256
/// printable ASCII characters, none of them a wildcard of topics.
Decoded decode(std::string_view device_id, std::string_view topic, std::string_view payload);

}  // namespace fieldgate::northbound::iotda
