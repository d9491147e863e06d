#include "daemon/gate/cloud_loss.h"

#include <gtest/gtest.h>

#include "tests/daemon/config/site.h"
#include "tests/daemon/site/make.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

// The example: breaker of every device goes off after 10 minutes.
class CloudLossTest : public testing::Test {
protected:
    CloudLossTest() { loss_.serve(site_); }
    /// Those that were due are settled so, `time` after the start.
    void settle_all(Instant::duration time, bool sent) {
        for (const Order& order : loss_.due(start_ + time))
            (void)loss_.settled(order, sent, false, start_ + time);
    }
    std::size_t due(Instant::duration time) { return loss_.due(start_ + time).size(); }
    CloudLoss after_restart(const storage::Outage& memory) const {
        CloudLoss loss(memory, start_);
        loss.serve(site_);
        return loss;
    }

    test::Site files_;
    SitePtr site_ = test::make(*files_.load().config);
    std::size_t devices_ = site_->config.devices.size();
    Instant start_{1h};
    CloudLoss loss_{{}, start_};
};

TEST_F(CloudLossTest, WritesOncePerOutage) {
    EXPECT_EQ(due(599s), 0U);
    const auto orders = loss_.due(start_ + 600s);
    ASSERT_EQ(orders.size(), devices_);
    EXPECT_EQ(orders.front().writes.front().value, Value(false));
    EXPECT_EQ(orders.front().asked.detail, "Electrical.breaker = false");
    EXPECT_EQ(due(601s), 0U) << "under way";
    for (const Order& order : orders) EXPECT_TRUE(loss_.settled(order, true, false, start_ + 601s));
    EXPECT_EQ(due(2h), 0U);
}

TEST_F(CloudLossTest, CountsFromTheLossAndAnewAfterEveryConnection) {
    loss_.look(true, start_ + 1s);
    EXPECT_EQ(due(2h), 0U);
    loss_.look(false, start_ + 2h);
    loss_.look(false, start_ + 2h + 5min);
    settle_all(2h + 10min, true);
    EXPECT_EQ(due(2h + 50min), 0U);
    loss_.look(true, start_ + 3h);
    loss_.look(false, start_ + 4h);
    EXPECT_EQ(due(4h + 9min), 0U);
    EXPECT_EQ(due(4h + 10min), devices_);
}

TEST_F(CloudLossTest, IsForgottenIfTheCloudIsBackInTime) {
    loss_.look(true, start_ + 9min);
    EXPECT_EQ(due(11min), 0U);
}

TEST_F(CloudLossTest, OwesWhatWasNotSentMoreAndMoreRarely) {
    Instant::duration time = 10min;
    const auto& orders = loss_.due(start_ + time);
    EXPECT_TRUE(loss_.settled(orders.front(), false, false, start_ + time)) << "news";
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        EXPECT_EQ(due(time + pause - 1ms), 0U);
        EXPECT_EQ(loss_.next(start_ + time), start_ + time + pause);
        time += pause;
        const auto again = loss_.due(start_ + time);
        ASSERT_EQ(again.size(), 1U);
        EXPECT_FALSE(loss_.settled(again.front(), false, false, start_ + time)) << "no news";
    }
    loss_.online(orders.front().device);
    EXPECT_EQ(loss_.next(start_ + time), start_ + time);
    EXPECT_EQ(due(time), 1U) << "the device is back";
}

TEST_F(CloudLossTest, AsksOftenWhereNobodyElseDoes) {
    Instant::duration time = 10min;
    for (const auto pause : {1s, 2s, 4s, 4s, 4s}) {
        const auto orders = loss_.due(start_ + time);
        ASSERT_EQ(orders.size(), devices_) << pause.count();
        for (const Order& order : orders) (void)loss_.settled(order, false, true, start_ + time);
        EXPECT_EQ(due(time + pause - 1ms), 0U) << pause.count();
        time += pause;
    }
}

TEST_F(CloudLossTest, TakesNothingOfOneOutageForTheNext) {
    const auto orders = loss_.due(start_ + 10min);
    loss_.look(true, start_ + 11min);
    loss_.look(false, start_ + 12min);
    for (const Order& order : orders) (void)loss_.settled(order, true, false, start_ + 13min);
    EXPECT_EQ(due(22min), devices_);
}

TEST_F(CloudLossTest, RestartsDoNotBeginAnOutageAnew) {
    EXPECT_FALSE(loss_.to_note(start_ + 29s));
    const auto memory = loss_.to_note(start_ + 9min);
    ASSERT_TRUE(memory);
    EXPECT_EQ(memory->elapsed, 9min);
    EXPECT_FALSE(loss_.to_note(start_ + 9min + 29s)) << "every 30 s at most";
    EXPECT_TRUE(loss_.to_note(start_ + 9min + 30s));

    CloudLoss second = after_restart(*memory);
    EXPECT_TRUE(second.due(start_ + 59s).empty());
    const auto orders = second.due(start_ + 60s);
    ASSERT_EQ(orders.size(), devices_);
    (void)second.settled(orders.front(), true, false, start_ + 61s);
    const auto one_done = second.to_note(start_ + 61s);
    ASSERT_TRUE(one_done) << "what was done is noted at once";
    EXPECT_EQ(one_done->done, std::set<std::string>{orders.front().id});

    CloudLoss third = after_restart(*one_done);
    EXPECT_EQ(third.due(start_).size(), devices_ - 1) << "written once";
    third.look(true, start_ + 1s);
    EXPECT_EQ(third.to_note(start_ + 1s), storage::Outage()) << "it is over";
    EXPECT_FALSE(third.to_note(start_ + 2s));
}

