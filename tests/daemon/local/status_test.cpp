#include "daemon/local/status.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace fieldgate {
namespace {

Status example() {
    Status status;
    status.version = "1.2.3";
    status.config_hash = "0123456789abcdef";
    status.uptime = std::chrono::seconds(61);
    status.link.endpoint = "iot.example.com:8883";
    status.link.why = "refused: \"bad\" password";
    status.store.books = {10, 6, 2, 1, 1};
    status.buses.resize(1);
    status.buses[0].name = "line1";
    status.buses[0].now.up = true;
    status.buses[0].now.errors.timeout = 3;
    status.buses[0].now.errors.stale = 5;
    status.buses[0].now.unlisted = 4;
    status.buses[0].now.last_error = "no such port";
    status.store.buffered = 7;
    status.link.in_flight = 8;
    status.link.payload_bytes = 61440;
    status.link.goodput = 7990.4;
    status.link.window_bytes = 12288;
    status.devices.resize(2);
    status.devices[0].name = "meter-1";
    status.devices[0].bus = "line1";
    status.devices[0].status = DeviceStatus::online;
    status.devices[1].name = "meter-2";
    status.devices[1].status = DeviceStatus::offline;
    status.devices[1].health.last_error = "no answer\n";
    return status;
}

TEST(Status, IsOneJsonObjectWithTheBooks) {
    const std::string text = status_json(example());
    const Result<json::Value> parsed = json::parse(text);
    ASSERT_TRUE(parsed) << parsed.error().what << "\n" << text;
    EXPECT_EQ(*(*parsed).get("books")->get("accepted")->integer(), 10);
    EXPECT_EQ(*(*parsed).get("link")->get("why")->string(), "refused: \"bad\" password");
    EXPECT_EQ(*(*parsed).get("link")->get("goodput")->integer(), 7990);
    EXPECT_EQ(*(*parsed).get("link")->get("window_bytes")->integer(), 12288);
    EXPECT_EQ((*parsed).get("devices")->array()->size(), 2u);
    const json::Value& bus = (*parsed).get("buses")->array()->front();
    EXPECT_EQ(*bus.get("not_sent")->get("unlisted")->integer(), 4);
    EXPECT_EQ(*bus.get("last_error")->string(), "no such port");
    EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(Status, ShowsABusThatIsSuspended) {
    Status status = example();
    EXPECT_NE(status_json(status).find(R"("suspended":false)"), std::string::npos);
    status.buses.at(0).now.suspended = true;
    EXPECT_NE(status_json(status).find(R"("suspended":true)"), std::string::npos);
    EXPECT_NE(status_text(status_json(status)).find("SUSPENDED"), std::string::npos);
    EXPECT_NE(status_metrics(status).find("\nfieldgate_bus_suspended{bus=\"line1\"} 1\n"),
              std::string::npos);
}

TEST(Status, SaysHowTheStoreIs) {
    Status status;
    EXPECT_NE(status_json(status).find(R"("store":{"ok":true,"open":false)"), std::string::npos);
    EXPECT_NE(status_text(status_json(status)).find("store    opening, MEMORY ONLY until then"),
              std::string::npos);
    EXPECT_NE(status_metrics(status).find("fieldgate_store_open 0\n"), std::string::npos);
    status.store.open = true;
    EXPECT_NE(status_text(status_json(status)).find("store    ok"), std::string::npos);
    EXPECT_NE(status_metrics(status).find("fieldgate_store_open 1\n"), std::string::npos);
    status.store.disk_ok = false;
    EXPECT_NE(status_text(status_json(status)).find("store    MEMORY ONLY, see the log"),
              std::string::npos);
}

TEST(Status, SaysWhatThePlatformsCertificateIsWorth) {
    Status status;
    status.link.up = true;
    status.link.certificate = northbound::iotda::Certificate::early;
    const std::string json = status_json(status);
    EXPECT_NE(
        json.find(R"("certificate":"not yet valid by our clock, tolerated until that is proven")"),
        std::string::npos)
        << json;
    EXPECT_NE(status_text(json).find("certificate not yet valid by our clock"), std::string::npos);
    EXPECT_NE(status_metrics(status).find("\nfieldgate_link_certificate_tolerated 1\n"),
              std::string::npos);
    status.link.certificate = northbound::iotda::Certificate::unproven;
    EXPECT_NE(status_metrics(status).find("\nfieldgate_link_certificate_tolerated 0\n"),
              std::string::npos);
}

TEST(Status, SaysWhyThereIsNoLinkOnlyWhileThereIsNone) {
    Status status = example();
    EXPECT_NE(status_json(status).find(R"("why":"refused: )"), std::string::npos);
    status.link.up = true;
    EXPECT_EQ(status_json(status).find(R"("why")"), std::string::npos);
    EXPECT_EQ(status_summary_json(status).find(R"("why")"), std::string::npos);
    EXPECT_EQ(status_text(status_json(status)).find("refused: "), std::string::npos);
}

TEST(Status, ReadsWellForPeople) {
    const std::string text = status_text(status_json(example()));
    EXPECT_NE(text.find("link     DOWN  iot.example.com:8883"), std::string::npos) << text;
    EXPECT_NE(text.find("accepted 10 = acknowledged 6 + pending 2 + evicted 1 + quarantined 1"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("meter-2  offline"), std::string::npos) << text;
    EXPECT_NE(text.find("no such port"), std::string::npos) << text;
}

TEST(Status, ShowsTheSameFiguresToPrometheus) {
    const std::string text = status_metrics(example());
    EXPECT_NE(text.find("\nfieldgate_records_accepted_total 10\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\nfieldgate_bus_errors_total{bus=\"line1\",kind=\"timeout\"} 3\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("\nfieldgate_devices_offline 1\n"), std::string::npos) << text;
    EXPECT_NE(text.find("# TYPE fieldgate_records_pending gauge\n"), std::string::npos) << text;
    for (const char* line :
         {"fieldgate_bus_errors_total{bus=\"line1\",kind=\"stale\"} 5",
          "fieldgate_bus_not_sent_total{bus=\"line1\",why=\"unlisted\"} 4",
          "fieldgate_store_buffered 7", "fieldgate_store_backlog 0",
          "fieldgate_publishes_in_flight 8", "fieldgate_publish_bytes_limit 61440",
          "fieldgate_link_goodput_bytes_per_second 7990.4", "fieldgate_link_window_bytes 12288",
          "fieldgate_clock_held 0", "fieldgate_device_online{device=\"meter-1\"} 1",
          "fieldgate_device_scans_total{device=\"meter-2\"} 0"})
        EXPECT_NE(text.find('\n' + std::string(line) + '\n'), std::string::npos) << line;
}

}  // namespace
}  // namespace fieldgate
