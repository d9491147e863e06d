#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "daemon/config.h"
#include "model/reading.h"
#include "northbound/request.h"
#include "southbound/modbus/field.h"

namespace fieldgate {

struct Site;

/// A command to the gateway itself, as its product model names them (conf/models/Gateway):
/// understood and complete, so that nothing is left to go wrong but what it acts on.
struct OwnCommand {
    enum class Kind : std::uint8_t {
        get_status,
        get_plan,
        read_point,
        read_registers,
        scan_now,
        suspend_bus,
        resume_bus,
        set_period,
        set_log_level,
        reload,
        restart,
    };
    Kind kind = Kind::get_status;
    std::size_t bus = 0;                ///< By position; of those that name a bus or a device.
    std::optional<DeviceIndex> device;  ///< read_point; set_period of one device.
    PointIndex point = 0;               ///< read_point
    std::uint8_t unit = 0;              ///< read_registers, with the next three
    southbound::modbus::Table table = southbound::modbus::Table::holding;
    std::uint16_t first = 0;
    std::uint16_t count = 0;
    std::chrono::milliseconds period{0};  ///< set_period
    log::Level level = log::Level::info;  ///< set_log_level
    std::chrono::minutes lasts{0};        ///< Of what is for a time: 1 to 1440.

    /// It changes nothing, neither here nor in the field: a copy may be answered anew.
    bool only_reads() const { return kind <= Kind::read_registers; }
    /// It waits for the wire of its bus.
    bool needs_wire() const { return kind == Kind::read_point || kind == Kind::read_registers; }
};

/// The power of `remote:` that `command` needs (conf/fieldgate.yaml): nullptr if none; nullopt if
/// there is no such command.
std::optional<const char*> power_for(std::string_view command);
bool has_power(const RemoteSettings& remote, const char* power);

/// Errors: bad_data (a parameter is missing or of the wrong type), out_of_range (a number beyond
/// its limits), unsupported (no such bus, device, property, table or level); the text names it.
Result<OwnCommand> parse_own(const northbound::CallCommand& call, const Site& site);

}  // namespace fieldgate
