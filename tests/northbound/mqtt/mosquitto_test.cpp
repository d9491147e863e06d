// The session against a real broker with real TLS.
#include <gtest/gtest.h>

#include <array>
#include <asio/ip/tcp.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <set>
#include <thread>

#include "northbound/mqtt/session.h"
#include "tests/northbound/await.h"
#include "tests/northbound/mqtt/mosquitto.h"

namespace fieldgate::northbound::mqtt {
namespace {

using namespace std::chrono_literals;
using testing::await;
using testing::Mosquitto;
using testing::Pki;
using testing::run_until;
using testing::TempFolder;

const std::string here = "DNS:localhost,IP:127.0.0.1";

Limits unlimited() {
    Limits limits;
    limits.messages_per_second = Limits::unlimited;
    limits.bytes_per_second = Limits::unlimited;
    return limits;
}

class MosquittoTest : public ::testing::Test {
protected:
    std::string tls_config(const std::string& certificate, const std::string& more = {}) {
        return "allow_anonymous true\ncertfile " + folder / (certificate + ".crt") + "\nkeyfile " +
               folder / (certificate + ".key") + "\n" + more;
    }

    SessionSettings settings(const Mosquitto& broker, const std::string& ca) {
        SessionSettings settings;
        settings.host = "localhost";
        settings.port = broker.port();
        settings.ca_file = ca.empty() ? "" : folder / (ca + ".crt");
        settings.tls = !ca.empty();
        return settings;
    }

    Result<void> connect(const SessionSettings& settings) {
        session = std::make_unique<Session>(loop.get_executor(), settings, pacer, sizes, goodput);
        return reconnect();
    }
    Result<void> reconnect() {
        Login login;
        login.client_id = "gw_0_0_2026112220";
        login.username = "gw";
        return await(loop, session->connect(std::move(login)));
    }

    void expect_refused(const SessionSettings& settings, const std::string& reason) {
        const Result<void> answer = connect(settings);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Errc::refused) << answer.error().what;
        EXPECT_EQ(answer.error().detail, 0);
        EXPECT_NE(answer.error().what.find(reason), std::string::npos) << answer.error().what;
    }

