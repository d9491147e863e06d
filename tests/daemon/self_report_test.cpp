#include "daemon/self_report.h"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

Template gateway_template() {
    std::vector<Point> points(2);
    points[0].property = "uptime";
    points[1].property = "pending";
    points[1].every = 10s;
    Template tmpl;
    tmpl.protocol = Template::Protocol::self;
    tmpl.every = 60s;
    tmpl.points = std::make_shared<const std::vector<Point>>(std::move(points));
    tmpl.self_values = {SelfValue::uptime, SelfValue::outbox_pending};
    return tmpl;
}

TEST(SelfReport, ReadsEachPointAtItsOwnPeriodAndKeepsThePhase) {
    const Instant start{};
    SelfReport report(gateway_template(), 7, start);
    Status status;
    status.uptime = 60s;
    status.store.books.pending = 4;
    EXPECT_EQ(report.next_due(), start + 10s);
    EXPECT_TRUE(report.due(start + 9s, status).values.empty());

    const Readings early =
        report.due(start + 25s, status);  // late by a period: one reading, not two
    EXPECT_EQ(early.device, 7u);
    ASSERT_EQ(early.values.size(), 1u);
    EXPECT_EQ(early.values[0], (Reading{1, std::int64_t{4}}));
    EXPECT_EQ(report.next_due(), start + 30s);

    const Readings both = report.due(start + 60s, status);
    ASSERT_EQ(both.values.size(), 2u);
    EXPECT_EQ(both.values[0], (Reading{0, std::int64_t{60}}));
}

}  // namespace
}  // namespace fieldgate
