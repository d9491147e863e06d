#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "southbound/modbus/field.h"

namespace fieldgate::southbound::modbus {

/// What one device has taught us about how it is read (DevicePlan). A value, in the addresses of
/// the wire: kept over a restart, shown to people.
struct Lessons {
    static constexpr std::uint8_t silence = 0;   ///< No answer at all.
    static constexpr std::uint8_t untrue = 255;  ///< An answer that cannot be true: empty, short.

    /// Registers (bits) that the device does not give even if they are asked for alone.
    struct Refusal {
        Table table = Table::holding;
        std::uint16_t first = 0;
        std::uint16_t last = 0;  ///< Included.
        /// Its answer: an exception (Application Protocol V1.1b3, 7), or one of the two below.
        std::uint8_t exception = silence;
        std::uint32_t times = 1;  ///< How often; its retries get rarer.
        bool operator==(const Refusal&) const = default;
    };
    /// The most that it gives in one answer, where that is less than the map allows.
    struct Longest {
        Table table = Table::holding;
        std::uint16_t count = 0;
        bool operator==(const Longest&) const = default;
    };
    /// It answers up to there and from there on, not across.
    struct Edge {
        Table table = Table::holding;
        std::uint16_t at = 0;
        bool operator==(const Edge&) const = default;
    };
    std::vector<Refusal> refused;  ///< By table and address.
    std::vector<Longest> longest;
    std::vector<Edge> edges;

    bool empty() const { return refused.empty() && longest.empty() && edges.empty(); }
    bool operator==(const Lessons&) const = default;
};

/// "holding:32018..32063 refused (exception 2)", a line each.
std::vector<std::string> describe(const Lessons& lessons);

/// Appends {"refused": […], "longest": […], "edges": […]}.
void write_json(json::Writer& out, const Lessons& lessons);
/// What write_json() has written. Errors: bad_data.
Result<Lessons> lessons_of(std::string_view json);
Result<Lessons> lessons_of(const json::Value& json);

/// Says for which unit and registers lessons are true: 64 hex digits over what decides how a device
/// is read (where its points lie, how wide they are, and what the template says about requests),
/// not over what its values mean.
std::string layout_digest(std::uint8_t unit, const RegisterMap& map);

}  // namespace fieldgate::southbound::modbus
