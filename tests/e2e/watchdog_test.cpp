// What the watchdog of systemd sees: pings from a loop that turns, and none from one that does not.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

#include "tests/e2e/site.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

using Clock = std::chrono::steady_clock;

// The end of sd_notify(3) that systemd holds.
class Supervisor {
public:
    explicit Supervisor(std::string path) : path_(std::move(path)) {
        socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::strncpy(name.sun_path, path_.c_str(), sizeof name.sun_path - 1);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    }
    ~Supervisor() { ::close(socket_); }
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    std::vector<std::string> environment(std::chrono::microseconds watchdog) const {
        return {"NOTIFY_SOCKET=" + path_, "WATCHDOG_USEC=" + std::to_string(watchdog.count())};
    }
    void listen() {
        char text[4096];
        for (ssize_t bytes = 0; (bytes = ::recv(socket_, text, sizeof text, 0)) > 0;) {
            const std::string said(text, static_cast<std::size_t>(bytes));
            ready_ = ready_ || said.find("READY=1") != std::string::npos;
            if (said.find("WATCHDOG=1") != std::string::npos) last_ping_ = Clock::now(), ++pings_;
        }
    }
    bool ready() const { return ready_; }
    std::size_t pings() const { return pings_; }
    Clock::duration silent() const { return Clock::now() - last_ping_; }

private:
    std::string path_;
    int socket_;
    bool ready_ = false;
    std::size_t pings_ = 0;
    Clock::time_point last_ping_ = Clock::now();
};

TEST(Watchdog, HearsNothingFromALoopThatNeverComesBack) {
    constexpr auto period = 1200ms;
    const lab::TempDir dir;
    Supervisor systemd((dir / "notify").string());
    Site::Settings settings;
    settings.environment = systemd.environment(period);
    settings.environment.emplace_back("LD_PRELOAD=" FIELDGATE_SPIN_LIBRARY);
    settings.environment.push_back("FIELDGATE_SPIN_FILE=" + (dir / "spin").string());
    Site site(settings);
    site.start();
    const auto pinged = [&] {
        systemd.listen();
        return systemd.ready() && systemd.pings() >= 5;
    };
    ASSERT_TRUE(lab::wait_until(pinged, 20s)) << site.log();

    lab::write_file(dir / "spin", "");
    const auto late = [&] {
        systemd.listen();
        return systemd.silent() > period;
    };
    ASSERT_TRUE(lab::wait_until(late, 10s)) << "systemd would not have noticed";
    EXPECT_TRUE(site.gateway().running());
    EXPECT_FALSE(site.status()) << "the loop has answered";

    site.gateway().signal(SIGABRT);  // what systemd does
    EXPECT_EQ(site.gateway().wait(10s), 128 + SIGABRT);
}

TEST(Watchdog, FindsNothingStuckWhereThereAreBusesAndNoDevices) {
    Site::Settings settings;
    settings.units = 0;
    settings.endpoint = "mqtt://127.0.0.1:" + std::to_string(lab::free_port());
    Site site(settings);
    site.start();
    // Longer than any flow waits without a turn.
    EXPECT_FALSE(site.gateway().wait(10500ms)) << site.log();
    const auto status = site.status();
    ASSERT_TRUE(status) << site.log();
    EXPECT_EQ(status->get("buses")->array()->size(), 1U);
    EXPECT_EQ(status->get("devices")->array()->size(), 0U);
    EXPECT_EQ(site.stop(), 0) << site.log();
}

}  // namespace
}  // namespace fieldgate::e2e
