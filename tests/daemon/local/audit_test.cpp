#include "daemon/local/audit.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "daemon/local/options.h"
#include "storage/control_store.h"

namespace fieldgate {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A configuration and a store with three rows, whose gateway runs or not.
class AuditCommand : public testing::Test {
protected:
    AuditCommand() {
        std::string name = (fs::temp_directory_path() / "fieldgate-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        fs::create_directories(folder_ / "store");
        write("fieldgate.yaml",
              "schema: 1\nplatform:\n  endpoint: mqtts://iot.example.com:8883\n"
              "  device_id: gateway\n  auth: { secret: cred:gateway }\n  ca: ca.pem\nstore: { "
              "path: store }\n");
        write("ca.pem", "-----BEGIN CERTIFICATE-----\n");
        fs::create_directory(folder_ / "credentials");
        write("credentials/gateway", "0123456789abcdef0123456789abcdef");
        fs::permissions(folder_ / "credentials/gateway",
                        fs::perms::owner_read | fs::perms::owner_write);
        store_ = std::make_unique<storage::ControlStore>(loop_.get_executor(),
                                                         (folder_ / "store").string(), 1h);
        store_->open();
        run(store_->opened());
        append("command", "{\"n\":1}");
        append("refused", "no \x1b[31mred\xC2\x9B here");
        append("property set", "{}");
        // A commit of its own carries them.
        run(note(store_->ledger().begin("command/1", "d")));
    }
    ~AuditCommand() override {
        if (store_) stop();
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    void write(const char* name, const std::string& text) { std::ofstream(folder_ / name) << text; }
    void append(const std::string& what, const std::string& detail) {
        storage::AuditEntry entry;
        entry.what = what;
        entry.target = "meter-1";
        entry.detail = detail;
        entry.result = "done";
        entry.at = Utc(1'700'000'000'123ms);
        entry.proven = what == "command";
        store_->audit().append(std::move(entry));
    }
    static asio::awaitable<void> note(asio::awaitable<Result<storage::LedgerEntry>> begun) {
        const Result<storage::LedgerEntry> entry = co_await std::move(begun);
        EXPECT_TRUE(entry);
    }
    void run(asio::awaitable<void> flow) {
        bool done = false;
        asio::co_spawn(loop_, std::move(flow), [&](const std::exception_ptr&) { done = true; });
        while (!done) loop_.run_one();
    }
    void stop() {
        run(store_->close());
        store_.reset();
    }

    int audit(std::vector<std::string> more = {}) {
        std::vector<std::string> words{"fieldgate", "audit", "--config",
                                       (folder_ / "fieldgate.yaml").string()};
        words.insert(words.end(), more.begin(), more.end());
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        testing::internal::CaptureStdout();
        const int exit = run_command_line(static_cast<int>(arguments.size()), arguments.data());
        printed_ = testing::internal::GetCapturedStdout();
        return exit;
    }
    /// Changes a byte of the file where `what` stands.
    void tamper(const std::string& what) {
        std::fstream file(folder_ / "store/control.db",
                          std::ios::in | std::ios::out | std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        const std::size_t at = bytes.find(what);
        ASSERT_NE(at, std::string::npos);
        file.seekp(static_cast<std::streamoff>(at));
        file.put('!');
    }

    fs::path folder_;
    asio::io_context loop_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
    std::unique_ptr<storage::ControlStore> store_;
    std::string printed_;
};

TEST_F(AuditCommand, PrintsALinePerRowAndTheVerdictWhetherTheGatewayRunsOrNot) {
    const std::string expected =
        "1  2023-11-14T22:13:20.123Z   cloud  command  meter-1  done  {\"n\":1}\n"
        "2  2023-11-14T22:13:20.123Z?  cloud  refused  meter-1  done  no ?[31mred? here\n"
        "3  2023-11-14T22:13:20.123Z?  cloud  property set  meter-1  done  {}\n"
        "3 rows, 0 older ones dropped: the chain is whole\n";
    EXPECT_EQ(audit(), 0);
    EXPECT_EQ(printed_, expected);
    stop();
    EXPECT_EQ(audit(), 0);
    EXPECT_EQ(printed_, expected);
}

TEST_F(AuditCommand, PrintsFromANumberOnAndChecksAllTheSame) {
    EXPECT_EQ(audit({"--since", "3"}), 0);
    EXPECT_EQ(printed_.substr(0, 3), "3  ");
    stop();
    tamper("{\"n\":1}");
    EXPECT_EQ(audit({"--since", "3"}), 1);
    EXPECT_NE(printed_.find("the chain is BROKEN at row 1\n"), std::string::npos) << printed_;
}

TEST_F(AuditCommand, PrintsOneJsonObject) {
    EXPECT_EQ(audit({"--json", "--since", "2"}), 0);
    const Result<json::Value> whole = json::parse(printed_);
    ASSERT_TRUE(whole) << printed_;
    ASSERT_EQ(whole->get("rows")->array()->size(), 2u);
    EXPECT_EQ(*whole->get("rows")->array()->front().get("what")->string(), "refused");
    EXPECT_EQ(*whole->get("kept")->integer(), 3);
    EXPECT_TRUE(*whole->get("whole")->boolean());
    stop();
    tamper("property set");
    EXPECT_EQ(audit({"--json"}), 1);
    const Result<json::Value> broken = json::parse(printed_);
    ASSERT_TRUE(broken) << printed_;
    EXPECT_FALSE(*broken->get("whole")->boolean());
    EXPECT_EQ(*broken->get("first_broken")->integer(), 3);
}

// Who may read the audit log may not be allowed to read the secrets.
TEST_F(AuditCommand, LooksWhereTheFileSaysThatHasProblemsElsewhere) {
    fs::remove(folder_ / "credentials/gateway");
    EXPECT_EQ(audit(), 0);
    EXPECT_NE(printed_.find("3 rows"), std::string::npos) << printed_;
}

TEST_F(AuditCommand, SaysWhenThereIsNone) {
    stop();
    fs::remove_all(folder_ / "store");
    testing::internal::CaptureStderr();
    EXPECT_EQ(audit(), 1);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("no such file"), std::string::npos);
}

}  // namespace
}  // namespace fieldgate
