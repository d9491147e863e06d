#include "northbound/mqtt/reasons.h"

#include <gtest/gtest.h>

namespace fieldgate::northbound::mqtt {
namespace {

using namespace std::chrono_literals;

TEST(Reasons, AreGoodForTenMinutesAndUntilThereIsALink) {
    Reasons reasons;
    const Reasons::Moment now(100s);
    EXPECT_FALSE(reasons.of("TCP", now));
    reasons.note("TCP", Error(Errc::io, "connection refused"), now);
    EXPECT_EQ(reasons.of("TCP", now + 9min)->what, "connection refused");
    EXPECT_FALSE(reasons.of("TLS", now));
    reasons.note("TLS", Error(Errc::refused, "expired"), now);
    EXPECT_EQ(reasons.of("TCP", now)->what, "connection refused");
    EXPECT_FALSE(reasons.of("TCP", now + 10min));
    reasons.note("TCP", Error(Errc::io, "no route"), now + 10min);
    EXPECT_EQ(reasons.of("TCP", now + 19min)->what, "no route");
    reasons.clear();
    EXPECT_FALSE(reasons.of("TCP", now + 19min));
}

}  // namespace
}  // namespace fieldgate::northbound::mqtt
