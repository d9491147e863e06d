#include "daemon/local/answering.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/connect.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace fieldgate {
namespace {

// "who" is answered with the asker's user.
asio::awaitable<std::string> echo(std::string question, std::optional<uid_t> user) {
    const std::string who = user ? std::to_string(*user) : "nobody";
    co_return question == "who" ? who : "you said " + question;
}

asio::awaitable<void> end(TaskGroup& flows, AnsweringServer& server) {
    co_await flows.stop();
    co_await server.stop();
}

// A server on a loop of its own, as the daemon has one.
class Serving {
public:
    explicit Serving(const std::string& end)
        : server_(loop_.get_executor(), end, echo), flows_(loop_.get_executor()) {}
    ~Serving() {
        asio::co_spawn(loop_, fieldgate::end(flows_, server_), asio::detached);
        thread_.join();
    }
    AnsweringServer& server() { return server_; }
    void start() {
        flows_.spawn("serve", server_.serve(pulses_.add("serve")));
        thread_ = std::thread([this] { loop_.run(); });
    }

private:
    asio::io_context loop_{1};
    Pulses pulses_;
    AnsweringServer server_;
    TaskGroup flows_;
    std::thread thread_;
};

std::string socket_path(const char* name) {
    return (std::filesystem::temp_directory_path() /
            (std::string(name) + std::to_string(::getpid())))
        .string();
}

TEST(Answering, AnswersOnAPrivateLocalSocket) {
    const std::string path = socket_path("answers");
    {
        Serving serving("\n");
        ASSERT_TRUE(serving.server().listen_local(path));
        serving.start();
        struct stat info {};
        ASSERT_EQ(::stat(path.c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777, 0660u);

        const Result<std::string> answer = ask_local(path, "status");
        ASSERT_TRUE(answer) << answer.error().what;
        EXPECT_EQ(*answer, "you said status");
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_EQ(ask_local(path, "status").error().code, Errc::closed);
}

TEST(Answering, IsNotWaitedForWhereNobodyComesToTheDoor) {
    const std::string path = socket_path("asleep");
    asio::io_context loop(1);
    asio::local::stream_protocol::acceptor asleep(loop, path);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(ask_local(path, "status", std::chrono::milliseconds(200)).error().code,
              Errc::timeout);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
    ::unlink(path.c_str());
}

TEST(Answering, TakesAsLongANameAsASocketCanHave) {
    std::string path = socket_path("long-");
    ASSERT_LT(path.size(), 107u);
    path.resize(107, 'x');
    Serving serving("\n");
    const Result<void> listening = serving.server().listen_local(path);
    EXPECT_TRUE(listening) << listening.error().what;
    EXPECT_EQ(serving.server().listen_local(path + 'x').error().code, Errc::io);
    serving.start();
}

TEST(Answering, TakesOverADeadSocketButNotALivingOne) {
    const std::string path = socket_path("living");
    Serving first("\n");
    ASSERT_TRUE(first.server().listen_local(path));
    first.start();
    Serving second("\n");
    EXPECT_EQ(second.server().listen_local(path).error().code, Errc::busy);
    second.start();
}

TEST(Answering, TakesNoFileForASocket) {
    const std::string path = socket_path("precious");
    std::ofstream(path) << "a year of notes";
    Serving serving("\n");
    const Result<void> listening = serving.server().listen_local(path);
    ASSERT_FALSE(listening);
    EXPECT_EQ(listening.error().code, Errc::io);
    EXPECT_NE(listening.error().what.find("no socket"), std::string::npos);
    EXPECT_EQ(std::filesystem::file_size(path), 15u);
    std::filesystem::remove(path);
    serving.start();
}

TEST(Answering, DoesNotWaitForAListenerThatIsAsleep) {
    const std::string path = socket_path("crowded");
    asio::io_context loop(1);
    asio::local::stream_protocol::acceptor asleep(loop);
    asleep.open();
    asleep.bind(path);
    asleep.listen(0);
    std::vector<asio::local::stream_protocol::socket> crowd;
    for (std::error_code full; !full && crowd.size() < 100;) {
        crowd.emplace_back(loop).open();
        crowd.back().non_blocking(true);
        crowd.back().connect(path, full);
    }
    ASSERT_LT(crowd.size(), 100u);
    Serving serving("\n");
    EXPECT_EQ(serving.server().listen_local(path).error().code, Errc::busy);
    ::unlink(path.c_str());
    serving.start();
}

TEST(Answering, HangsUpOnAQuestionWithoutEnd) {
    Serving serving("\r\n\r\n");
    ASSERT_TRUE(serving.server().listen_tcp("127.0.0.1", 0));
    const std::uint16_t port = serving.server().port();
    serving.start();

    asio::io_context loop(1);
    asio::ip::tcp::socket socket(loop);
    socket.connect(asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), port));
    std::error_code failed;
    asio::write(socket, asio::buffer(std::string(20000, 'x')), failed);
    std::string answer;
    asio::read(socket, asio::dynamic_buffer(answer), failed);
    EXPECT_TRUE(failed);
    EXPECT_EQ(answer, "");
}

TEST(Answering, KnowsWhoAsksALocalSocket) {
    const std::string path = socket_path("fieldgate-who-");
    Serving serving("\n");
    ASSERT_TRUE(serving.server().listen_local(path));
    serving.start();
    const Result<std::string> who = ask_local(path, "who");
    ASSERT_TRUE(who) << who.error().what;
    EXPECT_EQ(*who, std::to_string(::getuid()));
}

}  // namespace
}  // namespace fieldgate
