#include "daemon/gateway.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <asio/ip/tcp.hpp>
#include <atomic>
#include <thread>

#include "tests/daemon/gate/site.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/site.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

/// A gateway whose disk does not answer, beside a device that is asked (and does not answer) and a
/// platform that is not there.
class HangingDisk : public testing::Test {
protected:
    HangingDisk() {
        config.store.path = folder.path();
        config.local.control = folder.path() + "/control.sock";
        config.local.metrics.reset();
        config.platform.host = "127.0.0.1";
        config.platform.port = 1;
        southbound::TcpSettings plc;
        plc.host = "127.0.0.1";
        plc.port = device.local_endpoint().port();
        for (southbound::BusSettings& bus : config.buses) bus.wire = plc;
        device.async_accept([&](const std::error_code& failed, asio::ip::tcp::socket socket) {
            asked = std::move(socket);
            if (failed) return;
            asked.async_read_some(asio::buffer(request),
                                  [&](const std::error_code&, std::size_t size) { bytes = size; });
        });
        {
            storage::Site before(folder.path());
            before.boot_id = "boot-1";
            EXPECT_TRUE(before.open());
            before.append(1, 5);
        }
        disk.hold_reads(true);
    }
    ~HangingDisk() override { disk.hold_reads(false); }

    std::string ask_status() {
        Result<std::string> answer = Error(Errc::closed, "not asked");
        std::atomic<bool> ended = false;
        std::thread asker([&] {
            answer = ask_local(config.local.control, "status");
            ended = true;
        });
        EXPECT_TRUE(loop.until([&] { return ended.load(); }));
        asker.join();
        return answer ? *answer : answer.error().what;
    }

    storage::FaultVfs disk;
    storage::TempFolder folder;
    storage::Loop loop;
    Config config = test::gate_config();
    asio::ip::tcp::acceptor device{loop.loop,
                                   {asio::ip::address_v4::loopback(), asio::ip::port_type{0}}};
    asio::ip::tcp::socket asked{loop.loop};
    std::array<char, 64> request{};
    std::size_t bytes = 0;
};

TEST_F(HangingDisk, KeepsNobodyFromPollingOrAsking) {
    Gateway gateway(loop.loop.get_executor(), "", config);
    ASSERT_TRUE(gateway.start());
    ASSERT_TRUE(loop.until([&] { return disk.holds_one(); }));
    EXPECT_TRUE(loop.until([&] { return bytes > 0; })) << "no device is asked";
    EXPECT_NE(ask_status().find(R"("store":{"ok":true,"open":false)"), std::string::npos);

    disk.hold_reads(false);

    EXPECT_TRUE(loop.until([&] { return gateway.status().store.open; }));
    EXPECT_GE(gateway.status().store.books.pending, 5u);
    EXPECT_NE(ask_status().find(R"("store":{"ok":true,"open":true)"), std::string::npos);
    EXPECT_TRUE(loop.run(gateway.stop()));
}

// As the program does: what hangs is left behind.
[[noreturn]] void stop_and_leave(storage::Loop& loop, Gateway& gateway) {
    const auto begin = std::chrono::steady_clock::now();
    const bool stored = loop.run(gateway.stop());
    if (std::chrono::steady_clock::now() - begin >= 5s) ::_exit(3);
    ::_exit(stored ? 0 : 1);
}

TEST_F(HangingDisk, IsLeftInTimeAndNothingIsMissedThatWasNotThere) {
    const auto start_and_stop = [&] {
        Gateway gateway(loop.loop.get_executor(), "", config);
        if (!gateway.start() || !loop.until([&] { return disk.holds_one(); })) ::_exit(4);
        stop_and_leave(loop, gateway);
    };
    EXPECT_EXIT(start_and_stop(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace fieldgate
