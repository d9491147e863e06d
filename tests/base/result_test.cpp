#include "base/result.h"

#include <gtest/gtest.h>

namespace fieldgate {
namespace {

TEST(ResultDeathTest, AbortsWhenAskedForWhatIsNotThere) {
    const Result<int> failed = Error(Errc::timeout, "no answer");
    EXPECT_DEATH((void)*failed, "bug: expected a value");
    const Result<int> worked = 3;
    EXPECT_DEATH((void)worked.error(), "bug: expected an error");
}

TEST(Result, CarriesOneOfTheTwo) {
    const Result<int> failed = Error(Errc::timeout, "no answer");
    EXPECT_FALSE(failed);
    EXPECT_STREQ(to_string(failed.error().code), "timeout");
    EXPECT_EQ(*Result<int>(3), 3);
    EXPECT_TRUE(Result<void>());
}

}  // namespace
}  // namespace fieldgate
