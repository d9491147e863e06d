// What the example does not show: other spellings, other files, what is warned of.
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>

#include <cstdlib>
#include <filesystem>

#include "site.h"

namespace fieldgate {
namespace {

using namespace std::chrono_literals;
using southbound::modbus::Order;
using test::Site;

constexpr const char* main_file = "fieldgate.yaml";
constexpr const char* site_file = "conf.d/10-site.yaml";
constexpr const char* meter_file = "templates/power-meter.yaml";

const Template& meter(const LoadedConfig& loaded) {
    const auto& templates = loaded.config->templates;
    return templates[0].name == "power-meter" ? templates[0] : templates[1];
}

// A modbus template without a model: any point can be tried in it.
LoadedConfig with_points(const Site& site, const std::string& defaults, const std::string& points) {
    site.write("templates/try.yaml", "template: try\nprotocol: modbus\nproduct_id: p\ndefaults: " +
                                         defaults + "\nservices:\n  S:\n" + points);
    return site.load();
}

const Template& tried(const LoadedConfig& loaded) {
    for (const Template& tmpl : loaded.config->templates) {
        if (tmpl.name == "try") return tmpl;
    }
    return loaded.config->templates.at(99);
}

const Problem* warning_of(const LoadedConfig& loaded, const std::string& path) {
    for (const Problem& problem : loaded.problems) {
        if (problem.severity == Problem::Severity::warning && problem.path == path) return &problem;
    }
    return nullptr;
}

TEST(Variants, WarnOfAPortThatMayChangeItsName) {
    const Site site;
    site.replace(site_file, "serial: /dev/serial/by-path/platform-usb-0:1.2:1.0-port0",
                 "serial: /dev/ttyUSB0");
    const LoadedConfig loaded = site.load();
    ASSERT_TRUE(loaded.ok());
    const Problem& warning = loaded.problems.front();
    EXPECT_EQ(warning.severity, Problem::Severity::warning);
    EXPECT_EQ(warning.path, "buses.line1.serial");
    EXPECT_TRUE(test::contains(warning.hint, "/dev/serial/by-id/"));
}

TEST(Variants, UnlimitedIsAllowedWithAWarning) {
    const Site site;
    site.replace(main_file, "messages: 45/s", "messages: unlimited");
    site.replace(main_file, "bandwidth: 100KiB/s", "bandwidth: unlimited");
    const LoadedConfig loaded = site.load();
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    EXPECT_EQ(loaded.config->platform.limits.messages_per_second, northbound::Limits::unlimited);
    EXPECT_EQ(loaded.config->platform.limits.bytes_per_second, northbound::Limits::unlimited);
    EXPECT_EQ(loaded.problems.size(), 6U);
}

TEST(Variants, ListWhatIsSwitchedOnAndNotInThisVersion) {
    const Site site;
    site.replace(main_file, "tunnel: false", "tunnel: true");
    site.replace(main_file, "register: off", "register: auto");
    site.replace(main_file, "web: off", "web: 127.0.0.1:8480");
    site.replace(main_file, "mqtts://iot.example.com:8883", "https://iot.example.com");
    site.replace(main_file, "# fallback:", "fallback:");
    const LoadedConfig loaded = site.load();
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    const std::vector<std::string> expected{"platform.endpoint", "platform.register",
                                            "platform.fallback", "remote.tunnel", "local.web"};
    EXPECT_EQ(loaded.config->not_yet, expected);
    EXPECT_EQ(loaded.config->platform.scheme, northbound::Scheme::https);
    EXPECT_EQ(loaded.config->platform.port, 443);
    const Problem* warning = warning_of(loaded, "platform.endpoint");
    ASSERT_NE(warning, nullptr) << test::all(loaded.problems);
    EXPECT_TRUE(test::contains(warning->what, "does not start"));
    ASSERT_TRUE(loaded.config->local.web);
    EXPECT_EQ(loaded.config->local.web->port, 8480);
}

TEST(Variants, ProvisioningStandsForTheEndpointAndIsValidated) {
    const Site site;
    site.replace(main_file, "  endpoint: mqtts", "  # endpoint: mqtts");
    site.replace(main_file, "# provisioning:  ",
                 "provisioning:\n  endpoint: mqtt://b:1883\n  auth: "
                 "{ secret: cred:gateway }\n#");
    const LoadedConfig loaded = site.load();
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    EXPECT_EQ(loaded.config->not_yet, std::vector<std::string>{"provisioning"});
    EXPECT_TRUE(loaded.config->platform.host.empty());
    const Problem* warning = warning_of(loaded, "platform");
    ASSERT_NE(warning, nullptr) << test::all(loaded.problems);
    EXPECT_TRUE(test::contains(warning->what, "does not start"));
    site.replace(main_file, "mqtt://b:1883", "mqtts://b:1883");
    const std::vector<Problem> errors = site.errors();
    ASSERT_EQ(errors.size(), 1U) << test::all(errors);
    EXPECT_EQ(errors[0].path, "provisioning");
    EXPECT_TRUE(test::contains(errors[0].what, "\"ca\" is missing"));
}

TEST(Variants, ACertificateStandsForASecret) {
    const Site site;
    site.write("credentials/key", "-----BEGIN PRIVATE KEY-----\n");
    ASSERT_EQ(chmod(site.path("credentials/key").c_str(), 0600), 0);
    site.replace(main_file, "secret: cred:gateway ",
                 "certificate: certs/platform-ca.pem\n    key: cred:key ");
    const LoadedConfig loaded = site.load();
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    EXPECT_TRUE(loaded.config->platform.identity.by_certificate());
    EXPECT_EQ(loaded.config->platform.identity.key_file, site.path("credentials/key"));
    ASSERT_EQ(chmod(site.path("credentials/key").c_str(), 0640), 0);
    const std::vector<Problem> errors = site.errors();
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_EQ(errors[0].path, "platform.auth.key");
    EXPECT_EQ(errors[0].hint, "run: chmod 600 " + site.path("credentials/key"));
}

TEST(Variants, BusesMayHaveOtherSettings) {
    const Site site;
    site.replace(site_file, "rs485: none", "rs485: { kernel: { before: 100us, after: 200us } }");
    site.replace(site_file, "timeout: auto", "timeout: 1s");
    site.replace(site_file, "line: 9600 8E1", "line: 115200 8N2");
    site.replace(site_file, "tcp: 10.0.0.7:502", "tcp: \"[fe80::1]:1502\"");
    site.replace(site_file, "connection: persistent", "connection: per_cycle");
    const LoadedConfig loaded = site.load();
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    const auto& serial = std::get<southbound::SerialSettings>(loaded.config->buses[0].wire);
    ASSERT_TRUE(serial.rs485);
    EXPECT_EQ(serial.rs485->before, 100us);
    EXPECT_EQ(serial.rs485->after, 200us);
    EXPECT_EQ(serial.baud, 115200U);
    EXPECT_EQ(serial.parity, 'N');
    EXPECT_EQ(serial.stop_bits, 2);
    EXPECT_EQ(loaded.config->buses[0].timeout, 1s);
    const auto& tcp = std::get<southbound::TcpSettings>(loaded.config->buses[1].wire);
    EXPECT_EQ(tcp.host, "fe80::1");
    EXPECT_EQ(tcp.port, 1502);
    EXPECT_FALSE(tcp.persistent);
}

TEST(Variants, ALineMayHaveEverySpeedThatAPortCanHave) {
    for (const std::uint32_t baud : {300U, 1800U, 3500000U, 4000000U}) {
        const Site site;
        site.replace(site_file, "line: 9600 8E1", "line: " + std::to_string(baud) + " 8E1");
        const LoadedConfig loaded = site.load();
        ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
        EXPECT_EQ(std::get<southbound::SerialSettings>(loaded.config->buses[0].wire).baud, baud);
    }
}

TEST(Variants, AnIdIsAsLongAsItsLongestUnitMakesIt) {
    const Site site;
    site.replace(site_file, "unit: 1..3", "unit: 9..10");
    site.replace(site_file, "METER-{unit}", std::string(62, 'n') + "{unit}");
    EXPECT_EQ(test::all(site.errors()), "");
    site.replace(site_file, "unit: 9..10", "unit: 99..100");
    const std::vector<Problem> node = site.errors();
    ASSERT_EQ(node.size(), 1U) << test::all(node);
    EXPECT_EQ(node[0].path, "devices[0].node_id");
    EXPECT_TRUE(test::contains(node[0].hint, "1 to 64")) << node[0].hint;
    site.replace(site_file, "unit: 99..100", "unit: 9..10");
    site.replace(meter_file, "64f0a1b2c3d4e5f607182931", std::string(64, 'p'));
    const std::vector<Problem> device = site.errors();
    ASSERT_EQ(device.size(), 1U) << test::all(device);
    EXPECT_EQ(device[0].path, "devices[0].node_id");
    EXPECT_TRUE(test::contains(device[0].what, "129 characters")) << device[0].what;
}

TEST(Variants, TheDefaultOrderSuitsEachWidth) {
    const Site site;
    const LoadedConfig loaded = with_points(site, "{ order: DCBA, address_base: 1 }",
                                            "    a: { at: holding:1, type: u16 }\n"
                                            "    b: { at: holding:0x2, type: u32 }\n"
                                            "    c: { at: input:65533, type: f64 }\n"
                                            "    d: { at: holding:9, type: string, length: 3 }\n"
                                            "    e: { at: holding:9, type: u16, order: CDAB }\n"
                                            "    f: { at: holding:9, type: string, length: 2, "
                                            "order: BA, trim: space }\n");
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    const auto& fields = tried(loaded).registers->fields;
    EXPECT_EQ(fields[0].address, 0);
    EXPECT_EQ(fields[0].order, (Order{false, true}));
    EXPECT_EQ(fields[1].address, 1);
    EXPECT_EQ(fields[1].order, (Order{true, true}));
    EXPECT_EQ(fields[2].address, 65532);
    EXPECT_EQ(fields[2].order, (Order{true, true}));
    EXPECT_EQ(fields[3].order, Order());
    EXPECT_EQ(fields[4].order, Order());
    EXPECT_EQ(fields[5].order, (Order{false, true}));
    EXPECT_EQ(fields[5].trim, southbound::modbus::Trim::space);
}

TEST(Variants, AbsentIsTheRawPatternOfTheType) {
    const Site site;
    const LoadedConfig loaded =
        with_points(site, "{ every: 2s }",
                    "    a: { at: holding:1, type: i16, absent: [-1, 0x8000] }\n"
                    "    b: { at: holding:1, type: f32, absent: [-9999, 0x7FC00000] }\n"
                    "    c: { at: holding:1, type: bcd16, absent: [9999, 0xFFFF] }\n"
                    "    d: { at: holding:1, type: u16, bits: 8..11, absent: [15] }\n"
                    "    e: { at: holding:1, type: u64, absent: [0xFFFFFFFFFFFFFFFF] }\n"
                    "    f: { at: input:1, type: bool, absent: [0xFFFF] }\n"
                    "    g: { at: coil:1, type: bool, absent: [true] }\n");
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    using Patterns = std::vector<std::uint64_t>;
    const auto& fields = tried(loaded).registers->fields;
    EXPECT_EQ(fields[0].absent, (Patterns{0xFFFF, 0x8000}));
    EXPECT_EQ(fields[1].absent, (Patterns{0xC61C3C00, 0x7FC00000}));
    EXPECT_EQ(fields[2].absent, (Patterns{0x9999, 0xFFFF}));
    EXPECT_EQ(fields[3].absent, (Patterns{15}));
    EXPECT_EQ(fields[4].absent, (Patterns{~0ULL}));
    EXPECT_EQ(fields[5].absent, (Patterns{0xFFFF}));
    EXPECT_EQ(fields[6].absent, (Patterns{1}));
}

TEST(Variants, ADefaultDeadbandMeansAnyChangeWhereThereIsNoNumber) {
    const Site site;
    const LoadedConfig loaded =
        with_points(site, "{ report: { change: 0.5, max: 1h } }",
                    "    a: { at: holding:1, type: u16 }\n    b: { at: coil:1, type: bool }\n"
                    "    c: { at: holding:1, type: u16, report: { min: 5s } }\n");
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    using Change = ReportRule::Change;
    const auto& points = *tried(loaded).points;
    EXPECT_EQ(points[0].report, (ReportRule{Change::absolute, {5, 1}, 0ms, 1h}));
    EXPECT_EQ(points[1].report, (ReportRule{Change::any, {}, 0ms, 1h}));
    EXPECT_EQ(points[2].report, (ReportRule{Change::any, {}, 5s, 0ms}));
}

TEST(Variants, WithoutAReportEveryReadingIsReported) {
    const Site site;
    const LoadedConfig loaded = with_points(site, "{}", "    a: { at: holding:1, type: u16 }\n");
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    EXPECT_EQ(tried(loaded).points->at(0).report, ReportRule());
    EXPECT_EQ(ReportRule().change, ReportRule::Change::every_reading);
}

TEST(Variants, ValuesWithoutAModelAreWhatTheyLookLike) {
    const Site site;
    const LoadedConfig loaded = with_points(site, "{ gap: 8 }",
                                            "    a: { at: holding:1, type: u16, values: { 0: off, "
                                            "1: true, 2: 1.5, 3: \"7\", 4: 7 } }\n");
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    const auto& values = tried(loaded).registers->fields[0].values;
    EXPECT_EQ(values[0].second, Value(std::string("off")));
    EXPECT_EQ(values[1].second, Value(true));
    EXPECT_EQ(values[2].second, Value(Decimal{15, 1}));
    EXPECT_EQ(values[3].second, Value(std::string("7")));
    EXPECT_EQ(values[4].second, Value(std::int64_t{7}));
    EXPECT_EQ(tried(loaded).registers->gap, 8);
}

TEST(ProductModel, IsReadFromAZipWithAFolderAtItsTop) {
    const Site site;
    const std::string top = site.path("models/Meter_acme_PM1");
    std::filesystem::rename(site.path("models/PowerMeter"), top);
    const std::string command = "cd " + site.path("models") +
                                " && python3 -m zipfile -c meter.zip Meter_acme_PM1 && rm -r "
                                "Meter_acme_PM1";
    ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT
    site.replace(meter_file, "../models/PowerMeter", "../models/meter.zip");
    const LoadedConfig loaded = site.load();
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    EXPECT_EQ(meter(loaded).model->device_type, "PowerMeter");
    EXPECT_EQ(meter(loaded).model->services.at(0).properties.size(), 9U);
    site.write("models/meter.zip", site.text("models/meter.zip").substr(0, 300));
    const std::vector<Problem> errors = site.errors();
    ASSERT_EQ(errors.size(), 1U) << test::all(errors);
    EXPECT_EQ(errors[0].path, "model");
}

TEST(ProductModel, IsReadFromTheApisJson) {
    const Site site;
    site.write("models/api.json",
               R"({"device_type":"PowerMeter","service_capabilities":[{"service_id":"Electrical",
               "service_type":"Electrical","properties":[{"property_name":"voltage",
               "data_type":"decimal","min":"0","max":"500","method":"R"}]}]})");
    site.replace(meter_file, "../models/PowerMeter", "../models/api.json");
    const std::vector<Problem> errors = site.errors();
    ASSERT_EQ(errors.size(), 9U) << test::all(errors);  // all but voltage, and the command
    EXPECT_EQ(errors[0].path, "services.Electrical.current");
}

