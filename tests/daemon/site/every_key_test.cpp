// Every key that the reader knows, changed in a site that runs: a reload does it, or says that it
// does not. Who adds a key to daemon/config/keys.cpp adds a row here.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include "daemon/config/keys.h"
#include "daemon/site/site_change.h"
#include "tests/daemon/config/site.h"
#include "tests/daemon/site/make.h"

namespace fieldgate {
namespace {

namespace fs = std::filesystem;
using Edit = std::function<void(const test::Site&)>;

/// What a reload makes of a change.
enum class Shows : std::uint8_t {
    rewired,    // a bus is closed, and opened anew
    devices,    // a bus gets its devices anew
    points,     // ...and what they report is mapped anew
    others,     // devices come and go
    own,        // the gateway reports otherwise of itself
    commands,   // holds for the next command
    platform,   // the next connection is another
    remote,     // holds for the next request
    clock,      // holds at once
    restart,    // said, by its name
    not_yet,    // said: nothing of this version does anything with it
    impossible  // alone it cannot be changed to anything that loads
};

struct Row {
    std::string key;  // "store.path": KnownKeys::path and the key
    Shows shows;
    Edit edit;
    Edit given = [](const test::Site&) {};  // before: what has to be there to be changed
};

constexpr const char* main_file = "fieldgate.yaml";
constexpr const char* site_yaml = "conf.d/10-site.yaml";
constexpr const char* meter = "templates/power-meter.yaml";
constexpr const char* health = "templates/gateway.yaml";

Edit in(const char* file, std::string from, std::string to) {
    return [=](const test::Site& files) { files.replace(file, from, to); };
}

Edit both(const Edit& one, const Edit& other) {
    return [=](const test::Site& files) {
        one(files);
        other(files);
    };
}

Edit copy(const char* from, const char* to, const std::string& text = "",
          const std::string& other = "") {
    return [=](const test::Site& files) {
        files.write(to, files.text(from));
        fs::permissions(files.path(to), fs::perms::owner_read | fs::perms::owner_write);
        if (!text.empty()) files.replace(to, text, other);
    };
}

const Edit no_model = in(meter, "model: ../models/PowerMeter", "# no model");
const Edit kernel =
    in(site_yaml, "rs485: none", "rs485: { kernel: { before: 1us, after: 200us } }");
const Edit other_template =
    copy(meter, "templates/other.yaml", "template: power-meter", "template: other");
const Edit by_certificate = in(main_file, "secret: cred:gateway",
                               "certificate: certs/platform-ca.pem\n    key: cred:gateway");
const Edit masked = both(no_model, in(meter, "bits: 3,", "bits: 3, write: { mask: true },"));
const Edit with_fallback =
    in(main_file, "  topics: []",
       "  fallback: { endpoint: https://a.example.com:443, ca: certs/platform-ca.pem, after: 5m }\n"
       "  topics: []");
const Edit with_provisioning =
    in(main_file, "gateway:  ",
       "provisioning: { endpoint: mqtts://b.example.com:8883, ca: certs/platform-ca.pem, scope: s, "
       "keyword: k, auth: { secret: cred:gateway } }\ngateway:  ");
const Edit second_key = copy("credentials/gateway", "credentials/second");
const Edit second_ca = copy("certs/platform-ca.pem", "certs/second.pem");

std::vector<Row> rows_of_main() {
    const auto to_tcp = [](const test::Site& files) {
        files.replace(site_yaml, "protocol: modbus-rtu", "protocol: modbus-tcp");
        files.replace(site_yaml, "serial: ", "tcp: 10.0.0.8:502 # ");
        for (const char* key : {"line: ", "rs485: ", "turnaround: "})
            files.replace(site_yaml, std::string("    ") + key, std::string("    # ") + key);
        files.replace(site_yaml, "timeout: auto", "timeout: 1s");
    };
    const Edit listed = in(main_file, "gateway:  ", "# gateway:  ");
    const Edit no_gateway = both(listed, in(main_file, "template: gateway", "# template: gateway"));
    return {
        {"schema", Shows::impossible, in(main_file, "schema: 1", "schema: 2")},
        {"gateway.template", Shows::own, in(main_file, "template: gateway", "template: brief"),
         both(copy(health, "templates/brief.yaml", "template: gateway", "template: brief"),
              in("templates/brief.yaml", "every: 60s", "every: 30s"))},
        {"store.path", Shows::restart, in(main_file, "path: /var/lib/fieldgate", "path: store")},
        {"store.max_size", Shows::restart, in(main_file, "max_size: 256MiB", "max_size: 128MiB")},
        {"store.keep_free", Shows::restart, in(main_file, "keep_free: 64MiB", "keep_free: 32MiB")},
        {"store.durability", Shows::restart,
         in(main_file, "durability: group", "durability: strict")},
        {"store.commit", Shows::restart, in(main_file, "commit: 1s", "commit: 2s")},
        {"store.when_full", Shows::restart,
         in(main_file, "when_full: drop_oldest", "when_full: drop_newest")},
        {"clock.require_sync", Shows::clock,
         in(main_file, "require_sync: false", "require_sync: true")},
        {"local.control", Shows::restart,
         in(main_file, "control: /run/fieldgate/control.sock", "control: c.sock")},
        {"local.web", Shows::restart, in(main_file, "web: off", "web: 127.0.0.1:8480")},
        {"local.metrics", Shows::restart, in(main_file, "metrics: off", "metrics: 127.0.0.1:9464")},
        {"include", Shows::others, in(main_file, "include: [conf.d/*.yaml]", "include: []")},
        {"templates", Shows::own,
         in(main_file, "templates: [templates/*.yaml]", "templates: [templates/power*.yaml]"),
         no_gateway},
        {"buses", Shows::rewired, in(site_yaml, "retries: 1", "retries: 2")},
        {"devices", Shows::others, in(site_yaml, "unit: 1..3", "unit: 1..4")},
        {"included.buses", Shows::rewired, in(site_yaml, "retries: 1", "retries: 2")},
        {"included.devices", Shows::others, in(site_yaml, "unit: 1..3", "unit: 1..4")},
        {"buses.NAME.protocol", Shows::rewired, to_tcp},
        {"buses.NAME.serial", Shows::rewired, in(site_yaml, "serial: /dev/", "serial: /dev/x/")},
        {"buses.NAME.line", Shows::rewired, in(site_yaml, "line: 9600 8E1", "line: 19200 8E1")},
        {"buses.NAME.rs485", Shows::rewired, kernel},
        {"buses.NAME.rs485.kernel.before", Shows::rewired,
         in(site_yaml, "before: 1us", "before: 9us"), kernel},
        {"buses.NAME.rs485.kernel.after", Shows::rewired,
         in(site_yaml, "after: 200us", "after: 90us"), kernel},
        {"buses.NAME.tcp", Shows::rewired, in(site_yaml, "tcp: 10.0.0.7:502", "tcp: 10.0.0.9")},
        {"buses.NAME.timeout", Shows::rewired, in(site_yaml, "timeout: 500ms", "timeout: 1s")},
        {"buses.NAME.turnaround", Shows::rewired,
         in(site_yaml, "turnaround: 20ms", "turnaround: 30ms")},
        {"buses.NAME.retries", Shows::rewired, in(site_yaml, "retries: 1", "retries: 2")},
        {"buses.NAME.connection", Shows::rewired,
         in(site_yaml, "connection: persistent", "connection: per_cycle")},
        {"devices[].name", Shows::points, in(site_yaml, "name: press", "name: puncher")},
        {"devices[].unit", Shows::points,
         in(site_yaml, "name: press\n    unit: 1", "name: press\n    unit: 2")},
        {"devices[].template", Shows::devices,
         in(site_yaml, "unit: 1\n    template: power-meter", "unit: 1\n    template: other"),
         both(other_template, in("templates/other.yaml", "at: holding:2,", "at: holding:3,"))},
        {"devices[].bus", Shows::points,
         both(in(site_yaml, "name: press\n    unit: 1", "name: press\n    unit: 9"),
              in(site_yaml, "bus: plc7", "bus: line1"))},
        {"devices[].node_id", Shows::others, in(site_yaml, "PRESS-1", "PRESS-2")},
        {"devices[].device_id", Shows::others,
         in(site_yaml, "node_id: PRESS-1", "node_id: PRESS-1\n    device_id: press")},
        {"devices[].every", Shows::devices, in(site_yaml, "every: 500ms", "every: 700ms")},
        {"devices[].offline.after", Shows::devices, in(site_yaml, "after: 3", "after: 4")},
        {"devices[].offline.probe", Shows::devices,
         in(site_yaml, "probe: 1s..60s", "probe: 1s..30s")},
    };
}

std::vector<Row> rows_of_platform() {
    std::vector<Row> rows{
        {"platform.endpoint", Shows::platform, in(main_file, "mqtts://iot.", "mqtts://iot2.")},
        {"platform.ca", Shows::platform,
         in(main_file, "ca: certs/platform-ca.pem", "ca: certs/second.pem"), second_ca},
        {"platform.device_id", Shows::platform, in(main_file, "_GW-0001", "_GW-0002")},
        {"platform.keep_alive", Shows::platform, in(main_file, "120s", "60s")},
        {"platform.linger", Shows::platform, in(main_file, "linger: 1s", "linger: 2s")},
        {"platform.register", Shows::not_yet, in(main_file, "register: off", "register: auto")},
        {"platform.topics", Shows::not_yet, in(main_file, "topics: []", "topics: [a/b]")},
        {"platform.fallback", Shows::not_yet, with_fallback},
        {"platform.auth", Shows::platform, by_certificate},
        {"auth.secret", Shows::platform,
         in(main_file, "secret: cred:gateway", "secret: cred:other"),
         copy("credentials/gateway", "credentials/other", "\n", "x\n")},
        {"auth.timestamp", Shows::platform,
         in(main_file, "timestamp: unchecked", "timestamp: checked")},
        {"auth.certificate", Shows::platform,
         in(main_file, "certificate: certs/platform-ca.pem", "certificate: certs/second.pem"),
         both(by_certificate, second_ca)},
        {"auth.key", Shows::platform, in(main_file, "key: cred:gateway", "key: cred:second"),
         both(by_certificate, second_key)},
        {"platform.limits.messages", Shows::platform, in(main_file, "45/s", "44/s")},
        {"platform.limits.bandwidth", Shows::platform, in(main_file, "100KiB/s", "99KiB/s")},
        {"platform.limits.payload", Shows::platform, in(main_file, "60KiB", "50KiB")},
        {"platform.limits.sub_devices", Shows::platform,
         in(main_file, "sub_devices: 100", "sub_devices: 50")},
        {"platform.limits.history", Shows::platform,
         in(main_file, "history: unlimited", "history: 1")},
        {"platform.reconnect.from", Shows::platform, in(main_file, "from: 1s", "from: 2s")},
        {"platform.reconnect.to", Shows::platform, in(main_file, "to: 60s", "to: 50s")},
        {"platform.reconnect.stable_after", Shows::platform,
         in(main_file, "stable_after: 60s", "stable_after: 50s")},
        {"platform.fallback.endpoint", Shows::not_yet, in(main_file, "https://a.", "https://c."),
         with_fallback},
        {"platform.fallback.ca", Shows::not_yet,
         in(main_file, "443, ca: certs/platform-ca.pem", "443, ca: certs/second.pem"),
         both(with_fallback, second_ca)},
        {"platform.fallback.after", Shows::not_yet, in(main_file, "after: 5m", "after: 6m"),
         with_fallback},
        {"provisioning", Shows::not_yet, with_provisioning},
        {"provisioning.endpoint", Shows::not_yet, in(main_file, "mqtts://b.", "mqtts://c."),
         with_provisioning},
        {"provisioning.ca", Shows::not_yet,
         in(main_file, "8883, ca: certs/platform-ca.pem", "8883, ca: certs/second.pem"),
         both(with_provisioning, second_ca)},
        {"provisioning.scope", Shows::not_yet, in(main_file, "scope: s", "scope: t"),
         with_provisioning},
        {"provisioning.keyword", Shows::not_yet, in(main_file, "keyword: k", "keyword: l"),
         with_provisioning},
        {"provisioning.auth", Shows::not_yet,
         in(main_file, "{ secret: cred:gateway }", "{ secret: cred:second }"),
         both(with_provisioning, second_key)},
        {"remote.hosts", Shows::remote, in(main_file, "*.myhuaweicloud.com", "*.example.com")},
        {"remote.private_addresses", Shows::remote,
         in(main_file, "private_addresses: false", "private_addresses: true")},
        {"remote.ca", Shows::remote, in(main_file, "ca: system", "ca: certs/platform-ca.pem")},
        {"remote.signing_keys", Shows::remote,
         in(main_file, "signing_keys: []",
            "signing_keys: [AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=]")},
    };
    for (const char* power : {"write", "operate", "restart"})
        rows.push_back({std::string("remote.") + power, Shows::remote,
                        in(main_file, std::string("  ") + power + ": false",
                           std::string("  ") + power + ": true")});
    for (const char* power : {"manage_devices", "configure", "upgrade", "files", "logs", "tunnel"})
        rows.push_back({std::string("remote.") + power, Shows::not_yet,
                        in(main_file, std::string("  ") + power + ": false",
                           std::string("  ") + power + ": true")});
    return rows;
}

std::vector<Row> rows_of_templates() {
    const auto point = [](std::string key, std::string from, std::string to,
                          const Edit& given = no_model) {
        return Row{"point." + key, Shows::points, in(meter, std::move(from), std::move(to)), given};
    };
    const auto own = [](std::string key, std::string from, std::string to) {
        return Row{std::move(key), Shows::own, in(health, std::move(from), std::move(to))};
    };
    const auto standard = [](std::string key, std::string from, std::string to,
                             Shows shows = Shows::points) {
        return Row{"template.defaults." + key, shows, in(meter, std::move(from), std::move(to))};
    };
    return {
        {"template.template", Shows::impossible, in(meter, "template: power", "template: a-power")},
        {"template.product_id", Shows::others, in(meter, "182931", "182932")},
        {"template.model", Shows::points, no_model},
        {"template.protocol", Shows::impossible, in(meter, "protocol: modbus", "protocol: self")},
        {"template.services", Shows::points, in(meter, "    tariff: ", "    # tariff: ")},
        {"template.commands", Shows::commands,
         in(meter, "  Electrical:\n    SET_BREAKER: ", "  {} #")},
        own("template.every", "every: 60s", "every: 30s"),
        standard("every", "  every: 1s", "  every: 2s", Shows::devices),
        standard("order", "order: ABCD ", "order: CDAB "),
        {"template.defaults.address_base", Shows::points,
         in(meter, "address_base: 0", "address_base: 1"),
         both(in(meter, "holding:0,", "holding:1,"), in(meter, "coil:0,", "coil:1,"))},
        standard("max_registers", "max_registers: 125", "max_registers: 100"),
        standard("min_registers", "max_registers: 125", "max_registers: 125\n  min_registers: 2"),
        standard("forbidden", "holding:40..49", "holding:40..48"),
        standard("gap", "gap: auto", "gap: 4"),
        standard("report", "report: { change: any", "# report: { change: any"),
        point("at", "at: holding:2,", "at: holding:3,"),
        point("type", "type: i16", "type: u16"),
        point("bits", "bits: 3", "bits: 4"),
        point("length", "length: 12", "length: 10"),
        point("order", "order: CDAB", "order: DCBA"),
        point("trim", "length: 12,", "length: 12, trim: space,"),
        point("scale", "scale: 0.01", "scale: 0.02"),
        point("offset", "scale: 0.01,", "scale: 0.01, offset: 1,"),
        point("absent", "0x7FFF", "0x7FFE"),
        point("values", "{ 1: day, 2: night }", "{ 2: day, 1: night }"),
        point("every", "every: 1h", "every: 2h"),
        point("report", "report: { change: 0.5, max: 10m }", "report: { change: any }"),
        point("write", ", write: { min: 1, max: 63 }", ""),
        point("priority", "priority: alarm", "priority: normal"),
        point("unit", "unit: Wh", "unit: kWh"),
        point("begins_at", "at: holding:22,", "at: holding:22, begins_at: holding:21,"),
        point("read", "write: { min: 1,", "read: never, write: { min: 1,"),
        point("write.min", "min: 1,", "min: 2,"),
        point("write.max", "max: 63", "max: 62"),
        point("write.verify", "verify: readback", "verify: none"),
        point("write.within", "within: 2s", "within: 3s"),
        point("write.tolerance", "max: 63 }", "max: 63, tolerance: 1 }"),
        point("write.mask", "mask: true", "mask: false", masked),
        point("write.on_cloud_loss", ", on_cloud_loss: { after: 10m, set: false }", ""),
        point("write.on_cloud_loss.after", "after: 10m", "after: 9m"),
        point("write.on_cloud_loss.set", "set: false", "set: true"),
        point("write.from", "max: 63 }", "max: 63, from: [local] }"),
        {"report.change", Shows::points, in(meter, "change: 0.5", "change: 0.6")},
        {"report.min", Shows::points, in(meter, "min: 1s", "min: 2s")},
        {"report.max", Shows::points, in(meter, "1%, min: 1s, max: 10m", "1%, min: 1s, max: 9m")},
        own("own point.at", "at: uptime", "at: reconnects"),
        own("own point.every", "at: uptime", "at: uptime, every: 5s"),
        own("own point.report", "at: uptime", "at: uptime, report: { change: any }"),
        own("own point.priority", "at: uptime", "at: uptime, priority: alarm"),
        own("own point.unit", "at: uptime", "at: uptime, unit: s"),
        {"command.set", Shows::commands, in(meter, "set: breaker,", "set: tariff,"),
         both(no_model, both(in(meter, "2: night } }", "2: night }, write: {} }"),
                             in(meter, ", values: { ON: true, OFF: false }", "")))},
        {"command.from", Shows::commands, in(meter, "from: value", "from: other"), no_model},
        {"command.values", Shows::commands,
         in(meter, "ON: true, OFF: false", "ON: false, OFF: true")},
    };
}

std::vector<Row> all_rows() {
    std::vector<Row> rows = rows_of_main();
    for (const auto& more : {rows_of_platform(), rows_of_templates()})
        rows.insert(rows.end(), more.begin(), more.end());
    return rows;
}

bool shows(Shows what, const std::string& key, const SiteChange& change, const Config& after) {
    const auto named = [&](const std::vector<std::string>& names, const char* more) {
        return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
            return key == name || key.starts_with(name + more);
        });
    };
    switch (what) {
        case Shows::rewired:
            return !change.lines_rewired.empty();
        case Shows::devices:
            return !change.redeviced.empty();
        case Shows::points:
            return !change.redeviced.empty() && !change.remapped.empty();
        case Shows::others:
            return !change.gone.empty() || !change.fresh.empty();
        case Shows::own:
            return change.own;
        case Shows::commands:
            return change.commands;
        case Shows::platform:
            return change.platform;
        case Shows::remote:
            return change.remote;
        case Shows::clock:
            return change.clock;
        case Shows::restart:
            return named(change.needs_restart, ".");
        case Shows::not_yet:
            return named(after.not_yet, ".") && !remarks(after).empty();
        case Shows::impossible:
            return false;
    }
    return false;
}

