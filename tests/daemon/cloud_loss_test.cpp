#include "daemon/cloud_loss.h"

#include <gtest/gtest.h>

#include "tests/daemon/config/site.h"
#include "tests/daemon/site/make.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

// The example: breaker of every device goes off after 10 minutes.
class CloudLossTest : public testing::Test {
protected:
    test::Site site_;
    SitePtr made_ = test::make(*site_.load().config);
    const Config& config_ = made_->config;
    Instant start_{1h};
    CloudLoss loss_{*made_, start_};
};

TEST_F(CloudLossTest, WritesOncePerOutage) {
    EXPECT_TRUE(loss_.due(start_ + 599s).empty());
    const auto due = loss_.due(start_ + 600s);
    ASSERT_EQ(due.size(), config_.devices.size());
    EXPECT_EQ(due.front().write.value, Value(false));
    EXPECT_TRUE(loss_.due(start_ + 2h).empty());
}

TEST_F(CloudLossTest, CountsFromTheLossAndAnewAfterEveryConnection) {
    loss_.look(true, start_ + 1s);
    EXPECT_TRUE(loss_.due(start_ + 2h).empty());
    loss_.look(false, start_ + 2h);
    loss_.look(false, start_ + 2h + 5min);
    EXPECT_EQ(loss_.due(start_ + 2h + 10min).size(), config_.devices.size());
    loss_.look(true, start_ + 3h);
    loss_.look(false, start_ + 4h);
    EXPECT_TRUE(loss_.due(start_ + 4h + 9min).empty());
    EXPECT_EQ(loss_.due(start_ + 4h + 10min).size(), config_.devices.size());
}

TEST_F(CloudLossTest, IsForgottenIfTheCloudIsBackInTime) {
    loss_.look(true, start_ + 9min);
    EXPECT_TRUE(loss_.due(start_ + 11min).empty());
}

TEST(CloudLossOfASite, WritesToPointsThatAreKeptForIt) {
    const test::Site site;
    site.replace("templates/power-meter.yaml", "max: 63 }",
                 "max: 63, from: [loss], on_cloud_loss: { after: 1s, set: 16 } }");
    const SitePtr made = test::make(*site.load().config);
    CloudLoss loss(*made, Instant(1h));
    EXPECT_EQ(loss.due(Instant(1h) + 1s).size(), made->config.devices.size());
}

}  // namespace
}  // namespace fieldgate