TEST(ProductModel, NeedsItsFiles) {
    const Site site;
    std::filesystem::remove(site.path("models/PowerMeter/profile/devicetype-capability.json"));
    const std::vector<Problem> errors = site.errors();
    ASSERT_EQ(errors.size(), 1U) << test::all(errors);
    EXPECT_EQ(errors[0].path, "model");
    EXPECT_TRUE(test::contains(errors[0].what, "no devicetype-capability.json"));
}

TEST(ProductModel, HasRangesThatTheWireMayNeverMeet) {
    const Site site;
    site.replace(meter_file, "scale: 0.01, unit: A", "scale: 0.001, offset: 200, unit: A");
    const std::vector<Problem> errors = site.errors();
    ASSERT_EQ(errors.size(), 1U) << test::all(errors);
    EXPECT_EQ(errors[0].path, "services.Electrical.current.scale");
    EXPECT_TRUE(test::contains(errors[0].hint, "167.232 to 232.767, the model allows -100 to 100"));
}

// What is said of `values: { 1: WORD }`, where the model has one property, of `type`.
std::vector<Problem> said_of(const char* type, const std::string& word) {
    const Site site;
    site.write("models/one.json",
               R"({"device_type":"D","service_capabilities":[{"service_id":"S","service_type":"S",
               "properties":[{"property_name":"p","method":"R",)" +
                   std::string(type) + "}]}]}");
    return with_points(site, "{}\nmodel: ../models/one.json",
                       "    p: { at: holding:1, type: u16, values: { 1: " + word + " } }\n")
        .problems;
}

TEST(ProductModel, TakesWordsThatWillFit) {
    const std::vector<std::pair<const char*, const char*>> well{
        {R"("data_type":"string","max_length":4)", "白天"},
        {R"("data_type":"int")", "-2147483648"},
        {R"("data_type":"int","step":1)", "2.5"},
        {R"("data_type":"long")", "3000000000"},
        {R"("data_type":"DateTime")", "20260131T120000Z"},
        {R"("data_type":"string list","enum_list":["a"])", "a"},
        {R"("data_type":"jsonObject")", R"('{"a": 1}')"}};
    for (const auto& [type, word] : well) {
        const std::vector<Problem> problems = said_of(type, word);
        EXPECT_FALSE(test::contains(test::all(problems), "services.S")) << test::all(problems);
    }
}

TEST(ProductModel, RefusesWordsThatWouldNeverFit) {
    struct Wrong {
        const char* type;
        const char* word;
        const char* hint;
    };
    const std::vector<Wrong> wrong{
        {R"("data_type":"string","max_length":4)", "白天白天白", "at most 4 characters"},
        {R"("data_type":"int")", "2.5", "whole number, -2147483648 to 2147483647"},
        {R"("data_type":"int")", "3000000000", "whole number"},
        {R"("data_type":"decimal","min":"0","max":"5")", "5.1", "write a number, 0 to 5"},
        {R"("data_type":"DateTime")", "hello", "20260131T120000Z"},
        {R"("data_type":"string list","enum_list":["day"])", "dya", "one of: day"},
        {R"("data_type":"jsonObject")", "true", "a JSON object in quotes"}};
    for (const Wrong& it : wrong) {
        const std::vector<Problem> problems = said_of(it.type, it.word);
        const auto found = std::find_if(problems.begin(), problems.end(), [](const Problem& p) {
            return p.severity == Problem::Severity::error && p.path == "services.S.p.values.1";
        });
        ASSERT_NE(found, problems.end()) << it.type << ' ' << it.word << test::all(problems);
        EXPECT_TRUE(test::contains(found->what, "does not fit")) << found->what;
        EXPECT_TRUE(test::contains(found->hint, it.hint)) << found->hint;
    }
}

TEST(ProductModel, WarnsOfAPropertyThatNobodyMayRead) {
    const Site site;
    site.replace("models/PowerMeter/service/Electrical/profile/servicetype-capability.json",
                 R"("method":"RW")", R"("method":"W")");
    const LoadedConfig loaded = site.load();
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    EXPECT_NE(warning_of(loaded, "services.Electrical.breaker"), nullptr)
        << test::all(loaded.problems);
}

TEST(Variants, WarnOfPeriodsThatABusCannotMeet) {
    const Site site;
    site.replace("conf.d/10-site.yaml", "line: 9600 8E1", "line: 300 8E1");
    const LoadedConfig loaded = site.load();
    ASSERT_TRUE(loaded.ok()) << test::all(loaded.problems);
    const auto overload = std::find_if(loaded.problems.begin(), loaded.problems.end(),
                                       [](const Problem& p) { return p.path == "buses.line1"; });
    ASSERT_NE(overload, loaded.problems.end()) << test::all(loaded.problems);
    EXPECT_EQ(overload->severity, Problem::Severity::warning);
    EXPECT_TRUE(test::contains(overload->what, "cannot meet the periods"));
}

}  // namespace
}  // namespace fieldgate
