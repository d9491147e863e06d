#include "daemon/local/plan_report.h"

#include <gtest/gtest.h>

#include "tests/daemon/config/site.h"

namespace fieldgate {
namespace {

using test::Site;

SitePlan plan_of(const Site& site) {
    const LoadedConfig loaded = site.load();
    EXPECT_TRUE(loaded.ok()) << test::all(loaded.problems);
    return loaded.ok() ? plan_site(*loaded.config) : SitePlan();
}

// Each block of the example is of one service, and so is the gateway's own template, once a minute.
TEST(SitePlan, CountsOneRecordPerWireAnswerAndTheGatewaysOwn) {
    const Site site;
    const SitePlan plan = plan_of(site);
    double answers = 0;
    for (const SitePlan::Bus& bus : plan.buses) answers += bus.summary.requests_per_second;
    EXPECT_GT(answers, 10);
    EXPECT_NEAR(plan.records_per_second, answers + 1.0 / 60, 1e-9);
}

TEST(SitePlan, CountsEachServiceThatABlockServes) {
    const Site site;
    site.write("templates/power-meter.yaml",
               "template: power-meter\nproduct_id: p\nprotocol: modbus\nservices:\n"
               "  A: { a: { at: holding:0, type: u16 } }\n"
               "  B: { b: { at: holding:1, type: u16 } }\n");
    site.write("templates/gateway.yaml",
               "template: gateway\nprotocol: self\nevery: 1s\nservices:\n"
               "  C: { c: { at: uptime }, d: { at: version, every: 2s } }\n"
               "  D: { d: { at: version } }\n");
    const SitePlan plan = plan_of(site);
    // Three meters every second, the press twice, two services each.
    EXPECT_NEAR(plan.records_per_second, 10 + 2.5, 1e-9);
}

TEST(SitePlan, CountsTheMessagesThatTheLimitOfSubDevicesMakes) {
    const Site site;
    site.write("templates/power-meter.yaml",
               "template: power-meter\nproduct_id: p\nprotocol: modbus\nservices:\n"
               "  A: { a: { at: holding:0, type: u16 } }\n");
    site.write("templates/gateway.yaml",
               "template: gateway\nprotocol: self\nevery: 1d\nservices:\n"
               "  C: { c: { at: uptime } }\n");
    site.write("conf.d/10-site.yaml",
               "buses: { plc: { protocol: modbus-tcp, tcp: 10.0.0.7:502 } }\n"
               "devices: [{ unit: 1..250, name: \"d-{unit}\", node_id: \"d-{unit}\",\n"
               "            template: power-meter, bus: plc }]\n");
    const double per_second = plan_of(site).messages_per_day / 86400;
    EXPECT_GE(per_second, 3);
    EXPECT_LT(per_second, 5);
}

TEST(SitePlan, CountsTheMessagesThatTheLimitOfHistoryMakes) {
    const Site site;
    site.replace("fieldgate.yaml", "history: unlimited", "history: 1");
    const SitePlan plan = plan_of(site);
    EXPECT_GE(plan.messages_per_day / 86400, plan.records_per_second - 1.0 / 60);
}

}  // namespace
}  // namespace fieldgate
