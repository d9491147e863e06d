#pragma once
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <array>
#include <filesystem>
#include <map>
#include <random>
#include <string>

#include "base/log.h"
#include "daemon/gateway.h"
#include "tests/daemon/config/site.h"
#include "tests/lab/plant/plant.h"
#include "tests/storage/loop.h"

namespace fieldgate {

using namespace std::chrono_literals;

/// A site of its own folder that changes at random, over real slaves on TCP.
class LivingSite : public testing::Test {
protected:
    static constexpr std::size_t ports = 3;
    static constexpr int units = 6;

    LivingSite() {
        log::set_level(log::Level::error);
        for (std::size_t i = 0; i < ports; ++i) {
            std::vector<std::uint8_t> all;
            for (std::uint8_t unit = 1; unit <= units; ++unit) all.push_back(unit);
            ports_[i] = plant_.add_tcp({"plc" + std::to_string(i), all, lab::memory_values, {}});
        }
        platform_at(1);  // nobody
        std::filesystem::remove_all(files_.path("templates"));
        std::filesystem::remove_all(files_.path("models"));
        roll();
    }
    ~LivingSite() override { log::set_level(log::Level::info); }

    void platform_at(std::uint16_t port) {
        files_.write("fieldgate.yaml",
                     "schema: 1\nplatform:\n  endpoint: mqtt://127.0.0.1:" + std::to_string(port) +
                         "\n  device_id: gw\n  auth: { secret: cred:gateway }\n"
                         "  reconnect: { from: 100ms, to: 200ms }\n  linger: 20ms\n"
                         "store: { path: store, keep_free: 1MiB, commit: 50ms }\n"
                         "local: { control: c.sock }\nremote: { write: true }\n");
    }

    int pick(int from, int to) { return std::uniform_int_distribution<int>(from, to)(chance_); }

    std::string template_text(const char* name) {
        std::string text = std::string("template: ") + name +
                           "\nproduct_id: p\nprotocol: modbus\ndefaults: { every: " +
                           std::to_string(pick(1, 4) * 20) + "ms }\nservices:\n  S:\n";
        for (int point = 0; point < pick(1, 8); ++point)
            text += "    p" + std::to_string(point) +
                    ": { at: \"holding:" + std::to_string(pick(0, 200)) + "\", type: u16 }\n";
        text += "    w: { at: \"holding:300\", type: u16, write: { min: 0, max: 65535 } }\n";
        return text;
    }
    /// Other files: buses, devices and templates come, go, move and change; sometimes nothing,
    /// sometimes nonsense. False: it has an error.
    bool roll() {
        const int what = pick(0, 9);
        if (what == 0) return well_;  // as they are
        if (what == 1) {
            files_.write("conf.d/10-site.yaml", "buses: [");
            return well_ = false;
        }
        if (what < 5 || !std::filesystem::exists(files_.path("templates/a.yaml")))
            for (const char* name : {"a", "b"})
                files_.write("templates/" + std::string(name) + ".yaml", template_text(name));
        std::string buses = "buses:\n";
        std::string devices = "devices:\n";
        bool any = false;
        for (std::size_t bus = 0; bus < ports; ++bus) {
            if (pick(0, 3) == 0) continue;
            buses += "  bus" + std::to_string(bus) +
                     ": { protocol: modbus-tcp, tcp: \"127.0.0.1:" + std::to_string(ports_[bus]) +
                     "\", retries: " + std::to_string(pick(0, 5) == 0 ? 2 : 1) + " }\n";
            for (int unit = 1; unit <= units; ++unit) {
                // One id in two places at a time is an error: each has its bus by chance.
                if (pick(0, 2) == 0 || home_.at(static_cast<std::size_t>(unit) - 1) != bus)
                    continue;
                devices += "  - { name: d" + std::to_string(unit) +
                           ", unit: " + std::to_string(unit) + ", bus: bus" + std::to_string(bus) +
                           ", template: " + (pick(0, 1) == 0 ? "a" : "b") + ", node_id: N" +
                           std::to_string(unit) + " }\n";
                any = true;
            }
        }
        for (std::size_t& home : home_)
            if (pick(0, 4) == 0) home = static_cast<std::size_t>(pick(0, ports - 1));
        files_.write("conf.d/10-site.yaml",
                     (buses == "buses:\n" ? "" : buses) + (any ? devices : "devices: []\n"));
        return well_ = true;
    }

    /// Of every series on disk, whether its times rise in the order of its records.
    void expect_rising_times() {
        sqlite3* db = nullptr;
        ASSERT_EQ(sqlite3_open(files_.path("store/outbox.db").c_str(), &db), SQLITE_OK);
        sqlite3_stmt* rows = nullptr;
        ASSERT_EQ(sqlite3_prepare_v2(db, "SELECT series, at_ms FROM q_data ORDER BY seq", -1, &rows,
                                     nullptr),
                  SQLITE_OK);
        std::map<std::int64_t, std::int64_t> last;
        std::size_t count = 0;
        for (; sqlite3_step(rows) == SQLITE_ROW; ++count) {
            std::int64_t& before = last[sqlite3_column_int64(rows, 0)];
            EXPECT_GT(sqlite3_column_int64(rows, 1), before);
            before = sqlite3_column_int64(rows, 1);
        }
        EXPECT_GT(count, 100U);
        sqlite3_finalize(rows);
        sqlite3_close(db);
    }

    test::Site files_;
    lab::Plant plant_;
    std::array<std::uint16_t, ports> ports_{};
    std::array<std::size_t, units> home_{};
    bool well_ = true;
    std::minstd_rand chance_{20261128};
    storage::Loop loop_;
};

}  // namespace fieldgate
