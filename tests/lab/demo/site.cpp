#include "tests/lab/demo/site.h"

#include <sys/stat.h>

#include "tests/lab/process.h"

namespace fieldgate::lab {
namespace {

constexpr const char* main_file = R"(schema: 1
platform:
  endpoint: $ENDPOINT
  ca: $CA
  device_id: $GATEWAY
  auth:
    secret: cred:gateway
gateway:
  template: gateway
store:
  path: store
local:
  control: control.sock
include: [conf.d/*.yaml]
templates: [templates/*.yaml]
)";

constexpr const char* site_file = R"(buses:
  line1:
    protocol: modbus-rtu
    serial: $SERIAL
    line: $BAUD 8E1
  plc7:
    protocol: modbus-tcp
    tcp: 127.0.0.1:$PORT
devices:
  - name: meter-{unit}
    unit: 1..3
    template: power-meter
    bus: line1
    node_id: METER-{unit}
  - name: press
    unit: $UNIT
    template: power-meter
    bus: plc7
    node_id: PRESS-1
    every: 500ms
)";

std::string with(std::string text, const std::string& name, const std::string& value) {
    return text.replace(text.find(name), name.size(), value);
}

}  // namespace

Site::Site(const Settings& settings) : folder_(settings.folder) {
    namespace fs = std::filesystem;
    for (const char* folder : {"conf.d", "credentials", "store"})
        fs::create_directories(folder_ / folder);
    fs::copy(settings.conf / "templates", folder_ / "templates", fs::copy_options::recursive);
    fs::copy(settings.conf / "models", folder_ / "models", fs::copy_options::recursive);
    const fs::path credential = folder_ / "credentials" / "gateway";
    write_file(credential, settings.secret);
    chmod(credential.c_str(), 0600);
    std::string text = with(main_file, "$ENDPOINT", settings.endpoint);
    text = with(std::move(text), "$CA", settings.ca);
    write_file(file(), with(std::move(text), "$GATEWAY", gateway));
    text = with(site_file, "$SERIAL", settings.serial);
    text = with(std::move(text), "$BAUD", std::to_string(baud));
    text = with(std::move(text), "$UNIT", std::to_string(press_unit));
    write_file(folder_ / "conf.d" / "10-site.yaml",
               with(std::move(text), "$PORT", std::to_string(settings.tcp_port)));
}

}  // namespace fieldgate::lab