TEST_F(CloudLossTest, KeepsItsStateThroughAChangeOfTheSite) {
    const auto orders = loss_.due(start_ + 10min);
    (void)loss_.settled(orders.front(), true, false, start_ + 10min);
    files_.replace("conf.d/10-site.yaml", "unit: 1..3", "unit: 1..4");
    DeviceTable table;
    const SitePtr before = *make_site(*test::Site().load().config, table);
    const SitePtr after = *make_site(*files_.load().config, table, before.get());
    loss_.serve(after);
    EXPECT_EQ(due(11min), 1U) << "the new one; the others are done, or under way";
    for (const Order& order : orders) (void)loss_.settled(order, true, false, start_ + 11min);
    EXPECT_EQ(due(12min), 0U);

    files_.replace("templates/power-meter.yaml", "on_cloud_loss: { after: 10m, set: false }",
                   "on_cloud_loss: { after: 10m, set: true }");
    loss_.serve(*make_site(*files_.load().config, table, after.get()));
    EXPECT_EQ(due(12min), devices_ + 1) << "another value was not written yet";
}

TEST_F(CloudLossTest, WritesNothingAgainWhereARuleIsTakenAwayAndPutBack) {
    const std::string rule = ", on_cloud_loss: { after: 10m, set: false }";
    const auto serve = [&](const std::string& from, const std::string& to) {
        files_.replace("templates/power-meter.yaml", from, to);
        loss_.serve(test::make(*files_.load().config));
    };
    const auto orders = loss_.due(start_ + 10min);
    for (std::size_t i = 1; i < orders.size(); ++i)
        EXPECT_TRUE(loss_.settled(orders[i], true, false, start_ + 10min));
    serve(rule, "");
    EXPECT_EQ(loss_.to_note(start_ + 11min)->done.size(), devices_ - 1)
        << "remembered on disk, too";
    EXPECT_TRUE(loss_.settled(orders[0], true, false, start_ + 11min)) << "was on its way";
    serve("within: 2s", "within: 2s" + rule);
    EXPECT_EQ(due(12min), 0U) << "once in one outage";

    serve("set: false", "set: true");
    settle_all(13min, true);
    serve("set: true", "set: false");
    EXPECT_EQ(due(14min), devices_) << "another value was written meanwhile";
    loss_.look(true, start_ + 15min);
    loss_.look(false, start_ + 16min);
    EXPECT_EQ(due(26min), devices_) << "another outage";
}

// What has the name now was not made safe.
TEST_F(CloudLossTest, WritesToTheHardwareThatTakesTheNameOfAnother) {
    settle_all(10min, true);
    storage::Outage memory = *loss_.to_note(start_ + 10min);
    const auto owed = [&] {
        const SitePtr site = test::make(*files_.load().config);
        CloudLoss second(memory, start_);
        second.serve(site);
        loss_.serve(site);
        const std::size_t now = loss_.due(start_ + 11min).size();
        EXPECT_EQ(second.due(start_).size(), now) << "after a restart, too";
        return now;
    };
    EXPECT_EQ(owed(), 0U);
    files_.replace("conf.d/10-site.yaml", "    unit: 1\n", "    unit: 9\n");
    EXPECT_EQ(owed(), 1U) << "another unit has the name";
    settle_all(11min, true);
    memory = *loss_.to_note(start_ + 11min);
    files_.replace("templates/power-meter.yaml", "at: coil:0,", "at: coil:5,");
    EXPECT_EQ(owed(), devices_) << "another coil has it";
}

TEST_F(CloudLossTest, TakesNoValueOfAnEarlierLifeForWrittenAfterAnother) {
    settle_all(10min, true);
    storage::Outage memory = *loss_.to_note(start_ + 10min);
    files_.replace("templates/power-meter.yaml", "set: false", "set: true");
    CloudLoss second(memory, start_);
    second.serve(test::make(*files_.load().config));
    for (const Order& order : second.due(start_)) (void)second.settled(order, true, false, start_);
    memory = *second.to_note(start_ + 1s);
    EXPECT_EQ(memory.done.size(), devices_);
    EXPECT_EQ(after_restart(memory).due(start_).size(), devices_) << "it holds true";
}

TEST(CloudLossOfASite, WritesToPointsThatAreKeptForIt) {
    const test::Site files;
    files.replace("templates/power-meter.yaml", "max: 63 }",
                  "max: 63, from: [loss], on_cloud_loss: { after: 1s, set: 16 } }");
    const SitePtr site = test::make(*files.load().config);
    CloudLoss loss({}, Instant(1h));
    loss.serve(site);
    EXPECT_EQ(loss.due(Instant(1h) + 1s).size(), site->config.devices.size());
}

TEST_F(CloudLossTest, DoesNotBackOffForAQueueThatIsFull) {
    for (int i = 0; i < 5; ++i) {
        const auto orders = loss_.due(start_ + 10min + 1s * i);
        ASSERT_EQ(orders.size(), devices_) << i;
        for (const Order& order : orders) loss_.not_taken(order, start_ + 10min + 1s * i);
    }
    const auto orders = loss_.due(start_ + 11min);
    EXPECT_TRUE(loss_.settled(orders.front(), false, false, start_ + 11min)) << "the first news";
}

}  // namespace
}  // namespace fieldgate
