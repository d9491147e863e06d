#include "southbound/serial_port.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "tests/southbound/wire.h"

namespace fieldgate::southbound {
namespace {

class SerialPortTest : public testing::Test {
protected:
    SerialPortTest() { plant_.add_rtu({"line", {1}, lab::certified_values, {}}, path_); }

    std::string path_ = line_path("port");
    lab::Plant plant_;
};

// Another process, which holds the port until it is told to go.
class Holder {
public:
    explicit Holder(const std::string& path) {
        std::array<int, 2> ready{};
        std::array<int, 2> go{};
        if (::pipe(ready.data()) != 0 || ::pipe(go.data()) != 0) std::abort();
        pid_ = ::fork();
        if (pid_ == 0) {
            const int port = ::open(path.c_str(), O_RDWR | O_NOCTTY);
            ::flock(port, LOCK_EX);
            char byte = 'x';
            ::close(go[1]);
            [[maybe_unused]] ssize_t done = ::write(ready[1], &byte, 1);
            done = ::read(go[0], &byte, 1);
            ::_exit(0);
        }
        char byte = 0;
        if (::read(ready[0], &byte, 1) != 1) std::abort();
        ::close(ready[0]);
        ::close(ready[1]);
        ::close(go[0]);
        go_ = go[1];
    }
    ~Holder() { leave(); }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    void leave() {
        if (go_ < 0) return;
        ::close(std::exchange(go_, -1));
        ::waitpid(pid_, nullptr, 0);
    }
    pid_t pid() const { return pid_; }

private:
    pid_t pid_ = -1;
    int go_ = -1;
};

TEST_F(SerialPortTest, IsRefusedWhileAnotherProcessHasItAndNamesThatProcess) {
    SerialPort port(fast_line(path_));
    Holder holder(path_);
    const Result<void> opened = port.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::busy);
    const std::string pid = "pid " + std::to_string(holder.pid());
    EXPECT_NE(opened.error().what.find(pid), std::string::npos) << opened.error().what;
    EXPECT_FALSE(port.is_open());

    holder.leave();
    EXPECT_TRUE(port.open());
}

TEST_F(SerialPortTest, KeepsOthersOutWhileItIsOpen) {
    SerialPort first(fast_line(path_));
    SerialPort second(fast_line(path_));
    ASSERT_TRUE(first.open());
    const Result<void> refused = second.open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::busy);
    first.close();
    const Result<void> opened = second.open();
    EXPECT_TRUE(opened) << opened.error().what;
}

TEST_F(SerialPortTest, StaysOnItsDescriptorHoweverOftenItIsOpened) {
    SerialPort port(fast_line(path_));
    const int before = port.descriptor();
    for (int i = 0; i < 100; ++i) {
        const Result<void> opened = port.open();
        ASSERT_TRUE(opened) << opened.error().what;
        EXPECT_EQ(port.descriptor(), before);
        port.close();
    }
    const int next = ::dup(0);
    EXPECT_LT(next, before + 20) << "descriptors leak";
    ::close(next);
}

TEST_F(SerialPortTest, IsOpenedBelow1024WhenAllOthersThereAreTaken) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit before = limit;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    SerialPort port(fast_line(path_));
    std::vector<int> taken;
    while (taken.empty() || taken.back() < 1030) {
        const int next = ::dup(0);
        if (next < 0) GTEST_SKIP() << "not allowed more than 1024 descriptors here";
        taken.push_back(next);
    }
    const Result<void> opened = port.open();
    EXPECT_TRUE(opened);
    EXPECT_LT(port.descriptor(), 1024);
    SerialPort too_late(fast_line(path_));
    port.close();
    const Result<void> refused = too_late.open();
    EXPECT_FALSE(refused);
    for (const int descriptor : taken) ::close(descriptor);
    ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(SerialPortTest, IsOpenedAgainWhenDescriptorsHadRunOutMeanwhile) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    SerialPort port(fast_line(path_));
    ASSERT_TRUE(port.open());
    rlimit none = before;
    none.rlim_cur = 0;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    port.close();
    SerialPort born_in_need(fast_line(path_));
    EXPECT_FALSE(port.open());
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(port.open());
    port.close();
    EXPECT_TRUE(born_in_need.open());
}

TEST_F(SerialPortTest, SaysWhatItCannotDo) {
    SerialSettings odd_speed = fast_line(path_);
    odd_speed.baud = 12345;
    SerialPort port(odd_speed);
    const Result<void> opened = port.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::unsupported);

    SerialSettings kernel_rs485 = fast_line(path_);  // a pty has no direction to switch
    kernel_rs485.rs485.emplace();
    SerialPort half_duplex(kernel_rs485);
    const Result<void> refused = half_duplex.open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unsupported);

    SerialPort nowhere(fast_line(path_ + "-gone"));
    const Result<void> missing = nowhere.open();
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::closed);
}

TEST_F(SerialPortTest, NoticesThatItWasPulled) {
    SerialPort port(fast_line(path_));
    ASSERT_TRUE(port.open());
    ASSERT_TRUE(port.drain());
    plant_.unplug("line");
    const Result<std::size_t> drained = port.drain();
    ASSERT_FALSE(drained);
    EXPECT_EQ(drained.error().code, Errc::closed);
}

}  // namespace
}  // namespace fieldgate::southbound
