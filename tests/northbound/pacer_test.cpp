#include "northbound/pacer.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;

Limits limits(double messages, double bytes) {
    Limits limits;
    limits.messages_per_second = messages;
    limits.bytes_per_second = bytes;
    return limits;
}

TEST(Pacer, NeverLetsMoreThanConfiguredOutInAnySecond) {
    std::mt19937 chance(1);
    for (const auto& limit : {limits(45, 100 * 1024), limits(1, 1e6), limits(0.5, 2000),
                              limits(50, Limits::unlimited), limits(Limits::unlimited, 70000)}) {
        Pacer pacer(limit);
        Instant now(1h);
        struct Sent {
            Instant at;
            double bytes;
        };
        std::deque<Sent> second;
        double sum = 0;
        for (int i = 0; i < 20000; ++i) {
            now += std::chrono::microseconds(chance() % 40000);
            const std::size_t bytes = 100 + chance() % (i % 10 == 0 ? 61440 : 2000);
            now = pacer.ready_at(bytes, now);
            ASSERT_EQ(pacer.ready_at(bytes, now), now);
            pacer.take(bytes, now);
            while (!second.empty() && second.front().at + 1s <= now) {
                sum -= second.front().bytes;
                second.pop_front();
            }
            second.push_back({now, static_cast<double>(bytes)});
            sum += static_cast<double>(bytes);
            ASSERT_LE(static_cast<double>(second.size()), std::max(1.0, limit.messages_per_second));
            ASSERT_TRUE(sum <= limit.bytes_per_second || second.size() == 1) << sum;
        }
    }
}

TEST(Pacer, UsesNearlyAllThatIsConfigured) {
    const Limits limit = limits(Limits::unlimited, 100 * 1024);
    Pacer pacer(limit);
    const Instant start(1h);
    Instant now = start;
    double sum = 0;
    while (now < start + 100s) {
        const std::size_t bytes = comfortable_payload(limit) + 100;
        now = pacer.ready_at(bytes, now);
        pacer.take(bytes, now);
        sum += static_cast<double>(bytes);
    }
    EXPECT_GE(sum / 100, 0.95 * limit.bytes_per_second);
}

TEST(Pacer, HoldsTheLongRunAverageOfMessagesLargerThanASecond) {
    Pacer pacer(limits(45, 8000));
    const Instant start(1h);
    Instant now = start;
    for (int i = 0; i < 100; ++i) {
        now = pacer.ready_at(60000, now);
        pacer.take(60000, now);
    }
    EXPECT_GE(now - start, 99 * 7500ms);
}

TEST(Pacer, NeverWaitsWhenUnlimited) {
    Pacer pacer(limits(Limits::unlimited, Limits::unlimited));
    const Instant now(1h);
    for (int i = 0; i < 100000; ++i) {
        ASSERT_EQ(pacer.ready_at(60000, now), now);
        pacer.take(60000, now);
    }
}

TEST(ComfortablePayload, StaysUnderTheLimitAndNeverStarves) {
    for (const double bytes : {10.0, 1000.0, 8000.0, 61000.0, 62000.0, 100.0 * 1024, 1e7}) {
        const std::size_t size = comfortable_payload(limits(45, bytes));
        EXPECT_LE(size, Limits().payload_bytes);
        EXPECT_GE(size, 1024U);
    }
    EXPECT_EQ(comfortable_payload(limits(45, Limits::unlimited)), Limits().payload_bytes);
}

}  // namespace
}  // namespace fieldgate::northbound
