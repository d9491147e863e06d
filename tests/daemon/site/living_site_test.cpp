// A real gateway, with real slaves on TCP, whose site changes at random while it polls.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>

#include "base/log.h"
#include "daemon/gateway.h"
#include "tests/daemon/config/site.h"
#include "tests/lab/plant/plant.h"
#include "tests/storage/loop.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

constexpr std::size_t ports = 3;
constexpr int units = 6;

std::size_t resident_kb() {
    std::ifstream in("/proc/self/statm");
    std::size_t pages = 0;
    in >> pages >> pages;
    return pages * 4;
}

class LivingSite : public testing::Test {
protected:
    LivingSite() {
        log::set_level(log::Level::error);
        for (std::size_t i = 0; i < ports; ++i) {
            std::vector<std::uint8_t> all;
            for (std::uint8_t unit = 1; unit <= units; ++unit) all.push_back(unit);
            ports_[i] = plant_.add_tcp({"plc" + std::to_string(i), all, lab::memory_values, {}});
        }
        files_.write("fieldgate.yaml",
                     "schema: 1\nplatform:\n  endpoint: mqtt://127.0.0.1:1\n  device_id: gw\n"
                     "  auth: { secret: cred:gateway }\nstore: { path: store, keep_free: 1MiB, "
                     "commit: 50ms }\nlocal: { control: c.sock }\n");
        std::filesystem::remove_all(files_.path("templates"));
        std::filesystem::remove_all(files_.path("models"));
        roll();
    }
    ~LivingSite() override { log::set_level(log::Level::info); }

    int pick(int from, int to) { return std::uniform_int_distribution<int>(from, to)(chance_); }

    std::string template_text(const char* name) {
        std::string text = std::string("template: ") + name +
                           "\nproduct_id: p\nprotocol: modbus\ndefaults: { every: " +
                           std::to_string(pick(1, 4) * 20) + "ms }\nservices:\n  S:\n";
        for (int point = 0; point < pick(1, 8); ++point)
            text += "    p" + std::to_string(point) +
                    ": { at: \"holding:" + std::to_string(pick(0, 200)) + "\", type: u16 }\n";
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

TEST_F(LivingSite, ChangesAtRandomAndKeepsItsBooks) {
    const int rounds = std::getenv("FIELDGATE_CAMPAIGN") != nullptr ? 1000 : 60;
    while (!files_.load().ok()) roll();
    std::size_t begin_kb = 0;
    {
        Gateway gateway(loop_.loop.get_executor(), files_.path("fieldgate.yaml"),
                        *files_.load().config);
        ASSERT_TRUE(gateway.start());
        for (int round = 0; round < rounds; ++round) {
            const bool well = roll();
            std::string unplugged;
            if (pick(0, 9) == 0) unplugged = "plc" + std::to_string(pick(0, ports - 1));
            if (!unplugged.empty()) plant_.unplug(unplugged);
            const SiteKeeper::Report report = loop_.run(gateway.reload("a test"));
            EXPECT_EQ(report.exit, well ? Exit::well : Exit::configuration)
                << round << ": " << test::all(report.problems);
            const auto until = std::chrono::steady_clock::now() + 1ms * pick(0, 60);
            loop_.until([&] { return std::chrono::steady_clock::now() > until; });
            if (!unplugged.empty()) plant_.plug(unplugged);
            const Status status = gateway.status();
            EXPECT_EQ(status.devices.size(), files_.load().ok()
                                                 ? files_.load().config->devices.size()
                                                 : status.devices.size());
            EXPECT_TRUE(gateway.stuck(40s).empty());
            if (round == rounds / 3) begin_kb = resident_kb();
        }
        const storage::Books books = gateway.status().store.books;
        EXPECT_EQ(books.accepted,
                  books.acknowledged + books.pending + books.evicted + books.quarantined);
        const std::size_t end_kb = resident_kb();
        std::printf("figure: living site: %zu KB after a third, %zu KB at the end\n", begin_kb,
                    end_kb);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // They keep what is freed.
        EXPECT_LE(end_kb, begin_kb + std::max<std::size_t>(begin_kb / 20, 4096));
#endif
        EXPECT_TRUE(loop_.run(gateway.stop()));
    }
    expect_rising_times();
}

}  // namespace
}  // namespace fieldgate
