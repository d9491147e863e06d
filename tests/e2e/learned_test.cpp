// What a device refuses is learned once, shown, and known after a restart.
#include <gtest/gtest.h>

#include "tests/e2e/site.h"
#include "tests/lab/plant/plant.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

class LearnedThings : public testing::Test {
protected:
    LearnedThings() {
        lab::SlaveLimits limits;
        limits.holes = {{12, 13}};
        const std::uint16_t port = plant_.add_tcp({"plc", {1}, lab::memory_values, limits});
        Site::Settings settings;
        settings.units = 0;
        settings.endpoint = "mqtt://127.0.0.1:1";
        settings.files = {
            {"templates/meter.yaml", template_text(14)},
            {"conf.d/plant.yaml",
             "buses:\n  plc: { protocol: modbus-tcp, tcp: \"127.0.0.1:" + std::to_string(port) +
                 "\" }\ndevices:\n  - { name: m1, unit: 1, template: meter, bus: "
                 "plc, node_id: M1 }\n"}};
        site_.emplace(settings);
    }

    static std::string template_text(int last) {
        return "template: meter\nproduct_id: e2e\nprotocol: modbus\ndefaults: { every: 50ms }\n"
               "services:\n  S:\n    a: { at: \"holding:10\", type: u16 }\n"
               "    b: { at: \"holding:12\", type: u16 }\n    c: { at: \"holding:13\", type: u16 "
               "}\n"
               "    d: { at: \"holding:" +
               std::to_string(last) + "\", type: u16 }\n";
    }

    const json::Value* first(const json::Value& status, const char* list) {
        const json::Value* const all = status.get(list);
        for (const json::Value& one : *all->array()) {
            const json::Value* const name = one.get("name");
            if (name && (*name->string() == "plc" || *name->string() == "m1")) return &one;
        }
        return nullptr;
    }
    std::int64_t exceptions() {
        const auto now = site_->status();
        const json::Value* const bus = now ? first(*now, "buses") : nullptr;
        return bus ? *bus->get("errors")->get("exception")->integer() : -1;
    }
    /// The device has been scanned so often, and this is all it is known to refuse.
    bool scanned(std::int64_t scans) {
        return lab::wait_until(
            [&] {
                const auto now = site_->status();
                const json::Value* const device = now ? first(*now, "devices") : nullptr;
                return device && *device->get("scans")->integer() > scans;
            },
            20s);
    }
    bool shows(const std::vector<std::string>& words, const std::string& line) {
        return lab::wait_until(
            [&] { return site_->command(words).output.find(line) != std::string::npos; }, 20s);
    }

    lab::Plant plant_;
    std::optional<Site> site_;
};

TEST_F(LearnedThings, AreShownAndKnownAfterARestartUntilTheMapChanges) {
    const std::string line = "m1  holding:12..13 refused (exception 2)";
    site_->start();
    EXPECT_TRUE(shows({"status"}, line)) << site_->command({"status"}).output;
    EXPECT_TRUE(shows({"check", "--plan"}, line));
    EXPECT_TRUE(shows({"check", "--plan", "--json"},
                      "{\"device\":\"m1\",\"registers\":[\"holding:12..13 refused"));
    EXPECT_NE(site_->log().find("registers=\"holding:12..13 refused (exception 2)\""),
              std::string::npos)
        << site_->log();
    EXPECT_GT(exceptions(), 0);
    EXPECT_EQ(site_->stop(), 0);
    EXPECT_EQ(site_->command({"check", "--plan"}).output.find(line), std::string::npos)
        << "nobody to ask";

    site_->start();
    ASSERT_TRUE(scanned(20)) << site_->log();
    EXPECT_EQ(exceptions(), 0) << site_->log();
    EXPECT_TRUE(shows({"status"}, line));
    EXPECT_EQ(site_->stop(), 0);

    lab::write_file(site_->folder() / "templates/meter.yaml", template_text(15));
    site_->start();
    EXPECT_TRUE(shows({"status"}, line));
    EXPECT_GT(exceptions(), 0) << "it is learned anew";
}

}  // namespace
}  // namespace fieldgate::e2e
