#include "tests/lab/platform/platform.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

namespace fieldgate::lab {
namespace {

const std::string gateway = "64f0a1b2c3d4e5f607182930_GW-0001";
const std::string certified = "64f0a1b2c3d4e5f607182930_GW-0002";
const std::string secret = "12345678";
const std::string up = "$oc/devices/" + gateway + "/sys/events/up";
const std::string introduction =
    R"({"services":[{"service_id":"$sdk_info","event_type":"sdk_info_report","paras":{}}]})";

// mosquitto's own clients play the device: nothing of ours stands on that side.
class PlatformTest : public testing::Test {
protected:
    PlatformTest() : platform(settings()) {}

    static Platform::Settings settings() {
        Platform::Settings settings;
        settings.devices = {{gateway, secret}, {certified, ""}};
        return settings;
    }

    static std::string client_id(char sign_type) {
        return gateway + "_0_" + sign_type + "_" + hour_of(std::time(nullptr));
    }

    std::vector<std::string> login(const std::string& program, const std::string& id,
                                   const std::string& password) {
        return {
            program,    "-h",          "localhost", "-p", std::to_string(platform.broker().port()),
            "--cafile", platform.ca(), "-i",        id,   "-u",
            gateway,    "-P",          password,    "-k", "60"};
    }

    Finished publish(const std::vector<std::string>& more) {
        const std::string id = client_id('0');
        const std::string hour = id.substr(id.size() - 10);
        std::vector<std::string> words = login("mosquitto_pub", id, password_for(hour, secret));
        words.insert(words.end(), more.begin(), more.end());
        return run(words);
    }

    std::vector<Violation> violations(std::size_t count) {
        wait_until([&] { return platform.violations().size() >= count; });
        return platform.violations();
    }

