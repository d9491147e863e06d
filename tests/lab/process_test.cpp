#include "tests/lab/process.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace fieldgate::lab {
namespace {

using std::chrono::seconds;

TEST(Child, TellsItsExitCodeAndItsSignal) {
    EXPECT_EQ(Child({"sh", "-c", "exit 7"}).wait(seconds(10)), 7);
    EXPECT_EQ(Child({"sh", "-c", "kill -9 $$"}).wait(seconds(10)), 128 + SIGKILL);
    EXPECT_EQ(Child({"/nonexistent/program"}).wait(seconds(10)), 127);
}

TEST(Child, GivesItsLinesOneByOne) {
    Child::Options options;
    options.lines = true;
    options.environment = {"WORD=second"};
    Child child({"sh", "-c", "echo first; echo $WORD; exec sleep 100"}, options);

    EXPECT_EQ(child.read_line(seconds(10)), "first");
    EXPECT_EQ(child.read_line(seconds(10)), "second");
    EXPECT_EQ(child.read_line(milliseconds(10)), std::nullopt);
    EXPECT_TRUE(child.running());
}

TEST(Child, HoldsNoneOfTheTestsSockets) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);  // not SOCK_CLOEXEC, as Asio's
    Child::Options options;
    options.lines = true;
    Child child({"sh", "-c", "echo ready; exec sleep 100"}, options);
    ASSERT_EQ(child.read_line(seconds(10)), "ready");

    close(ends[0]);
    char byte = 0;
    EXPECT_EQ(recv(ends[1], &byte, 1, MSG_DONTWAIT), 0) << "the child keeps it open";
    close(ends[1]);
}

TEST(Child, StopsByTermAndIsKilledIfItWillNot) {
    Child polite({"sleep", "100"});
    EXPECT_EQ(polite.stop(), 128 + SIGTERM);

    Child::Options options;
    options.lines = true;
    Child deaf({"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"}, options);
    ASSERT_EQ(deaf.read_line(seconds(10)), "ready");
    EXPECT_EQ(deaf.stop(milliseconds(50)), std::nullopt);
    EXPECT_FALSE(deaf.running());
}

TEST(Child, DiesWithItsParent) {
    // The parent is this test, forked: it starts a child, tells its pid and dies of -9.
    const TempDir folder;
    const std::filesystem::path file = folder / "pid";
    const pid_t parent = fork();
    if (parent == 0) {
        const Child child({"sleep", "100"});
        write_file(file, std::to_string(child.pid()) + "\n");
        pause();
    }
    ASSERT_TRUE(wait_until([&] { return read_file(file).ends_with("\n"); }));
    const pid_t child = std::stoi(read_file(file));
    EXPECT_EQ(::kill(child, 0), 0);
    ::kill(parent, SIGKILL);
    waitpid(parent, nullptr, 0);

    // Who reaps it afterwards is the machine's business: gone, or a zombie.
    EXPECT_TRUE(wait_until([&] {
        const std::string status = read_file("/proc/" + std::to_string(child) + "/status");
        return status.empty() || status.find("State:\tZ") != std::string::npos;
    }));
}

TEST(TempDir, GoesWithItsOwner) {
    std::filesystem::path path;
    {
        const TempDir folder;
        path = folder.path();
        write_file(folder / "file", "text");
        EXPECT_EQ(read_file(folder / "file"), "text");
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(WaitUntil, GivesUpInTime) {
    EXPECT_TRUE(wait_until([] { return true; }, milliseconds(0)));
    EXPECT_FALSE(wait_until([] { return false; }, milliseconds(20)));
}

}  // namespace
}  // namespace fieldgate::lab