    TempFolder folder;
    Pki pki{folder};
    asio::io_context loop{1};
    Pacer pacer{unlimited()};
    PayloadLimit sizes{64 * 1024};
    Goodput goodput{Limits()};
    std::unique_ptr<Session> session;
};

TEST_F(MosquittoTest, TakesAPublishOverTls) {
    pki.make_ca("ca");
    pki.make("server", "ca", here);
    const Mosquitto broker(folder, tls_config("server"));
    for (const char* host : {"localhost", "127.0.0.1"}) {
        SessionSettings good = settings(broker, "ca");
        good.host = host;
        const Result<void> answer = connect(good);
        ASSERT_TRUE(answer) << answer.error().what;
        EXPECT_TRUE(await(loop, session->publish("topic", std::string(60000, 'x'))));
    }
}

TEST_F(MosquittoTest, TakesAClientCertificate) {
    pki.make_ca("ca");
    pki.make("server", "ca", here);
    pki.make("client", "ca", "DNS:gw");
    const Mosquitto broker(
        folder, tls_config("server", "require_certificate true\ncafile " + folder / "ca.crt"));
    SessionSettings good = settings(broker, "ca");
    good.certificate_file = folder / "client.crt";
    good.key_file = folder / "client.key";
    const Result<void> answer = connect(good);
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_TRUE(await(loop, session->publish("topic", "x")));
}

TEST_F(MosquittoTest, IsRefusedWithACertificateOfAnUnknownAuthority) {
    pki.make_ca("ca");
    pki.make_ca("other");
    pki.make("server", "other", here);
    const Mosquitto broker(folder, tls_config("server"));
    expect_refused(settings(broker, "ca"), "certificate signed by an unknown authority");
}

TEST_F(MosquittoTest, IsRefusedWithAnExpiredCertificate) {
    pki.make_ca("ca");
    pki.make("server", "ca", here, "-startdate 20200101000000Z -enddate 20210101000000Z");
    const Mosquitto broker(folder, tls_config("server"));
    expect_refused(settings(broker, "ca"), "certificate expired on 2021-01-01");
}

TEST_F(MosquittoTest, IsRefusedWithACertificateOfTheFuture) {
    pki.make_ca("ca");
    pki.make("server", "ca", here, "-startdate 20900101000000Z -enddate 20910101000000Z");
    const Mosquitto broker(folder, tls_config("server"));
    expect_refused(settings(broker, "ca"), "certificate not valid before 2090-01-01");
}

TEST_F(MosquittoTest, IsRefusedWithACertificateForAnotherHost) {
    pki.make_ca("ca");
    pki.make("server", "ca", "DNS:iot.example.com");
    const Mosquitto broker(folder, tls_config("server"));
    SessionSettings by_name = settings(broker, "ca");
    expect_refused(by_name, "certificate is for another host than localhost");
    by_name.host = "127.0.0.1";
    expect_refused(by_name, "certificate is for another host than 127.0.0.1");
}

TEST_F(MosquittoTest, IsRefusedWithASelfSignedCertificate) {
    pki.make_ca("ca");
    pki.make_self_signed("server", here);
    const Mosquitto broker(folder, tls_config("server"));
    expect_refused(settings(broker, "ca"), "certificate is self-signed");
}

TEST_F(MosquittoTest, SaysThatTheClientCertificateIsMissing) {
    pki.make_ca("ca");
    pki.make("server", "ca", here);
    const std::string mutual = "require_certificate true\ncafile " + folder / "ca.crt";
    const Mosquitto newer(folder, tls_config("server", mutual));
    expect_refused(settings(newer, "ca"), "the server requires a client certificate");
}

TEST_F(MosquittoTest, SaysThatTheClientCertificateIsMissingInTls12) {
    pki.make_ca("ca");
    pki.make("server", "ca", here);
    const std::string mutual = "require_certificate true\ncafile " + folder / "ca.crt";
    const Mosquitto older(folder, tls_config("server", mutual + "\ntls_version tlsv1.2"));
    expect_refused(settings(older, "ca"), "client certificate");
}

TEST_F(MosquittoTest, SaysThatTheClientCertificateIsRefused) {
    pki.make_ca("ca");
    pki.make_ca("other");
    pki.make("server", "ca", here);
    pki.make("client", "other", "DNS:gw");
    const Mosquitto broker(
        folder, tls_config("server", "require_certificate true\ncafile " + folder / "ca.crt"));
    SessionSettings bad = settings(broker, "ca");
    bad.certificate_file = folder / "client.crt";
    bad.key_file = folder / "client.key";
    expect_refused(bad, "the server refused our client certificate");
}

// Two connections: Paho's, and the one that says why.
TEST_F(MosquittoTest, TakesNoTlsWithoutForwardSecrecy) {
    pki.make_rsa("server", here);
    const std::string command =
        "cd " + folder.path() +
        " && exec timeout 20 openssl s_server -www -accept 127.0.0.1:0 -naccept 2 -tls1_2 -cert "
        "server.crt -key server.key -cipher AES256-GCM-SHA384 2>&1 </dev/null";
    FILE* const server = popen(command.c_str(), "r");
    ASSERT_NE(server, nullptr);
    std::array<char, 256> line{};
    unsigned port = 0;
    while (port == 0 && std::fgets(line.data(), line.size(), server))
        (void)std::sscanf(line.data(), "ACCEPT 127.0.0.1:%u", &port);
    ASSERT_NE(port, 0U);
    SessionSettings weak;
    weak.host = "127.0.0.1";
    weak.port = static_cast<std::uint16_t>(port);
    weak.ca_file = folder / "server.crt";
    weak.connect_deadline = 5s;
    expect_refused(weak, "the server has no cipher suite that we take");
    pclose(server);
}

TEST_F(MosquittoTest, SaysThatThereIsNoTlsOnThePort) {
    pki.make_ca("ca");
    const Mosquitto broker(folder, "allow_anonymous true");
    SessionSettings wrong = settings(broker, "ca");
    const Result<void> answer = connect(wrong);
    ASSERT_FALSE(answer);
    EXPECT_NE(answer.error().what.find("TLS"), std::string::npos) << answer.error().what;
}

TEST_F(MosquittoTest, SaysWhichFileIsMissing) {
    pki.make_ca("ca");
    pki.make("server", "ca", here);
    const Mosquitto broker(folder, tls_config("server"));
    SessionSettings wrong = settings(broker, "ca");
    wrong.ca_file = folder / "nothing.crt";
    const Result<void> answer = connect(wrong);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::io);
    EXPECT_NE(answer.error().what.find("nothing.crt"), std::string::npos) << answer.error().what;
}

