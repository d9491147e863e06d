// One mistake each in the example site: where it is reported, under which name, and with a hint.
#include <gtest/gtest.h>

#include <ostream>

#include "site.h"

namespace fieldgate {
namespace {

using test::Site;

constexpr const char* main_file = "fieldgate.yaml";
constexpr const char* site_file = "conf.d/10-site.yaml";
constexpr const char* meter_file = "templates/power-meter.yaml";
constexpr const char* self_file = "templates/gateway.yaml";
constexpr const char* model_file =
    "models/PowerMeter/service/Electrical/profile/servicetype-capability.json";

struct Mistake {
    const char* file;  ///< What is changed, `from` -> `to`.
    const char* from;
    const char* to;
    const char* at;  ///< This text is reported: the first behind the change; <: of its line; ^: of
                     ///< the file.
    const char* path;  ///< Where in the document.
    const char* what;  ///< Part of what is said.
};
std::ostream& operator<<(std::ostream& out, const Mistake& m) {
    return out << m.file << ": " << m.to;
}

// The line and column (in characters) of byte `at`.
std::pair<int, int> position(const std::string& text, std::size_t at) {
    int line = 1;
    int column = 1;
    for (std::size_t i = 0; i < at; ++i) {
        if (text[i] == '\n') {
            ++line;
            column = 1;
        } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
            ++column;
        }
    }
    return {line, column};
}

class EveryMistake : public testing::TestWithParam<Mistake> {};

TEST_P(EveryMistake, IsReportedOnceWhereItStands) {
    const Mistake& m = GetParam();
    const Site site;
    const std::size_t changed = site.text(m.file).find(m.from);
    site.replace(m.file, m.from, m.to);
    const std::string text = site.text(m.file);
    std::string_view marker = m.at;
    std::size_t begin = changed;
    if (marker[0] == '^') begin = 0;
    if (marker[0] == '<') begin = text.rfind('\n', changed) + 1;
    if (begin != changed) marker.remove_prefix(1);
    const std::size_t at = text.find(marker, begin);
    ASSERT_NE(at, std::string::npos);
    const auto [line, column] = position(text, at);

    const std::vector<Problem> errors = site.errors();

    ASSERT_EQ(errors.size(), 1U) << test::all(errors);
    EXPECT_EQ(errors[0].file, m.file);
    EXPECT_EQ(errors[0].line, line) << describe(errors[0]);
    EXPECT_EQ(errors[0].column, column) << describe(errors[0]);
    EXPECT_EQ(errors[0].path, m.path) << describe(errors[0]);
    EXPECT_TRUE(test::contains(errors[0].what, m.what)) << describe(errors[0]);
    EXPECT_FALSE(errors[0].hint.empty()) << describe(errors[0]);
    EXPECT_TRUE(test::contains(text, errors[0].line_text));
}

#define METER(from, to, at, path, what) \
    Mistake { meter_file, from, to, at, "services.Electrical." path, what }

const Mistake yaml_mistakes[] = {
    {main_file, "linger: 1s", "linger: &x 1s", "&x", "", "anchor"},
    {main_file, "linger: 1s", "linger: *x", "*x", "", "alias"},
    {main_file, "[\"*.myhuaweicloud.com\"]", "[*.myhuaweicloud.com]", "*.my", "", "alias"},
    {main_file, "linger: 1s", "linger: !!str 1s", "!!str", "", "tag"},
    {main_file, "linger: 1s", "<<: { linger: 1s }", "<<", "", "merge key"},
    {main_file, "linger: 1s", "keep_alive: 1s", "keep_alive", "", "stands twice"},
    {main_file, "store:\n", "---\nstore:\n", "---", "", "second document"},
    {main_file, "  linger: 1s", "\tlinger: 1s", "\tlinger", "", "tab"},
    {main_file, "linger: 1s", "linger: \"1s", "\"1s", "", "quote"},
    {main_file, "topics: []", "topics: [", "[", "", "never closed"},
    {main_file, "schema: 1", "%YAML 1.1\n---\nschema: 1", "%YAML", "", "directive"},
    {main_file, "linger: 1s", "linger: 1s\x01", "\x01", "", "control character"},
    {main_file, "linger: 1s", "linger: 1s # \xFF", "\xFF", "", "no UTF-8"},
    {main_file, "linger: 1s", "linger: 1s: 2", ": 2", "", "\":\""},
    {site_file, "name: press", "name: {unit}-press", "-press", "", "text after"},
    {meter_file, "unit: Wh", "unit: m{unit}", "{unit}", "", "text before"},
    {meter_file, "unit: Wh", "unit: {unit}h", "h, every", "", "text after"},
    {meter_file, "unit: Wh", "unit: %", "%", "", "cannot begin"},
    {meter_file, "unit: Wh", "unit: @h", "@h", "", "cannot begin"},
};
INSTANTIATE_TEST_SUITE_P(OfYaml, EveryMistake, testing::ValuesIn(yaml_mistakes));

const Mistake main_mistakes[] = {
    {main_file, "schema: 1 ", "schema: 2 ", "2", "schema", "out of range"},
    {main_file, "schema: 1 ", "shcema: 1 ", "shcema", "shcema", "unknown key"},
    {main_file, "schema: 1 ", "", "platform", "", "\"schema\" is missing"},
    {main_file, "keep_alive: 120s", "keepalive: 120s", "keepalive", "platform.keepalive",
     "unknown key"},
    {main_file, "keep_alive: 120s", "keep_alive: 20s", "20s", "platform.keep_alive",
     "out of range"},
    {main_file, "keep_alive: 120s", "keep_alive: 120", "120", "platform.keep_alive", "no duration"},
    {main_file, "keep_alive: 120s", "keep_alive: 120500ms", "120500ms", "platform.keep_alive",
     "too fine"},
    {main_file, "keep_alive: 120s", "keep_alive:", "keep_alive", "platform.keep_alive", "no value"},
    {main_file, "mqtts://iot", "mqttss://iot", "mqttss", "platform.endpoint", "scheme"},
    {main_file, "example.com:8883 ", "example.com:88830 ", "<mqtts:", "platform.endpoint",
     "no host and port"},
    {main_file, "  endpoint:", "  # endpoint:", "ca:", "platform", "\"endpoint\" is missing"},
    {main_file, "  ca: certs", "  # ca: certs", "^endpoint", "platform", "\"ca\" is missing"},
    {main_file, "ca: certs/platform-ca.pem ", "ca: certs/other.pem ", "certs", "platform.ca",
     "No such file"},
    {main_file, "607182930_GW-0001", "607182930/GW", "<64f0", "platform.device_id", "no device id"},
    {main_file, "cred:gateway ", "cred:gatway ", "cred", "platform.auth.secret", "not there"},
    {main_file, "cred:gateway ", "hunter2 ", "hunter2", "platform.auth.secret", "does not stand"},
    {main_file, "    secret: cred:gateway ", "    certificate: certs/platform-ca.pem ",
     "certificate", "platform.auth", "\"key\" is missing"},
    {main_file, "timestamp: unchecked", "timestamp: uncheked", "uncheked",
     "platform.auth.timestamp", "no word"},
    {main_file, "messages: 45/s", "messages: 51/s", "51/s", "platform.limits.messages",
     "more than the platform"},
    {main_file, "messages: 45/s", "messages: 45", "45", "platform.limits.messages", "no rate"},
    {main_file, "bandwidth: 100KiB/s", "bandwidth: 100KB/s", "100KB", "platform.limits.bandwidth",
     "no rate"},
    {main_file, "payload: 60KiB", "payload: 65KiB", "65KiB", "platform.limits.payload",
     "out of range"},
    {main_file, "payload: 60KiB", "payload: 60k", "60k", "platform.limits.payload", "no size"},
    {main_file, "sub_devices: 100", "sub_devices: 101", "101", "platform.limits.sub_devices",
     "out of range"},
    {main_file, "sub_devices: 100", "sub_devices: 0100", "0100", "platform.limits.sub_devices",
     "no whole number"},
    {main_file, "history: unlimited", "history: 0", "0", "platform.limits.history", "out of range"},
    {main_file, "from: 1s, to: 60s", "from: 61s, to: 60s", "<{ from", "platform.reconnect",
     "longer"},
    {main_file, "register: off", "register: no", "no", "platform.register", "no word"},
    {main_file, "register: off", "register: \"off\"", "\"off\"", "platform.register", "no word"},
    {main_file, "topics: []", "topics: { a: b }", "{ a", "platform.topics", "list"},
    {main_file, "topics: []", "topics: [a/#/b]", "a/#", "platform.topics[0]", "not the last"},
    {main_file, "topics: []", "topics: [a/#, b/c+]", "b/c", "platform.topics[1]", "wildcard"},
    {main_file, "topics: []", "topics: [\"\"]", "\"\"", "platform.topics[0]", "empty"},
    {main_file, "topics: []", "topics: [a/b, a/b]", "a/b]", "platform.topics[1]", "twice"},
    {main_file, "topics: []", "topics: [$oc/devices/other/user/a]", "$oc", "platform.topics[0]",
     "does not give"},
    {main_file, "topics: []",
     "topics: [$oc/devices/64f0a1b2c3d4e5f607182930_GW-0001/sys/commands/#]", "$oc",
     "platform.topics[0]", "does not give"},
    {main_file, "topics: []", "topics: [$share/a/b]", "$share", "platform.topics[0]",
     "does not give"},
    {main_file, "template: gateway", "template: gatewya", "gatewya", "gateway.template",
     "no template"},
    {main_file, "template: gateway", "template: power-meter", "power-meter", "gateway.template",
     "of a device"},
    {main_file, "max_size: 256MiB", "max_size: 256MB", "256MB", "store.max_size", "no size"},
    {main_file, "durability: group", "durability: strickt", "strickt", "store.durability",
     "no word"},
    {main_file, "when_full: drop_oldest", "when_full: drop_all", "drop_all", "store.when_full",
     "no word"},
    {main_file, "require_sync: false", "require_sync: yes", "yes", "clock.require_sync", "no word"},
    {main_file, "tunnel: false", "tunnel: \"true\"", "\"true\"", "remote.tunnel", "no word"},
    {main_file, "hosts: [\"*.my", "hosts: [\"*/my", "\"*/my", "remote.hosts[0]", "no host"},
    {main_file, "signing_keys: []", "signing_keys: [abcd]", "abcd", "remote.signing_keys[0]",
     "Ed25519"},
    {main_file, "web: off", "web: 8480", "8480", "local.web", "no address"},
    {main_file, "metrics: off", "metrics: localhost:9464", "localhost", "local.metrics",
     "no address"},
    {main_file, "include: [conf.d/*.yaml]", "include: [conf.d/*.yaml, conf.d/x.yaml]", "conf.d/x",
     "include[1]", "there is no file"},
    {main_file, "[templates/*.yaml]", "[templates/*.yaml]\nbuses: []", "[]", "buses",
     "no map of buses"},
};
INSTANTIATE_TEST_SUITE_P(OfTheMainFile, EveryMistake, testing::ValuesIn(main_mistakes));

const Mistake site_mistakes[] = {
    {site_file, "buses:\n", "platform: {}\nbuses:\n", "platform", "platform", "unknown key"},
    {site_file, "protocol: modbus-rtu", "protocol: modbus-rtt", "modbus-rtt",
     "buses.line1.protocol", "no word"},
    {site_file, "line: 9600 8E1", "line: 9601 8E1", "9601", "buses.line1.line", "speed"},
    {site_file, "line: 9600 8E1", "line: 9600 7E1", "9600", "buses.line1.line", "frame"},
    {site_file, "    line: 9600 8E1", "    # line", "^protocol", "buses.line1",
     "\"line\" is missing"},
    {site_file, "rs485: none", "rs485: on", "on", "buses.line1.rs485", "no word"},
    {site_file, "rs485: none", "tcp: 1.2.3.4:5", "1.2", "buses.line1.tcp", "does not belong"},
    {site_file, "tcp: 10.0.0.7:502", "tcp: 10.0.0.7:0", "10.0", "buses.plc7.tcp",
     "no host and port"},
    {site_file, "timeout: 500ms", "timeout: auto", "auto", "buses.plc7.timeout", "serial"},
    {site_file, "connection: persistent", "connection: per-cycle", "per-cycle",
     "buses.plc7.connection", "no word"},
    {site_file, "retries: 1", "retries: -1", "-1", "buses.line1.retries", "out of range"},
    {site_file, "  plc7:", "  \"plc 7\": { protocol: modbus-tcp, tcp: h }\n  plc7:", "\"plc 7\"",
     "buses.plc 7", "no name of a bus"},
    {site_file, "name: meter-{unit}", "name: meter", "meter", "devices[0].name", "several units"},
    {site_file, "name: meter-{unit}", "name: meter-{unit}{nr}", "meter", "devices[0].name",
     "placeholder"},
    {site_file, "name: meter-{unit}", "name: {unit}", "{unit}", "devices[0].name", "a map"},
    {site_file, "unit: 1..3", "unit: 3..1", "3..1", "devices[0].unit", "empty"},
    {site_file, "unit: 1..3", "unit: 245..248", "245", "devices[0].unit", "out of range"},
    {site_file, "unit: 1..3", "unit: one", "one", "devices[0].unit", "no unit"},
    {site_file, "template: power-meter", "template: templates/power-meter.yaml", "templates",
     "devices[0].template", "no template"},
    {site_file, "template: power-meter", "template: gateway", "gateway", "devices[0].template",
     "for the gateway"},
    {site_file, "bus: line1", "bus: lin1", "lin1", "devices[0].bus", "no bus"},
    {site_file, "    node_id: PRESS-1\n", "", "^name: press", "devices[1]",
     "\"node_id\" is missing"},
    {site_file, "node_id: PRESS-1", "node_id: PRESS 1", "PRESS", "devices[1].node_id",
     "no node_id"},
    {site_file, "node_id: PRESS-1", "node_id: METER-2", "METER-2", "devices[1].node_id",
     "stands twice"},
    {site_file, "name: press", "name: meter-2", "meter-2", "devices[1].name", "stands twice"},
    {site_file, "bus: plc7", "bus: line1",
     "^1\n    template: power-meter\n    bus: line1\n    node", "devices[1].unit",
     "unit 1 stands twice"},
    {site_file, "every: 500ms", "every: 0.5s", "0.5s", "devices[1].every", "no duration"},
    {site_file, "probe: 1s..60s", "probe: 60s..1s", "60s", "devices[1].offline.probe", "cannot be"},
    {site_file, "after: 3", "after: 0", "0,", "devices[1].offline.after", "out of range"},
};

TEST(Mistakes, CountDevicesOfOneUnitOnce) {
    const Site site;
    site.replace(site_file, "unit: 1\n", "unit: 1..2\n");
    site.replace(site_file, "bus: plc7", "bus: line1");
    site.replace(site_file, "name: press", "name: press-{unit}");
    site.replace(site_file, "node_id: PRESS-1", "node_id: PRESS-{unit}");
    const std::vector<Problem> errors = site.errors();
    ASSERT_EQ(errors.size(), 1U) << test::all(errors);
    EXPECT_TRUE(test::contains(errors[0].hint, "conf.d/10-site.yaml:17"));
}
INSTANTIATE_TEST_SUITE_P(OfTheSite, EveryMistake, testing::ValuesIn(site_mistakes));

const Mistake template_mistakes[] = {
    {meter_file, "template: power-meter", "template: gateway", "gateway", "template",
     "stands twice"},
    {meter_file, "product_id: 64f", "product: 64f", "product", "product", "unknown key"},
    {meter_file, "protocol: modbus", "protocol: modbus-tcp", "modbus-tcp", "protocol", "no word"},
    {meter_file, "model: ../models/PowerMeter ", "model: ../models/Nothing ", "../models", "model",
     "No such file"},
    {meter_file, "defaults:\n", "every: 2s\ndefaults:\n", "2s", "every", "does not belong"},
    {meter_file, "order: ABCD ", "order: ACBD ", "ACBD", "defaults.order", "no word"},
    {meter_file, "address_base: 0", "address_base: 2", "2", "defaults.address_base",
     "out of range"},
    {meter_file, "max_registers: 125", "max_registers: 126", "126", "defaults.max_registers",
     "out of range"},
    {meter_file, "[holding:40..49]", "[holding:49..40]", "holding", "defaults.forbidden[0]",
     "empty"},
    {meter_file, "[holding:40..49]", "[holding:0x14..0x14]", "holding:20",  // two points in it
     "services.Electrical.overload.at", "forbidden"},
    {meter_file, "gap: auto", "gap: all", "all", "defaults.gap", "no gap"},
    {meter_file, "gap: auto", "gap: auto\n  min_registers: 126", "126", "defaults.min_registers",
     "out of range"},
    {meter_file, "max_registers: 125", "max_registers: 20\n  min_registers: 30", "30",
     "defaults.min_registers", "more than max_registers"},
    METER("at: holding:2,", "at: holding:2, read: never,", "never", "current.read",
          "neither read nor written"),
    METER("at: holding:2,", "at: holding:2, begins_at: holding:3,", "holding:3",
          "current.begins_at", "not before the point"),
    METER("at: holding:2,", "at: holding:2, begins_at: input:2,", "input", "current.begins_at",
          "not before the point"),
    METER("at: holding:22,", "at: holding:222, begins_at: holding:1,", "holding:1,",
          "currentLimit.begins_at", "too far"),
    METER("at: coil:0,", "at: coil:0, read: never,", "readback", "breaker.write.verify",
          "never read"),
    {meter_file, "report: { change: any, max: 10m }", "report: { change: any, max: 10m, mn: 1s }",
     "mn", "defaults.report.mn", "unknown key"},
    METER("at: holding:2,", "at: holdng:2,", "holdng", "current.at", "no register table"),
    METER("at: holding:2,", "at: 40003,", "40003", "current.at", "no register table"),
    METER("at: holding:2,", "at: holding:65536,", "holding:", "current.at", "out of range"),
    METER("at: holding:2,", "at: holding:012,", "holding:", "current.at", "no address"),
    METER("at: holding:10,", "at: holding:65533,", "holding:", "energy.at", "last address"),
    METER("at: holding:2,", "at: coil:2,", "coil:2", "current.at", "one bit"),
    METER("type: u32", "type: u23", "u23", "voltage.type", "no type"),
    METER("type: u32, ", "", "<{ at", "voltage", "\"type\" is missing"),
    METER("order: CDAB", "order: GHEFCDAB", "GHEFCDAB", "power.order", "no order of 2"),
    METER("length: 12", "length: 0", "0,", "serialNumber.length", "out of range"),
    METER("length: 12, ", "", "<{ at", "serialNumber", "\"length\" is missing"),
    METER("bits: 3", "bits: 16", "16,", "overload.bits", "beyond the type"),
    METER("bits: 3", "bits: 4..3", "4..3", "overload.bits", "empty"),
    METER("type: u16, bits: 3", "type: i16, bits: 3", "3, p", "overload.bits", "bits of i16"),
    METER("scale: 0.01", "scale: .nan", ".nan", "current.scale", "no decimal"),
    METER("scale: 0.01", "scale: \"0.01\"", "\"0.01\"", "current.scale", "no decimal"),
    METER("scale: 0.01", "scale: 0", "0,", "current.scale", "scale of 0"),
    METER("scale: 0.01", "scale: 0.01, lenght: 2", "lenght", "current.lenght", "unknown key"),
    METER("absent: [0x7FFF]", "absent: [0x17FFF]", "0x17FFF", "current.absent[0]", "no raw value"),
    METER("1: day, 2: night", "1: day, 0x1: night", "0x1", "tariff.values.0x1", "stands twice"),
    METER("2: night", "2: nigth", "nigth", "tariff.values.2", "does not fit"),
    METER("priority: alarm", "priority: high", "high", "overload.priority", "no word"),
    METER("every: 1h", "every: 1w", "1w", "serialNumber.every", "no duration"),
    METER("change: 1%", "change: 1 %", "1 %", "power.report.change", "no change"),
    METER("min: 1s, max: 10m", "min: 11m, max: 10m", "<{ change", "power.report", "longer"),
    METER("length: 12, every: 1h", "length: 12, report: { change: 1 }", "{ change",
          "serialNumber.report", "deadband"),
    METER("verify: readback", "verify: read", "read", "breaker.write.verify", "no word"),
    METER("set: false", "set: off", "off", "breaker.write.on_cloud_loss.set", "no word"),
    METER("within: 2s", "within: 11s", "11s", "breaker.write.within", "out of range"),
    METER("write: { min: 1, max: 63 }", "write: { min: 64, max: 63 }", "64",
          "currentLimit.write.min", "greater than max"),
    METER("write: { min: 1, max: 63 }", "write: { min: 1, max: 7000 }", "7000",
          "currentLimit.write.max", "cannot hold"),
    METER("max: 63 }", "max: 63, from: [web] }", "web", "currentLimit.write.from[0]", "no word"),
    METER("max: 63 }", "max: 63, from: [] }", "[]", "currentLimit.write.from", "nobody may write"),
    METER("max: 63 }", "max: 63, from: [local, local] }", "local]", "currentLimit.write.from[1]",
          "stands twice"),
    METER("max: 63 }", "max: 63, from: [loss] }", "[loss]", "currentLimit.write.from",
          "nothing is written"),
    METER("within: 2s,", "within: 2s, from: [cloud],", "{ after", "breaker.write.on_cloud_loss",
          "does not name loss"),
    {meter_file, "within: 2s,", "within: 2s, from: [loss],", "breaker, from",
     "commands.Electrical.SET_BREAKER.set", "may not write"},
    METER("unit: V,", "unit: V, write: {},", "{}", "voltage.write", "does not allow writing"),
    METER("voltage: ", "volltage: ", "volltage", "volltage", "no property"),
    METER("at: coil:0, type: bool,", "at: holding:60, type: u16,", "u16", "breaker.type",
          "wants boolean"),
    METER("i16, scale: 0.01, unit: A, absent: [0x7FFF]", "string, length: 2", "string",
          "current.type", "wants decimal"),
    {meter_file, "SET_BREAKER:", "SET_BRAKER:", "SET_BRAKER", "commands.Electrical.SET_BRAKER",
     "no command"},
    {meter_file, "set: breaker", "set: braker", "braker", "commands.Electrical.SET_BREAKER.set",
     "no property"},
    {meter_file, "set: breaker", "set: tariff", "tariff", "commands.Electrical.SET_BREAKER.set",
     "cannot be written"},
    {meter_file, "from: value", "from: valeu", "valeu", "commands.Electrical.SET_BREAKER.from",
     "no parameter"},
    {meter_file, "ON: true", "ON: 1", "1", "commands.Electrical.SET_BREAKER.values.ON", "no word"},
    {meter_file, "OFF: false", "OFF: false, TRIP: false", "TRIP",
     "commands.Electrical.SET_BREAKER.values.TRIP", "no value of the parameter"},
    {self_file, "at: uptime", "at: uptim", "uptim }", "services.Gateway.uptime.at",
     "no value of the gateway"},
    {self_file, "at: uptime", "at: uptime, type: u32", "type", "services.Gateway.uptime.type",
     "unknown key"},
    {self_file, "every: 60s", "defaults: {}", "{}", "defaults", "does not belong"},
};
INSTANTIATE_TEST_SUITE_P(OfTemplates, EveryMistake, testing::ValuesIn(template_mistakes));

TEST(Topics, AreAsManyAsTheConnectionHasRoomFor) {
    const auto load = [](int count, const std::string& more) {
        const Site site;
        std::string topics = "topics: [$oc/broadcast/all, +/a/#, \"#\"" + more;
        for (int i = 3; i < count; ++i) topics += ", t" + std::to_string(i);
        site.replace(main_file, "topics: []", topics + "]");
        return site.load();
    };
    EXPECT_TRUE(load(44, "").ok());
    EXPECT_FALSE(load(45, "").ok());
    EXPECT_TRUE(load(3, ", $oc/devices/64f0a1b2c3d4e5f607182930_GW-0001/user/orders").ok());
}

}  // namespace
}  // namespace fieldgate
