#include "daemon/gate/own_command.h"

#include <algorithm>
#include <array>

#include "daemon/site/site.h"

namespace fieldgate {
namespace {

using Kind = OwnCommand::Kind;
using southbound::modbus::Table;

struct Known {
    std::string_view name;
    Kind kind;
    const char* power;
};
constexpr std::array<Known, 11> known{{{"GET_STATUS", Kind::get_status, nullptr},
                                       {"GET_PLAN", Kind::get_plan, nullptr},
                                       {"READ_POINT", Kind::read_point, nullptr},
                                       {"READ_REGISTERS", Kind::read_registers, "operate"},
                                       {"SCAN_NOW", Kind::scan_now, "operate"},
                                       {"SUSPEND_BUS", Kind::suspend_bus, "operate"},
                                       {"RESUME_BUS", Kind::resume_bus, "operate"},
                                       {"SET_PERIOD", Kind::set_period, "operate"},
                                       {"SET_LOG_LEVEL", Kind::set_log_level, "operate"},
                                       {"RELOAD", Kind::reload, "operate"},
                                       {"RESTART", Kind::restart, "restart"}}};

const Known* find(std::string_view name) {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const Known& one) { return one.name == name; });
    return found == known.end() ? nullptr : &*found;
}

constexpr std::array<std::pair<std::string_view, Table>, 4> tables{{{"coil", Table::coil},
                                                                    {"discrete", Table::discrete},
                                                                    {"input", Table::input},
                                                                    {"holding", Table::holding}}};
constexpr std::array<std::pair<std::string_view, log::Level>, 5> levels{
    {{"error", log::Level::error},
     {"warning", log::Level::warning},
     {"notice", log::Level::notice},
     {"info", log::Level::info},
     {"debug", log::Level::debug}}};

/// Takes one parameter after the other; the first that is wrong is the error.
class Reader {
public:
    explicit Reader(const json::Value::Object& paras) : paras_(paras) {}

    std::string text(std::string_view name) {
        const json::Value* found = require(name);
        if (found && !found->string()) fail(Errc::bad_data, name, "is no text");
        return found && found->string() ? *found->string() : std::string();
    }
    std::int64_t whole(std::string_view name, std::int64_t min, std::int64_t max) {
        const json::Value* found = require(name);
        if (!found) return min;
        if (!found->integer()) fail(Errc::bad_data, name, "is no whole number");
        const std::int64_t value = found->integer() ? *found->integer() : min;
        if (value < min || value > max)
            fail(Errc::out_of_range, name,
                 "is outside of " + std::to_string(min) + " to " + std::to_string(max));
        return value;
    }
    bool has(std::string_view name) const { return get(name) != nullptr; }
    template <class T, std::size_t n>
    T word(std::string_view name, const std::array<std::pair<std::string_view, T>, n>& words) {
        const std::string given = text(name);
        for (const auto& [word, value] : words)
            if (word == given) return value;
        fail(Errc::unsupported, name, "is unknown: " + in_quotes(given));
        return words.front().second;
    }
    void fail(Errc code, std::string_view name, const std::string& what) {
        if (!error_) error_.emplace(code, std::string(name) + " " + what);
    }
    const std::optional<Error>& error() const { return error_; }

private:
    const json::Value* get(std::string_view name) const {
        for (const auto& [key, value] : paras_)
            if (key == name && !value.is_null()) return &value;
        return nullptr;
    }
    const json::Value* require(std::string_view name) {
        const json::Value* found = get(name);
        if (!found) fail(Errc::bad_data, name, "is missing");
        return found;
    }

    const json::Value::Object& paras_;
    std::optional<Error> error_;
};

std::size_t read_bus(Reader& reader, const Config& config) {
    const std::string name = reader.text("bus");
    for (std::size_t i = 0; i < config.buses.size(); ++i)
        if (config.buses[i].name == name) return i;
    reader.fail(Errc::unsupported, "bus", "is unknown: " + in_quotes(name));
    return 0;
}

// By its id on the platform, or by its name here.
DeviceIndex read_device(Reader& reader, const Site& site, OwnCommand& command) {
    const Config& config = site.config;
    const std::string name = reader.text("device");
    for (std::size_t i = 0; i < config.devices.size(); ++i) {
        if (config.devices[i].device_id != name && config.devices[i].name != name) continue;
        command.bus = config.devices[i].bus;
        return site.directory.at(i).index;
    }
    reader.fail(Errc::unsupported, "device", "is unknown: " + in_quotes(name));
    return 0;
}

void read_point(Reader& reader, const Site& site, OwnCommand& command) {
    command.device = read_device(reader, site, command);
    const std::string service = reader.text("service");
    const std::string property = reader.text("property");
    if (reader.error()) return;
    const auto point = site.directory.point(*command.device, {service, property});
    if (!point) reader.fail(Errc::unsupported, "property", "is unknown: " + in_quotes(property));
    command.point = point.value_or(0);
}

void read_registers(Reader& reader, const Config& config, OwnCommand& command) {
    command.bus = read_bus(reader, config);
    command.unit = static_cast<std::uint8_t>(reader.whole("unit", 0, 247));
    command.table = reader.word("table", tables);
    command.first = static_cast<std::uint16_t>(reader.whole("first", 0, 65535));
    command.count = static_cast<std::uint16_t>(reader.whole("count", 1, 2000));
}

void read_time(Reader& reader, OwnCommand& command) {
    command.lasts = std::chrono::minutes(reader.whole("minutes", 1, 1440));
}

void read_period(Reader& reader, const Site& site, OwnCommand& command) {
    if (reader.has("device"))
        command.device = read_device(reader, site, command);
    else
        command.bus = read_bus(reader, site.config);
    command.period = std::chrono::milliseconds(reader.whole("milliseconds", 10, 86'400'000));
    read_time(reader, command);
}

}  // namespace

std::optional<const char*> power_for(std::string_view command) {
    const Known* one = find(command);
    return one ? std::optional(one->power) : std::nullopt;
}

bool has_power(const RemoteSettings& remote, const char* power) {
    if (power == nullptr) return true;
    return power == std::string_view("restart") ? remote.restart : remote.operate;
}

Result<OwnCommand> parse_own(const northbound::CallCommand& call, const Site& site) {
    const Known* one = find(call.command);
    if (!one) return Error(Errc::unsupported, "command is unknown: " + in_quotes(call.command));
    OwnCommand command;
    command.kind = one->kind;
    Reader reader(call.paras);
    switch (one->kind) {
        case Kind::get_status:
        case Kind::get_plan:
        case Kind::reload:
        case Kind::restart:
            break;
        case Kind::read_point:
            read_point(reader, site, command);
            break;
        case Kind::read_registers:
            read_registers(reader, site.config, command);
            break;
        case Kind::scan_now:
        case Kind::resume_bus:
            command.bus = read_bus(reader, site.config);
            break;
        case Kind::suspend_bus:
            command.bus = read_bus(reader, site.config);
            read_time(reader, command);
            break;
        case Kind::set_period:
            read_period(reader, site, command);
            break;
        case Kind::set_log_level:
            command.level = reader.word("level", levels);
            read_time(reader, command);
            break;
    }
    if (reader.error()) return *reader.error();
    return command;
}

}  // namespace fieldgate