void expect_that_it_shows(const Row& row) {
    SCOPED_TRACE(row.key);
    const test::Site files;
    row.given(files);
    LoadedConfig first = files.load();
    ASSERT_TRUE(first.ok()) << test::all(first.problems);
    row.edit(files);
    LoadedConfig second = files.load();
    ASSERT_EQ(second.ok(), row.shows != Shows::impossible) << test::all(second.problems);
    if (!second.ok()) return;
    DeviceTable table;
    const SitePtr before = *make_site(std::move(*first.config), table);
    const SitePtr after = *make_site(std::move(*second.config), table, before.get());
    const SiteChange change = compare(*before, *after);
    EXPECT_TRUE(shows(row.shows, row.key, change, after->config));
    EXPECT_FALSE(describe(change, *after).empty() && remarks(after->config).empty());
}

TEST(EveryKey, ThatIsChangedIsAppliedByAReloadOrSaidNotToBe) {
    for (const Row& row : all_rows()) expect_that_it_shows(row);
}

TEST(EveryKey, HasARowAboveOrIsAMapWithKeysOfItsOwn) {
    std::set<std::string> rows;
    for (const Row& row : all_rows())
        EXPECT_TRUE(rows.insert(row.key).second) << row.key << " stands twice";
    std::set<std::string> maps;
    for (const config::KnownKeys& known : config::known_keys()) maps.insert(known.path);
    for (const config::KnownKeys& known : config::known_keys()) {
        for (const std::string& key : known.keys) {
            const std::string name = *known.path ? std::string(known.path) + '.' + key : key;
            const bool has_row = rows.erase(name) > 0;
            EXPECT_TRUE(has_row || maps.contains(name))
                << name << ": say in this file what a reload makes of it";
        }
    }
    EXPECT_TRUE(rows.empty()) << *rows.begin() << " is no key of the reader";
}

}  // namespace
}  // namespace fieldgate
