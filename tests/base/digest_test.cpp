#include "base/digest.h"

#include <gtest/gtest.h>

namespace fieldgate {
namespace {

// Protocol reference 1.2, published by the platform; the wrong order is given there too.
TEST(Digest, KnowsThePlatformsHmacVector) {
    EXPECT_EQ(hmac_sha256_hex("2025041401", "12345678"),
              "c75150e6cb841417396819e4d2ee4358a416344a03a083e3a8567074ddec820a");
    EXPECT_EQ(hmac_sha256_hex("12345678", "2025041401"),
              "75e7262705ff85203403e600f652133f9cac4e4d1400b44f3582e778a97f6c36");
}

TEST(Digest, KnowsTheEmptySha256) {
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, DecodesBase64WithAndWithoutPadding) {
    EXPECT_EQ(*base64_decode("aGVsbG8="), "hello");
    EXPECT_EQ(*base64_decode("Zm9v"), "foo");
    EXPECT_FALSE(base64_decode("a"));
    EXPECT_FALSE(base64_decode("????"));
}

}  // namespace
}  // namespace fieldgate
