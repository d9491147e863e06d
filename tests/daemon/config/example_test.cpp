// The example site loads unchanged, with the meaning that its comments give.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "site.h"

namespace fieldgate {
namespace {

using namespace std::chrono_literals;
using southbound::modbus::RawType;
using southbound::modbus::Table;
using test::Site;

class Example : public testing::Test {
protected:
    Example() : loaded_(site_.load()) {}
    void SetUp() override { ASSERT_TRUE(loaded_.ok()) << test::all(loaded_.problems); }

    const Config& config() const { return *loaded_.config; }
    const Template& meter() const {
        for (const Template& tmpl : config().templates) {
            if (tmpl.name == "power-meter") return tmpl;
        }
        return config().templates.at(99);
    }
    std::size_t index(const std::string& property) const {
        for (std::size_t i = 0; i < meter().points->size(); ++i) {
            if ((*meter().points)[i].property == property) return i;
        }
        return 99;
    }
    const Point& point(const std::string& property) const {
        return meter().points->at(index(property));
    }
    const southbound::modbus::Field& field(const std::string& property) const {
        return meter().registers->fields.at(index(property));
    }

    Site site_;
    LoadedConfig loaded_;
};

TEST_F(Example, LoadsUnchangedWithNothingButTheWarningsOfItsRanges) {
    ASSERT_EQ(loaded_.problems.size(), 4U) << test::all(loaded_.problems);
    for (const Problem& problem : loaded_.problems) {
        EXPECT_EQ(problem.severity, Problem::Severity::warning);
        EXPECT_EQ(problem.file, "templates/power-meter.yaml");
        EXPECT_EQ(problem.what, "the raw range goes beyond the product model's");
    }
}

TEST_F(Example, ReadsThePlatform) {
    const northbound::PlatformSettings& platform = config().platform;
    EXPECT_EQ(platform.scheme, northbound::Scheme::mqtts);
    EXPECT_EQ(platform.host, "iot.example.com");
    EXPECT_EQ(platform.port, 8883);
    EXPECT_EQ(platform.ca_file, site_.path("certs/platform-ca.pem"));
    EXPECT_EQ(platform.device_id, "64f0a1b2c3d4e5f607182930_GW-0001");
    EXPECT_EQ(platform.identity.secret.reveal() + '\n', site_.text("credentials/gateway"));
    EXPECT_FALSE(platform.identity.check_timestamp);
    EXPECT_FALSE(platform.identity.by_certificate());
    EXPECT_EQ(platform.keep_alive, 120s);
    EXPECT_EQ(platform.linger, 1s);
    EXPECT_EQ(platform.limits.messages_per_second, 45);
    EXPECT_EQ(platform.limits.bytes_per_second, 100 * 1024);
    EXPECT_EQ(platform.limits.payload_bytes, 60U * 1024);
    EXPECT_EQ(platform.limits.sub_devices, 100U);
    EXPECT_EQ(platform.limits.history, northbound::Limits().history);
    EXPECT_EQ(platform.reconnect.from, 1s);
    EXPECT_EQ(platform.reconnect.to, 60s);
    EXPECT_EQ(platform.reconnect.stable_after, 60s);
    EXPECT_FALSE(platform.register_devices);
}

TEST_F(Example, ReadsStoreClockRemoteAndLocal) {
    EXPECT_EQ(config().store.path, "/var/lib/fieldgate");
    EXPECT_EQ(config().store.max_size_bytes, 256ULL << 20);
    EXPECT_EQ(config().store.keep_free_bytes, 64ULL << 20);
    EXPECT_EQ(config().store.durability, storage::Durability::group);
    EXPECT_EQ(config().store.commit, 1s);
    EXPECT_EQ(config().store.when_full, storage::WhenFull::drop_oldest);
    EXPECT_FALSE(config().require_sync);
    const RemoteSettings& remote = config().remote;
    EXPECT_FALSE(remote.write || remote.manage_devices || remote.configure || remote.upgrade ||
                 remote.files || remote.operate || remote.logs || remote.tunnel || remote.restart);
    EXPECT_EQ(remote.hosts, std::vector<std::string>{"*.myhuaweicloud.com"});
    EXPECT_FALSE(remote.private_addresses);
    EXPECT_EQ(remote.ca, "system");
    EXPECT_TRUE(remote.signing_keys.empty());
    EXPECT_EQ(config().local.control, "/run/fieldgate/control.sock");
    EXPECT_FALSE(config().local.web || config().local.metrics);
    EXPECT_TRUE(config().not_yet.empty());
    EXPECT_EQ(config().hash.size(), 64U);
}

TEST_F(Example, ReadsTheBuses) {
    ASSERT_EQ(config().buses.size(), 2U);
    const southbound::BusSettings& line = config().buses[0];
    EXPECT_EQ(line.name, "line1");
    const auto& serial = std::get<southbound::SerialSettings>(line.wire);
    EXPECT_EQ(serial.path, "/dev/serial/by-path/platform-usb-0:1.2:1.0-port0");
    EXPECT_EQ(serial.baud, 9600U);
    EXPECT_EQ(serial.data_bits, 8);
    EXPECT_EQ(serial.parity, 'E');
    EXPECT_EQ(serial.stop_bits, 1);
    EXPECT_FALSE(serial.rs485);
    EXPECT_FALSE(line.timeout);
    EXPECT_EQ(line.turnaround, 20ms);
    EXPECT_EQ(line.retries, 1);
    const southbound::BusSettings& plc = config().buses[1];
    const auto& tcp = std::get<southbound::TcpSettings>(plc.wire);
    EXPECT_EQ(tcp.host, "10.0.0.7");
    EXPECT_EQ(tcp.port, 502);
    EXPECT_TRUE(tcp.persistent);
    EXPECT_EQ(plc.timeout, 500ms);
}

TEST_F(Example, SpreadsARangeOfUnitsOverDevices) {
    ASSERT_EQ(config().devices.size(), 4U);
    for (std::size_t i = 0; i < 3; ++i) {
        const std::string unit = std::to_string(i + 1);
        EXPECT_EQ(config().devices[i].name, "meter-" + unit);
        EXPECT_EQ(config().devices[i].node_id, "METER-" + unit);
        EXPECT_EQ(config().devices[i].device_id, "64f0a1b2c3d4e5f607182931_METER-" + unit);
        EXPECT_EQ(config().devices[i].unit, i + 1);
        EXPECT_EQ(config().devices[i].bus, 0U);
        EXPECT_FALSE(config().devices[i].every);
    }
    const DeviceConfig& press = config().devices[3];
    EXPECT_EQ(press.name, "press");
    EXPECT_EQ(press.bus, 1U);
    EXPECT_EQ(press.every, 500ms);
    EXPECT_EQ(press.offline.after, 3U);
    EXPECT_EQ(press.offline.probe_from, 1s);
    EXPECT_EQ(press.offline.probe_to, 60s);
    EXPECT_EQ(config().templates[press.device_template].name, "power-meter");
}

TEST_F(Example, AsksForEachPointInItsOwnPeriod) {
    const DeviceConfig& press = config().devices[3];
    EXPECT_EQ(period(meter(), config().devices[0], index("voltage")), 1s);
    EXPECT_EQ(period(meter(), press, index("voltage")), 500ms);
    EXPECT_EQ(period(meter(), press, index("energy")), 60s);
    EXPECT_EQ(period(meter(), press, index("serialNumber")), 1h);
}

TEST_F(Example, ReadsWhereAPointLiesAndWhatItMeans) {
    EXPECT_EQ(field("voltage").table, Table::holding);
    EXPECT_EQ(field("voltage").address, 0);
    EXPECT_EQ(field("voltage").type, RawType::u32);
    EXPECT_EQ(field("voltage").scale, (Decimal{1, 1}));
    EXPECT_EQ(field("current").type, RawType::i16);
    EXPECT_EQ(field("current").scale, (Decimal{1, 2}));
    EXPECT_EQ(field("current").absent, std::vector<std::uint64_t>{0x7FFF});
    EXPECT_EQ(field("power").order, (southbound::modbus::Order{true, false}));
    EXPECT_EQ(field("energy").order, (southbound::modbus::Order{true, false}));
    EXPECT_EQ(field("energy").type, RawType::u64);
    EXPECT_EQ(field("serialNumber").length, 12);
    EXPECT_EQ(field("serialNumber").trim, southbound::modbus::Trim::nul);
    EXPECT_EQ(field("overload").bits, (southbound::modbus::Bits{3, 3}));
    EXPECT_EQ(point("overload").priority, Priority::alarm);
    ASSERT_EQ(field("tariff").values.size(), 2U);
    EXPECT_EQ(field("tariff").values[1].first, 2U);
    EXPECT_EQ(field("tariff").values[1].second, Value(std::string("night")));
    EXPECT_EQ(field("breaker").table, Table::coil);
    EXPECT_EQ(field("breaker").type, RawType::boolean);
    EXPECT_EQ(point("power").unit, "W");
    EXPECT_EQ(point("voltage").model->type, DataType::decimal);
    EXPECT_TRUE(point("breaker").model->writable);
}

TEST_F(Example, ReadsReportAndWriteRules) {
    using Change = ReportRule::Change;
    EXPECT_EQ(point("current").report, (ReportRule{Change::any, {}, 0ms, 10min}));
    EXPECT_EQ(point("voltage").report, (ReportRule{Change::absolute, {5, 1}, 0ms, 10min}));
    EXPECT_EQ(point("power").report, (ReportRule{Change::percent, {1, 0}, 1s, 10min}));
    EXPECT_FALSE(point("voltage").write);
    ASSERT_TRUE(point("breaker").write);
    EXPECT_TRUE(point("breaker").write->readback);
    EXPECT_EQ(point("breaker").write->within, 2s);
    ASSERT_TRUE(point("breaker").write->on_cloud_loss);
    EXPECT_EQ(point("breaker").write->on_cloud_loss->after, 10min);
    EXPECT_EQ(point("breaker").write->on_cloud_loss->set, Value(false));
    ASSERT_TRUE(point("currentLimit").write);
    EXPECT_EQ(point("currentLimit").write->min, (Decimal{1, 0}));
    EXPECT_EQ(point("currentLimit").write->max, (Decimal{63, 0}));
}

TEST_F(Example, ReadsTheTemplatesDefaultsAndCommands) {
    EXPECT_EQ(meter().product_id, "64f0a1b2c3d4e5f607182931");
    EXPECT_EQ(meter().every, 1s);
    EXPECT_EQ(meter().registers->max_registers, 125);
    EXPECT_FALSE(meter().registers->gap);
    ASSERT_EQ(meter().registers->forbidden.size(), 1U);
    EXPECT_EQ(meter().registers->forbidden[0].first, 40);
    EXPECT_EQ(meter().registers->forbidden[0].last, 49);
    ASSERT_EQ(meter().commands.size(), 1U);
    const CommandRule& command = meter().commands[0];
    EXPECT_EQ(command.service, "Electrical");
    EXPECT_EQ(command.command, "SET_BREAKER");
    EXPECT_EQ(command.property, "breaker");
    EXPECT_EQ(command.parameter, "value");
    EXPECT_EQ(command.response, "SET_BREAKER_RSP");
    EXPECT_TRUE(command.response_has_result);
    const std::vector<std::pair<std::string, Value>> values{{"ON", true}, {"OFF", false}};
    EXPECT_EQ(command.values, values);
}

TEST_F(Example, ReadsTheGatewaysOwnTemplate) {
    ASSERT_TRUE(config().gateway_template);
    const Template& gateway = config().templates[*config().gateway_template];
    EXPECT_EQ(gateway.protocol, Template::Protocol::self);
    EXPECT_EQ(gateway.every, 60s);
    const std::vector<SelfValue> values{SelfValue::uptime,         SelfValue::outbox_pending,
                                        SelfValue::outbox_evicted, SelfValue::devices_online,
                                        SelfValue::version,        SelfValue::config_hash};
    EXPECT_EQ(gateway.self_values, values);
    EXPECT_EQ(gateway.points->at(3).property, "devicesOnline");
}

TEST_F(Example, ChangesItsHashWithEveryFile) {
    site_.replace("conf.d/10-site.yaml", "retries: 1", "retries: 2");
    const LoadedConfig other = site_.load();
    ASSERT_TRUE(other.ok());
    EXPECT_NE(other.config->hash, config().hash);
}

TEST_F(Example, TakesTheSecretFromTheCredentialsDirectoryFirst) {
    site_.write("elsewhere/gateway", "another secret\n");
    setenv("CREDENTIALS_DIRECTORY", site_.path("elsewhere").c_str(), 1);  // NOLINT
    const std::vector<Problem> open = site_.errors();                     // 0644, as it was written
    ASSERT_EQ(chmod(site_.path("elsewhere/gateway").c_str(), 0400), 0);
    const LoadedConfig other = site_.load();
    unsetenv("CREDENTIALS_DIRECTORY");  // NOLINT
    ASSERT_EQ(open.size(), 1U);
    EXPECT_EQ(open[0].hint, "run: chmod 600 " + site_.path("elsewhere/gateway"));
    ASSERT_TRUE(other.ok());
    EXPECT_EQ(other.config->platform.identity.secret.reveal(), "another secret");
}

}  // namespace
}  // namespace fieldgate
