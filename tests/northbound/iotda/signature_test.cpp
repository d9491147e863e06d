#include "northbound/iotda/signature.h"

#include <gtest/gtest.h>

namespace fieldgate::northbound::iotda {
namespace {

using namespace std::chrono_literals;

const std::string device = "64f0a1b2c3d4e5f607182930_GW-0001";
constexpr Utc april = std::chrono::sys_days(std::chrono::year(2025) / 4 / 14) + 1h + 59min;

Identity with_secret() {
    Identity identity;
    identity.secret = Secret("12345678");
    return identity;
}

TEST(Signature, IsTheExampleOfTheProtocolReference) {
    const Credentials credentials = sign(device, with_secret(), false, april);
    EXPECT_EQ(credentials.client_id, device + "_0_0_2025041401");
    EXPECT_EQ(credentials.username, device);
    EXPECT_EQ(credentials.password.reveal(),
              "c75150e6cb841417396819e4d2ee4358a416344a03a083e3a8567074ddec820a");
}

TEST(Signature, TakesTheTimeAsTheKeyAndTheSecretAsTheMessage) {
    constexpr Utc july = std::chrono::sys_days(std::chrono::year(2018) / 7 / 24) + 17h + 56min;
    EXPECT_EQ(sign(device, with_secret(), false, july).password.reveal(),
              "cda20ea47ca2e8f01d9dd8aa9eb7e7937562f5be6982ea82d46c582c4a476b3f");
    EXPECT_NE(sign(device, with_secret(), false, april).password.reveal(),
              "75e7262705ff85203403e600f652133f9cac4e4d1400b44f3582e778a97f6c36");
}

TEST(Signature, NamesTheSignTypeThatIsChecked) {
    EXPECT_EQ(sign(device, with_secret(), true, april).client_id, device + "_0_1_2025041401");
}

TEST(Signature, SendsNoPasswordWithACertificate) {
    Identity identity;
    identity.certificate_file = "gw.crt";
    identity.key_file = "gw.key";
    const Credentials credentials = sign(device, identity, false, april);
    EXPECT_EQ(credentials.client_id, device + "_0_0_2025041401");
    EXPECT_TRUE(credentials.password.empty());
}

TEST(Signature, ChangesWithTheHour) {
    EXPECT_EQ(hour_stamp(april), "2025041401");
    EXPECT_EQ(hour_stamp(april + 1min), "2025041402");
}

}  // namespace
}  // namespace fieldgate::northbound::iotda
