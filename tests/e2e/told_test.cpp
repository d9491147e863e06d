// What people and programs are told: the check of a configuration, its plan, the figures for
// Prometheus.
#include <gtest/gtest.h>

#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <map>
#include <regex>
#include <sstream>

#include "tests/e2e/site.h"

using namespace std::chrono_literals;

namespace fieldgate::e2e {
namespace {

std::string http(std::uint16_t port, const std::string& request) {
    asio::io_context loop(1);
    asio::ip::tcp::socket socket(loop);
    std::error_code failed;
    socket.connect({asio::ip::make_address("127.0.0.1"), port}, failed);
    if (!failed)
        asio::write(socket, asio::buffer(request + " HTTP/1.1\r\nHost: x\r\n\r\n"), failed);
    std::string answer;
    if (!failed) asio::read(socket, asio::dynamic_buffer(answer), failed);
    return answer;
}

// Of a page in Prometheus' text format 0.0.4: the value of every series, by name and labels. A line
// that is none of the format is a failure, and so is a name without its TYPE.
std::map<std::string, double> series_of(const std::string& page) {
    static const std::regex sample(R"(([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (\S+))");
    std::map<std::string, double> found;
    std::istringstream lines(page);
    std::string typed;
    for (std::string line; std::getline(lines, line);) {
        std::smatch parts;
        if (line.starts_with("# TYPE ")) typed = line.substr(7, line.find(' ', 7) - 7);
        if (line.starts_with("# ")) continue;
        if (!std::regex_match(line, parts, sample)) {
            ADD_FAILURE() << "no line of the format: " << line;
            continue;
        }
        EXPECT_EQ(parts[1].str(), typed) << line;
        const std::string name = parts[1].str() + parts[2].str();
        EXPECT_TRUE(found.emplace(name, std::stod(parts[4].str())).second) << "twice: " << line;
    }
    return found;
}

TEST(Told, ToPrometheusIsWhatStatusSays) {
    const std::uint16_t port = lab::free_port();
    Site::Settings settings;
    settings.local_more = ", metrics: \"127.0.0.1:" + std::to_string(port) + "\"";
    Site site(settings);
    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return site.book("acknowledged") > 0; }, 15s)) << site.log();

    const auto before = site.status();
    const std::string answer = http(port, "GET /metrics");
    const auto after = site.status();
    ASSERT_TRUE(before && after) << site.log();
    const std::size_t end = answer.find("\r\n\r\n");
    ASSERT_NE(end, std::string::npos) << answer;
    const std::string head = answer.substr(0, end);
    const std::string body = answer.substr(end + 4);
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK")) << head;
    EXPECT_NE(head.find("text/plain; version=0.0.4"), std::string::npos) << head;
    EXPECT_NE(head.find("Content-Length: " + std::to_string(body.size())), std::string::npos);

    auto figures = series_of(body);
    for (const char* book : {"accepted", "acknowledged"}) {
        const double told = figures["fieldgate_records_" + std::string(book) + "_total"];
        const auto least = *before->get("books")->get(book)->integer();
        const auto most = *after->get("books")->get(book)->integer();
        EXPECT_GE(told, static_cast<double>(least)) << book << "\n" << body;
        EXPECT_LE(told, static_cast<double>(most)) << book;
        EXPECT_GT(told, 0) << book;
    }
    EXPECT_TRUE(http(port, "GET /").starts_with("HTTP/1.1 404"));
    EXPECT_TRUE(http(port, "POST /metrics").starts_with("HTTP/1.1 404"));
}

TEST(Told, ByCheckIsThePlanThatIsKept) {
    Site::Settings settings;
    settings.every = "200ms";
    Site site(settings);
    const lab::Finished text = site.command({"check", "--plan"});
    EXPECT_EQ(text.code, 0) << text.output;
    EXPECT_NE(text.output.find("bus field: 10 blocks"), std::string::npos) << text.output;
    EXPECT_NE(text.output.find("holding:0..3"), std::string::npos) << text.output;

    const lab::Finished asked = site.command({"check", "--plan", "--json"});
    EXPECT_EQ(asked.code, 0) << asked.output;
    const Result<json::Value> said = json::parse(asked.output);
    ASSERT_TRUE(said) << asked.output;
    EXPECT_TRUE(said->get("problems")->array()->empty());
    const json::Value& bus = said->get("plan")->get("buses")->array()->front();
    EXPECT_EQ(bus.get("blocks")->array()->size(), 10U);
    const double planned = bus.get("requests_per_second")->number();
    EXPECT_DOUBLE_EQ(planned, 50);

    site.start();
    ASSERT_TRUE(lab::wait_until([&] { return !site.witness().said().empty(); }, 15s)) << site.log();
    const auto begin = std::chrono::steady_clock::now();
    const std::size_t first = site.witness().said().size();
    lab::wait_until([&] { return site.witness().said().size() >= first + 150; }, 15s);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const double kept = static_cast<double>(site.witness().said().size() - first) / took.count();
    EXPECT_NEAR(kept, planned, planned / 5);
}

TEST(Told, ByCheckAsJsonIsEveryMistakeWithItsPlace) {
    Site site;
    const auto file = site.folder() / "fieldgate.yaml";
    lab::write_file(file, lab::read_file(file) + "nonsense: 1\nalso: 2\n");
    const lab::Finished asked = site.command({"check", "--json", "--plan"});
    EXPECT_EQ(asked.code, 78) << asked.output;
    const Result<json::Value> said = json::parse(asked.output);
    ASSERT_TRUE(said) << asked.output;
    EXPECT_FALSE(said->get("plan")) << "no plan of what cannot be";
    const auto& problems = *said->get("problems")->array();
    ASSERT_EQ(problems.size(), 2U) << asked.output;
    EXPECT_EQ(*problems[0].get("path")->string(), "nonsense");
    EXPECT_EQ(*problems[0].get("severity")->string(), "error");
    EXPECT_EQ(*problems[0].get("column")->integer(), 1);
    EXPECT_EQ(*problems[1].get("line")->integer(), *problems[0].get("line")->integer() + 1);
    EXPECT_FALSE(problems[1].get("hint")->string()->empty());
}

}  // namespace
}  // namespace fieldgate::e2e
