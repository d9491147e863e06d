#include "base/log.h"

#include <gtest/gtest.h>

namespace fieldgate {
namespace {

TEST(Log, KeepsALineALineWhateverADeviceSays) {
    testing::internal::CaptureStderr();
    log::warning("device said", {{"text", "a\n<0>forged"}, {"unit", "3"}, {"none", ""}});
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "<4>device said text=\"a\\x0a<0>forged\" unit=3 none=\"\"\n");
}

TEST(Log, DropsWhatIsBelowItsLevel) {
    testing::internal::CaptureStderr();
    log::debug("noise");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace fieldgate
