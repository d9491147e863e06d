#include "tests/lab/platform/admission.h"

#include <gtest/gtest.h>

namespace fieldgate::lab {
namespace {

constexpr std::int64_t now = 1744592523;  // 2025-04-14T01:02:03Z
const std::string gateway = "64f0a1b2c3d4e5f607182930_GW-0001";
const Devices devices{{gateway, "12345678"}, {"cert_GW", ""}};

Login login_of(const std::string& device, const std::string& tail) {
    Login login;
    login.client_id = device + tail;
    login.username = device;
    login.password = password_for(tail.substr(tail.size() - 10), "12345678");
    login.keep_alive_seconds = 120;
    return login;
}

// The vectors of protocol reference 1.2.
TEST(Admission, TheHourIsTheKeyAndTheSecretTheMessage) {
    EXPECT_EQ(password_for("2025041401", "12345678"),
              "c75150e6cb841417396819e4d2ee4358a416344a03a083e3a8567074ddec820a");
    EXPECT_EQ(password_for("2018072417", "12345678"),
              "cda20ea47ca2e8f01d9dd8aa9eb7e7937562f5be6982ea82d46c582c4a476b3f");
}

TEST(Admission, AClientIdIsReadFromTheRight) {
    const std::optional<ClientId> id = parse_client_id("a_0_1_b_0_0_2025041401");

    ASSERT_TRUE(id);
    EXPECT_EQ(id->device, "a_0_1_b");
    EXPECT_EQ(id->sign_type, '0');
    EXPECT_EQ(id->hour, "2025041401");
}

TEST(Admission, EveryOtherFormOfClientIdIsMalformed) {
    for (const char* text :
         {"", "d", "_0_0_2025041401", "d_1_0_2025041401", "d_0_2_2025041401", "d_0_0_202504140",
          "d_0_0_20250414011", "d_0_0_202504140x", "d-0-0-2025041401", "d_0_0-2025041401"})
        EXPECT_FALSE(parse_client_id(text)) << text;
    EXPECT_FALSE(parse_client_id(std::string(256, 'd') + "_0_0_2025041401"));
}

TEST(Admission, AGoodLoginIsWelcome) {
    EXPECT_EQ(login_fault(login_of(gateway, "_0_0_2025041401"), devices, now), "");
    EXPECT_EQ(login_fault(login_of(gateway, "_0_1_2025041401"), devices, now), "");
}

TEST(Admission, OnlySignTypeOneComparesTheHour) {
    EXPECT_EQ(login_fault(login_of(gateway, "_0_0_2025041424"), devices, now), "");
    EXPECT_NE(login_fault(login_of(gateway, "_0_1_2025041400"), devices, now), "");
    EXPECT_NE(login_fault(login_of(gateway, "_0_1_2025041402"), devices, now), "");
}

TEST(Admission, WhatDoesNotFitTheDeviceIsRefused) {
    const Login good = login_of(gateway, "_0_0_2025041401");
    Login wrong_password = good;
    wrong_password.password = password_for("12345678", "2025041401");
    Login no_password = good;
    no_password.password.reset();
    Login other_name = good;
    other_name.username = "cert_GW";

    EXPECT_EQ(login_fault(wrong_password, devices, now), "wrong password");
    EXPECT_EQ(login_fault(no_password, devices, now), "wrong password");
    EXPECT_NE(login_fault(other_name, devices, now), "");
    EXPECT_EQ(login_fault(login_of("nobody", "_0_0_2025041401"), devices, now), "unknown device");
}

TEST(Admission, KeepAliveHasItsRange) {
    Login login = login_of(gateway, "_0_0_2025041401");
    for (const int seconds : {0, 29, 1201}) {
        login.keep_alive_seconds = seconds;
        EXPECT_NE(login_fault(login, devices, now), "") << seconds;
    }
    for (const int seconds : {30, 1200}) {
        login.keep_alive_seconds = seconds;
        EXPECT_EQ(login_fault(login, devices, now), "") << seconds;
    }
}

TEST(Admission, ACertificateIsForItsDeviceAndWithoutPassword) {
    Login login = login_of("cert_GW", "_0_0_2025041401");
    login.password.reset();
    EXPECT_NE(login_fault(login, devices, now), "");
    login.certificate_name = "another_GW";
    EXPECT_NE(login_fault(login, devices, now), "");
    login.certificate_name = "cert_GW";
    EXPECT_EQ(login_fault(login, devices, now), "");
    login.password = "x";
    EXPECT_NE(login_fault(login, devices, now), "");
}

TEST(Admission, ADevicePublishesToItsOwnUplinkTopicsOnly) {
    const auto fault = [](const std::string& topic) {
        return publish_fault("d", topic, 1, false, 10);
    };
    for (const char* topic :
         {"$oc/devices/d/sys/gateway/sub_devices/properties/report",
          "$oc/devices/d/sys/properties/report?request_id=42", "$oc/devices/d/sys/events/up",
          "$oc/devices/d/sys/commands/response/request_id=1", "$oc/devices/d/user/x"})
        EXPECT_EQ(fault(topic), "") << topic;
    for (const char* topic :
         {"$oc/devices/e/sys/properties/report", "$oc/devices/d/sys/events/down", "free/topic",
          "$oc/devices/d/sys/properties/reports", "$oc/devices/dd/sys/events/up",
          "$oc/devices/d/sys/commands/response/request_id="})
        EXPECT_NE(fault(topic), "") << topic;
}

TEST(Admission, WhatThePlatformDoesNotSupportIsRefused) {
    const std::string topic = "$oc/devices/d/sys/events/up";
    EXPECT_EQ(publish_fault("d", topic, 2, false, 10), "QoS 2");
    EXPECT_EQ(publish_fault("d", topic, 1, true, 10), "a retained message");
    EXPECT_EQ(publish_fault("d", topic, 1, false, 1048576), "");
    EXPECT_EQ(publish_fault("d", topic, 1, false, 1048577), "a payload over 1 MB");
}

TEST(Admission, ADeviceSubscribesToItsOwnTopicsOnly) {
    EXPECT_EQ(subscribe_fault("d", "$oc/devices/d/sys/commands/#"), "");
    EXPECT_EQ(subscribe_fault("d", "$oc/broadcast/news"), "");
    for (const char* filter : {"$oc/devices/+/sys/commands/#", "$oc/#", "#", "$oc/devices/e/sys/#"})
        EXPECT_NE(subscribe_fault("d", filter), "") << filter;
}

}  // namespace
}  // namespace fieldgate::lab
