#include "daemon/config/endpoint.h"
#include "daemon/config/loading.h"
#include "daemon/config/words.h"
#include "southbound/serial_port.h"

namespace fieldgate::config {
namespace {

using southbound::BusSettings;
using southbound::SerialSettings;
using southbound::TcpSettings;
using std::chrono::milliseconds;
using std::chrono::seconds;

// "9600 8E1": baud, data bits, parity, stop bits.
void read_line(const Place& place, SerialSettings& serial, Report& report) {
    const auto text = read_text(place, report);
    if (!text) return;
    const std::size_t space = text->find(' ');
    const std::string_view frame =
        space == std::string::npos ? std::string_view() : std::string_view(*text).substr(space + 1);
    const auto baud = parse_whole(std::string_view(*text).substr(0, space));
    if (!baud || !southbound::is_speed(*baud)) {
        report.error(place, "\"" + *text + "\" begins with no speed of a serial line",
                     "write speed, data bits, parity, stop bits, such as 9600 8E1");
        return;
    }
    const bool known = frame.size() == 3 && std::string_view("NEO").find(frame[1]) < 3 &&
                       (frame[2] == '1' || frame[2] == '2');
    if (!known || frame[0] != '8') {
        report.error(place, "\"" + std::string(frame) + "\" is no frame of Modbus RTU",
                     frame.starts_with('7') ? "RTU needs 8 data bits, such as 8E1"
                                            : "write 8E1, 8O1, 8N2 or 8N1");
        return;
    }
    serial.baud = static_cast<std::uint32_t>(*baud);
    serial.data_bits = 8;
    serial.parity = frame[1];
    serial.stop_bits = static_cast<std::uint8_t>(frame[2] - '0');
}

void read_rs485(const Place& place, SerialSettings& serial, Report& report) {
    if (!place.is(Node::Kind::map)) {
        const auto word = read_word(place, report, {"none", "kernel"});
        if (word && *word == 1) serial.rs485.emplace();
        return;
    }
    Fields fields(place, report, Keys::rs485);
    const auto kernel = fields.require("kernel", "write { kernel: { before: 0us, after: 200us } }");
    if (!kernel) return;
    serial.rs485.emplace();
    Fields delays(*kernel, report, Keys::rs485_kernel);
    delays.duration("before", serial.rs485->before, microseconds(0), milliseconds(100));
    delays.duration("after", serial.rs485->after, microseconds(0), milliseconds(100));
}

SerialSettings read_serial(Fields& fields) {
    SerialSettings serial;
    if (const auto path =
            fields.require("serial", "add serial: /dev/serial/by-path/..., its device file")) {
        if (read_text(*path, fields.report())) {
            serial.path = resolve(path->document->folder, raw_text(*path));
            if (serial.path.starts_with("/dev/ttyUSB") || serial.path.starts_with("/dev/ttyACM")) {
                fields.report().warning(
                    *path, serial.path + " may name another adapter after a restart",
                    "use its link in /dev/serial/by-id/ or /dev/serial/by-path/");
            }
        }
    }
    if (const auto line = fields.require("line", "add line: 9600 8E1, as the devices have it"))
        read_line(*line, serial, fields.report());
    if (const auto rs485 = fields.get("rs485")) read_rs485(*rs485, serial, fields.report());
    return serial;
}

TcpSettings read_tcp(Fields& fields) {
    TcpSettings tcp;
    if (const auto place = fields.require("tcp", "add tcp: HOST:502")) {
        const auto address =
            place->is(Node::Kind::scalar) ? parse_host_port(raw_text(*place), 502) : std::nullopt;
        if (address) {
            tcp.host = address->host;
            tcp.port = address->port;
        } else {
            fields.report().error(*place, "\"" + raw_text(*place) + "\" is no host and port",
                                  "write HOST:PORT, such as 10.0.0.7:502");
        }
    }
    fields.word<bool>("connection", tcp.persistent, {{"persistent", true}, {"per_cycle", false}});
    return tcp;
}

void refuse(Fields& fields, const std::vector<std::string>& keys, const std::string& protocol) {
    for (const std::string& key : keys) {
        const Node* node = fields.place().node->find(key);
        if (node == nullptr) continue;
        fields.report().error(fields.place().at(key, *node),
                              "the key does not belong to a bus of protocol " + protocol,
                              "remove it, or change the protocol");
    }
}

void read_timeout(Fields& fields, bool serial, BusSettings& bus) {
    if (!serial) bus.timeout = milliseconds(500);
    const auto place = fields.get("timeout");
    if (!place) return;
    if (is_word(*place, "auto")) {
        if (serial) return;
        fields.report().error(*place, "auto is for serial lines",
                              "write a duration, such as 500ms");
        return;
    }
    milliseconds value{0};
    fields.duration("timeout", value, milliseconds(5), seconds(60));
    if (value.count() > 0) bus.timeout = value;
}

std::optional<BusSettings> read_bus(const Place& place, Loading& loading) {
    BusSettings bus;
    const std::size_t errors = loading.report.errors();
    Fields fields(place, loading.report, Keys::bus);
    const auto protocol = fields.require("protocol", "add protocol: modbus-rtu or modbus-tcp");
    const auto word = protocol ? read_word(*protocol, loading.report, {"modbus-rtu", "modbus-tcp"})
                               : std::nullopt;
    if (!word) return std::nullopt;
    const bool serial = *word == 0;
    if (serial) {
        refuse(fields, {"tcp", "connection"}, "modbus-rtu");
        bus.wire = read_serial(fields);
    } else {
        refuse(fields, {"serial", "line", "rs485", "turnaround"}, "modbus-tcp");
        bus.wire = read_tcp(fields);
    }
    read_timeout(fields, serial, bus);
    fields.duration("turnaround", bus.turnaround, microseconds(0), seconds(10));
    fields.whole("retries", bus.retries, 0, 10);
    if (loading.report.errors() > errors) return std::nullopt;
    return bus;
}

void check_port(const Place& place, const BusSettings& bus, Loading& loading) {
    const auto* serial = std::get_if<SerialSettings>(&bus.wire);
    if (serial == nullptr) return;
    for (const BusSettings& other : loading.config.buses) {
        const auto* wire = std::get_if<SerialSettings>(&other.wire);
        if (wire == nullptr || wire->path != serial->path) continue;
        loading.report.error(place.at("serial", *place.node->find("serial")),
                             "the port belongs to the bus \"" + other.name + "\"",
                             "one bus per port; put the devices on that bus");
    }
}

}  // namespace

void read_buses(const Place& place, Loading& loading) {
    if (!place.is(Node::Kind::map)) {
        loading.report.error(place, "no map of buses", "write NAME: { protocol: ... } for each");
        return;
    }
    for (std::size_t i = 0; i < place.node->keys.size(); ++i) {
        const Node& key = place.node->keys[i];
        const Place bus_place = place.at(key.text, place.node->items[i]);
        const Place name_place = bus_place.pointing_at(key);
        if (!is_identifier(key.text)) {
            loading.report.error(name_place, "\"" + key.text + "\" is no name of a bus",
                                 "letters, digits, _ and -");
        }
        const auto [seen, fresh] = loading.bus_places.emplace(key.text, name_place);
        if (!fresh) {
            loading.report.error(name_place, "the bus \"" + key.text + "\" stands twice",
                                 "it stands first in " + where(seen->second) + "; rename one");
            continue;
        }
        auto bus = read_bus(bus_place, loading);
        auto& index = loading.buses[key.text];
        if (!bus) continue;
        check_port(bus_place, *bus, loading);
        bus->name = key.text;
        index = loading.config.buses.size();
        loading.config.buses.push_back(std::move(*bus));
    }
}

}  // namespace fieldgate::config