// A load balancer without servers behind it: takes every connection and closes it.
TEST_F(MosquittoTest, AsksForTheReasonOfTheSameFailureOnce) {
    using asio::ip::tcp;
    pki.make_ca("ca");
    asio::io_context balancer;
    tcp::acceptor acceptor(balancer, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    std::atomic<int> taken = 0;
    const std::function<void()> accept = [&] {
        acceptor.async_accept([&](const std::error_code& failed, const tcp::socket&) {
            if (failed) return;
            ++taken;
            accept();
        });
    };
    accept();
    std::jthread thread([&] { balancer.run(); });
    SessionSettings settings;
    settings.host = "127.0.0.1";
    settings.port = acceptor.local_endpoint().port();
    settings.ca_file = folder / "ca.crt";
    session = std::make_unique<Session>(loop.get_executor(), settings, pacer, sizes, goodput);
    for (int attempt = 0; attempt < 6; ++attempt) {
        const Result<void> answer = reconnect();
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Errc::io);  // no link that was lost: there was no CONNACK
        EXPECT_EQ(answer.error().what, "the server closed the connection during the TLS handshake");
    }
    // Paho has two or three words for it, as the close finds it.
    EXPECT_GT(taken, 6);
    EXPECT_LE(taken, 6 + 3);
    balancer.stop();
}

TEST_F(MosquittoTest, RefusesAWrongPassword) {
    std::ofstream(folder / "passwords").flush();
    const Mosquitto broker(folder, "allow_anonymous false");
    const Result<void> answer = connect(settings(broker, ""));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::refused);
    EXPECT_EQ(answer.error().detail, 5);
}

// T25: what was not acknowledged is known to be open, and sent again.
TEST_F(MosquittoTest, LosesNothingWhenTheBrokerIsRestartedUnderLoad) {
    pki.make_ca("ca");
    pki.make("server", "ca", here);
    Mosquitto broker(folder, tls_config("server"));
    ASSERT_TRUE(connect(settings(broker, "ca")));
    std::set<int> open;
    for (int i = 0; i < 400; ++i) open.insert(i);
    for (int restart = 0; restart < 3; ++restart) {
        const std::size_t goal = open.size() - 100;
        std::size_t under_way = 0;
        for (const int i : std::set<int>(open)) {
            ++under_way;
            asio::co_spawn(loop, session->publish("topic", std::to_string(i)),
                           [&, i](std::exception_ptr, const Result<void>& answer) {
                               if (answer) open.erase(i);
                               --under_way;
                           });
        }
        ASSERT_TRUE(run_until(loop, [&] { return open.size() <= goal; }));
        broker.kill();
        ASSERT_FALSE(await(loop, session->next(Event::Clock::time_point::max())));
        ASSERT_TRUE(run_until(loop, [&] { return under_way == 0; }));
        const Result<void> gone = reconnect();
        ASSERT_FALSE(gone);
        EXPECT_EQ(gone.error().code, Errc::io) << gone.error().what;
        broker.start();
        ASSERT_TRUE(reconnect());
    }
    for (const int i : std::set<int>(open)) {
        ASSERT_TRUE(await(loop, session->publish("topic", std::to_string(i))));
        open.erase(i);
    }
    EXPECT_TRUE(open.empty());
}

}  // namespace
}  // namespace fieldgate::northbound::mqtt
