#include "southbound/settings.h"

namespace fieldgate::southbound {

std::string place_of(const TcpSettings& wire) {
    return wire.host + ':' + std::to_string(wire.port);
}

std::string place_of(const BusSettings& bus) {
    if (const auto* serial = std::get_if<SerialSettings>(&bus.wire)) return serial->path;
    return place_of(std::get<TcpSettings>(bus.wire));
}

}  // namespace fieldgate::southbound
