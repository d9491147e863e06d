#include "base/secret.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>
#include <type_traits>

namespace fieldgate {
namespace {

// Short enough to stand in the string itself.
constexpr std::string_view short_text = "s3cr3t-b4!";

template <class Object>
bool holds_the_secret(const Object& object) {
    const std::string_view bytes(reinterpret_cast<const char*>(&object), sizeof object);
    return bytes.find(short_text.substr(1)) != std::string_view::npos;
}

TEST(Secret, LeavesNothingWhereItCameFrom) {
    std::string text(short_text);
    ASSERT_TRUE(holds_the_secret(text));
    Secret first(std::move(text));
    EXPECT_FALSE(holds_the_secret(text));  // NOLINT(bugprone-use-after-move)
    Secret second(std::move(first));
    EXPECT_FALSE(holds_the_secret(first));  // NOLINT(bugprone-use-after-move)
    Secret third;
    third = std::move(second);
    EXPECT_FALSE(holds_the_secret(second));  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(third.reveal(), short_text);
}

TEST(Secret, LeavesNothingOfAnOlderOne) {
    Secret secret{std::string(short_text)};
    secret = Secret(std::string("x"));
    EXPECT_FALSE(holds_the_secret(secret));
    EXPECT_EQ(secret.reveal(), "x");
}

static_assert(!std::is_constructible_v<Secret, std::string&>, "a copy would stay behind");

}  // namespace
}  // namespace fieldgate
