// A real gateway, with real slaves on TCP, whose site changes at random while it polls.
#include "tests/daemon/site/living_site.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace fieldgate {
namespace {

std::size_t resident_kb() {
    std::ifstream in("/proc/self/statm");
    std::size_t pages = 0;
    in >> pages >> pages;
    return pages * 4;
}

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