    Platform platform;
};

TEST_F(PlatformTest, LetsADeviceInThatKnowsItsSecretAndHearsIt) {
    const Finished finished = publish({"-t", up, "-q", "1", "-m", introduction});

    EXPECT_EQ(finished.code, 0) << finished.output;
    EXPECT_TRUE(wait_until([&] { return platform.messages().size() == 1; }));
    EXPECT_EQ(platform.messages()[0].payload, introduction);
    EXPECT_TRUE(platform.violations().empty()) << platform.violations()[0].text;
    EXPECT_EQ(platform.counts().connections, 1U);
}

TEST_F(PlatformTest, LetsInByTheHourOfSignTypeOne) {
    const std::string id = client_id('1');
    std::vector<std::string> words =
        login("mosquitto_pub", id, password_for(id.substr(id.size() - 10), secret));
    words.insert(words.end(), {"-t", up, "-q", "1", "-m", introduction});
    EXPECT_EQ(run(words).code, 0);

    const std::string old = gateway + "_0_1_2018072417";
    words = login("mosquitto_pub", old, password_for("2018072417", secret));
    words.insert(words.end(), {"-t", up, "-q", "1", "-m", introduction});
    EXPECT_NE(run(words).code, 0);
    EXPECT_EQ(violations(1).size(), 1U);
}

TEST_F(PlatformTest, RefusesAWrongPasswordAndAWrongClientId) {
    std::vector<std::string> words = login("mosquitto_pub", client_id('0'), "wrong");
    words.insert(words.end(), {"-t", up, "-m", introduction});
    EXPECT_NE(run(words).code, 0);
    words = login("mosquitto_pub", gateway, password_for(hour_of(std::time(nullptr)), secret));
    words.insert(words.end(), {"-t", up, "-m", introduction});
    EXPECT_NE(run(words).code, 0);

    const std::vector<Violation> found = violations(2);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_NE(found[0].text.find("wrong password"), std::string::npos) << found[0].text;
    EXPECT_NE(found[1].text.find("malformed ClientId"), std::string::npos) << found[1].text;
    EXPECT_TRUE(platform.messages().empty());
}

TEST_F(PlatformTest, RefusesTopicsOfOthersAndWhatThePlatformDoesNotSupport) {
    const std::string foreign = "$oc/devices/" + certified + "/sys/events/up";
    publish({"-t", foreign, "-q", "1", "-m", introduction});
    publish({"-t", up, "-q", "2", "-m", introduction});
    publish({"-t", up, "-q", "1", "-r", "-m", introduction});
    const TempDir folder;
    write_file(folder / "large", std::string(1024 * 1024 + 1, ' '));
    publish({"-t", up, "-q", "1", "-f", folder / "large"});

    const std::vector<Violation> found = violations(4);
    const std::vector<std::string> reasons{"a topic of somebody else", "QoS 2",
                                           "a retained message", "a payload over 1 MB"};
    std::set<std::string> told;
    for (const Violation& violation : found) told.insert(violation.text);
    for (const std::string& reason : reasons) {
        const bool named = std::any_of(told.begin(), told.end(), [&](const std::string& text) {
            return text.find(reason) != std::string::npos;
        });
        EXPECT_TRUE(named) << reason;
    }
    EXPECT_TRUE(platform.messages().empty());
}

TEST_F(PlatformTest, RefusesToSubscribeToTopicsOfOthers) {
    const std::string id = client_id('0');
    const std::string hour = id.substr(id.size() - 10);
    std::vector<std::string> words = login("mosquitto_sub", id, password_for(hour, secret));
    words.insert(words.end(), {"-q", "1", "-E", "-t"});
    std::vector<std::string> own = words;
    own.push_back("$oc/devices/" + gateway + "/sys/commands/#");
    words.push_back("$oc/devices/" + certified + "/sys/commands/#");

    EXPECT_EQ(run(own).code, 0);
    run(words);
    const std::vector<Violation> found = violations(1);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NE(found[0].text.find(certified), std::string::npos) << found[0].text;
}

TEST_F(PlatformTest, LetsACertificateInThatBearsTheDevicesName) {
    const auto publish_as = [&](const std::string& name) {
        const Pki::Pair pair = platform.broker().pki().client(name);
        return run({"mosquitto_pub",
                    "-h",
                    "localhost",
                    "-p",
                    std::to_string(platform.broker().certificate_port()),
                    "--cafile",
                    platform.ca(),
                    "--cert",
                    pair.certificate,
                    "--key",
                    pair.key,
                    "-i",
                    certified + "_0_0_2025041401",
                    "-u",
                    certified,
                    "-k",
                    "60",
                    "-q",
                    "1",
                    "-t",
                    "$oc/devices/" + certified + "/sys/events/up",
                    "-m",
                    introduction});
    };
    EXPECT_NE(publish_as("somebody").code, 0);
    const Finished finished = publish_as(certified);
    EXPECT_EQ(finished.code, 0) << finished.output;
    EXPECT_TRUE(wait_until([&] { return platform.messages().size() == 1; }));
}

TEST_F(PlatformTest, AnswersTheTimeRequestOfADevice) {
    const std::string id = client_id('0');
    const std::string password = password_for(id.substr(id.size() - 10), secret);
    std::vector<std::string> words = login("mosquitto_rr", id, password);
    words.insert(words.end(), {"-q", "1", "-W", "10", "-t", up, "-e",
                               "$oc/devices/" + gateway + "/sys/events/down", "-m",
                               R"({"services":[{"service_id":"$time_sync","event_type":)"
                               R"("time_sync_request","paras":{"device_send_time":5}}]})"});
    const Finished finished = run(words);
    EXPECT_NE(finished.output.find(R"("event_type":"time_sync_response")"), std::string::npos)
        << finished.output;
}

TEST_F(PlatformTest, KeepsWhatWasAcknowledgedThroughARestartOfTheBroker) {
    EXPECT_EQ(publish({"-t", up, "-q", "1", "-m", introduction}).code, 0);
    platform.broker().kill();
    EXPECT_NE(publish({"-t", up, "-q", "1", "-m", introduction}).code, 0);
    platform.broker().start();
    EXPECT_EQ(publish({"-t", up, "-q", "1", "-m", introduction}).code, 0);

    EXPECT_TRUE(wait_until([&] { return platform.messages().size() == 2; }));
    EXPECT_TRUE(platform.violations().empty()) << platform.violations()[0].text;
}

TEST_F(PlatformTest, DropsTheOlderLinkOfADeviceThatConnectsTwice) {
    const std::string id = client_id('0');
    const std::string hour = id.substr(id.size() - 10);
    std::vector<std::string> words = login("mosquitto_sub", id, password_for(hour, secret));
    words.insert(words.end(), {"-t", "$oc/devices/" + gateway + "/sys/events/down"});
    const Child first(words);
    ASSERT_TRUE(wait_until([&] { return platform.counts().connections == 1; }));

    const std::string other = gateway + "_0_0_2018072417";
    words = login("mosquitto_pub", other, password_for("2018072417", secret));
    words.insert(words.end(), {"-q", "1", "-t", up, "-m", introduction});
    EXPECT_EQ(run(words).code, 0);
    EXPECT_TRUE(wait_until([&] { return platform.counts().connections >= 3; }))
        << "the first client comes back after it was dropped";
}

}  // namespace
}  // namespace fieldgate::lab
