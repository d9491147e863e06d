#include "model/mapping.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace fieldgate {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr Utc built = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
constexpr Utc noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 12h;
constexpr Instant start = Instant() + 1h;

Point point(const char* service, const char* property) {
    Point p;
    p.service = service;
    p.property = property;
    return p;
}

// Two meters of one template: voltage, current, overload (alarm) of Electrical, energy of Counters.
class MappingTest : public testing::Test {
protected:
    MappingTest() {
        points = {point("Electrical", "voltage"), point("Electrical", "current"),
                  point("Electrical", "overload"), point("Counters", "energy")};
        points[2].priority = Priority::alarm;
        clock.observe(start, noon, true);
    }
    // With the points as the test has left them.
    Mapping mapping() {
        const auto shared = std::make_shared<const std::vector<Point>>(points);
        Mapping mapping(series);
        mapping.put(0, {"meter-1", "p_1", shared});
        mapping.put(1, {"meter-2", "p_2", shared});
        return mapping;
    }
    static Readings answer(milliseconds after, std::vector<Reading> values,
                           DeviceIndex device = 0) {
        Readings readings;
        readings.device = device;
        readings.at = start + after;
        readings.values = std::move(values);
        return readings;
    }
    std::vector<Record> map(Mapping& mapping, const Readings& readings) const {
        std::vector<Record> out;
        mapping.map(readings, clock, out);
        return out;
    }

    std::vector<Point> points;
    SeriesTable series;
    EventClock clock{built};
};

TEST_F(MappingTest, MakesOneRecordPerServiceAndAnswer) {
    Mapping m = mapping();
    const auto records = map(
        m,
        answer(1234ms, {{0, Decimal{2314, 1}}, {3, std::uint64_t{123456789012}}, {1, 12.08F}}, 1));
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].properties, R"({"voltage":231.4,"current":12.08})");
    EXPECT_EQ(records[1].properties, R"({"energy":123456789012})");
    EXPECT_EQ(series[records[0].series].device_id, "p_2");
    EXPECT_EQ(series[records[0].series].service_id, "Electrical");
    EXPECT_EQ(series[records[1].series].service_id, "Counters");
    for (const Record& record : records) {
        EXPECT_EQ(record.at, noon + 1234ms);
        EXPECT_EQ(record.since_boot, 1h + 1234ms);
        EXPECT_TRUE(record.proven);
        EXPECT_EQ(record.priority, Priority::normal);
    }
    EXPECT_EQ(m.counters().readings, 3U);
}

TEST_F(MappingTest, AppendsBehindTheRecordsThatAreThere) {
    Mapping m = mapping();
    std::vector<Record> out;
    m.map(answer(1s, {{0, true}}, 0), clock, out);
    m.map(answer(1s, {{0, false}}, 1), clock, out);
    m.map(answer(2s, {}, 1), clock, out);
    ASSERT_EQ(out.size(), 2U);
    EXPECT_EQ(out[0].properties, R"({"voltage":true})");
    EXPECT_EQ(out[1].properties, R"({"voltage":false})");
    EXPECT_NE(out[0].series, out[1].series);
}

TEST_F(MappingTest, WritesNamesAsJson) {
    points[0].property = "a\"b";
    Mapping m = mapping();
    EXPECT_EQ(map(m, answer(1s, {{0, std::string("\n")}})).at(0).properties, R"({"a\"b":"\n"})");
}

TEST_F(MappingTest, ARecordWithAnAlarmPointIsAnAlarm) {
    Mapping m = mapping();
    const auto records = map(m, answer(1s, {{0, true}, {2, false}, {3, true}}));
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].priority, Priority::alarm);
    EXPECT_EQ(records[1].priority, Priority::normal);
}

TEST_F(MappingTest, AnAlarmPointThatIsNotSentMakesNoAlarm) {
    points[2].report.change = ReportRule::Change::any;
    Mapping m = mapping();
    EXPECT_EQ(map(m, answer(1s, {{0, true}, {2, false}})).at(0).priority, Priority::alarm);
    EXPECT_EQ(map(m, answer(2s, {{0, true}, {2, false}})).at(0).priority, Priority::normal);
}

TEST_F(MappingTest, ThinsByTheReportRule) {
    points[0].report.change = ReportRule::Change::absolute;
    points[0].report.amount = Decimal{5, 1};
    points[0].report.max = 10s;
    Mapping m = mapping();
    EXPECT_EQ(map(m, answer(1s, {{0, Decimal{2310, 1}}})).size(), 1U);
    EXPECT_EQ(map(m, answer(2s, {{0, Decimal{2313, 1}}})).size(), 0U);
    EXPECT_EQ(map(m, answer(3s, {{0, Decimal{2314, 1}}})).size(), 0U);
    // 0.4 from the one before, 0.5 from the one sent.
    EXPECT_EQ(map(m, answer(4s, {{0, Decimal{2315, 1}}})).size(), 1U);
    EXPECT_EQ(map(m, answer(13s, {{0, Decimal{2315, 1}}})).size(), 0U);
    EXPECT_EQ(map(m, answer(14s, {{0, Decimal{2315, 1}}})).size(), 1U);
    EXPECT_EQ(m.counters().thinned, 3U);
    EXPECT_EQ(m.counters().readings, 6U);
    EXPECT_EQ(map(m, answer(15s, {{0, Decimal{2315, 1}}}, 1)).size(), 1U);  // another device
}

TEST_F(MappingTest, AfterARefreshEveryPointIsSentOnce) {
    points[0].report.change = ReportRule::Change::any;
    points[0].report.min = 1h;
    Mapping m = mapping();
    map(m, answer(1s, {{0, true}}));
    EXPECT_EQ(map(m, answer(2s, {{0, true}})).size(), 0U);
    m.refresh();
    EXPECT_EQ(map(m, answer(3s, {{0, true}})).size(), 1U);
    EXPECT_EQ(map(m, answer(4s, {{0, true}})).size(), 0U);
}

TEST_F(MappingTest, ComparesWhatWouldBeSent) {
    PropertyModel model;
    model.type = DataType::decimal;
    model.step = Decimal{1, 0};
    points[0].model = model;
    points[0].report.change = ReportRule::Change::any;
    Mapping m = mapping();
    EXPECT_EQ(map(m, answer(1s, {{0, Decimal{2311, 1}}})).at(0).properties, R"({"voltage":231})");
    EXPECT_EQ(map(m, answer(2s, {{0, Decimal{2313, 1}}})).size(), 0U);
    EXPECT_EQ(map(m, answer(3s, {{0, Decimal{2316, 1}}})).at(0).properties, R"({"voltage":232})");
}

TEST_F(MappingTest, WhatDoesNotFitIsCountedAndLoggedAtTheTransition) {
    PropertyModel model;
    model.type = DataType::decimal;
    model.max = Decimal{500, 0};
    points[0].model = model;
    Mapping m = mapping();
    testing::internal::CaptureStderr();
    map(m, answer(1s, {{0, std::int64_t{230}}}));
    EXPECT_EQ(map(m, answer(2s, {{0, std::int64_t{501}}})).size(), 0U);
    EXPECT_EQ(map(m, answer(3s, {{0, std::int64_t{502}}, {1, true}})).at(0).properties,
              R"({"current":true})");
    map(m, answer(4s, {{0, std::int64_t{231}}}));
    map(m, answer(5s, {{0, std::int64_t{232}}}));
    const std::string lines = testing::internal::GetCapturedStderr();

    EXPECT_EQ(m.counters().not_fitting, 2U);
    EXPECT_EQ(m.counters().readings, 6U);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2) << lines;
    EXPECT_NE(lines.find("<4>"), std::string::npos) << lines;
    for (const char* part :
         {"device=meter-1", "service=Electrical", "property=voltage", "value=501", "value=231"})
        EXPECT_NE(lines.find(part), std::string::npos) << lines;
    EXPECT_EQ(lines.find("502"), std::string::npos) << lines;
}

TEST_F(MappingTest, TwoAnswersInOneMillisecondAreTwoMoments) {
    Mapping m = mapping();
    const auto a = map(m, answer(1s, {{0, true}}));
    const auto b = map(m, answer(1s, {{1, true}, {3, true}}));
    EXPECT_EQ(a.at(0).at, noon + 1s);
    EXPECT_EQ(b.at(0).at, noon + 1s + 1ms);
    EXPECT_EQ(b.at(0).since_boot, a.at(0).since_boot + 1ms);
    EXPECT_EQ(b.at(1).at, noon + 1s);                                // another series
    EXPECT_EQ(map(m, answer(2s, {{0, true}})).at(0).at, noon + 2s);  // and on time again
}

TEST_F(MappingTest, StaysInOrderWhenTheClockIsProvenWrong) {
    Mapping m = mapping();
    const auto a = map(m, answer(1s, {{0, true}}));
    ASSERT_FALSE(clock.prove(start + 2s, noon - 30s));
    const auto b = map(m, answer(3s, {{0, true}}));
    const auto c = map(m, answer(4s, {{0, true}}));
    EXPECT_EQ(b.at(0).at, a.at(0).at + 1ms);
    EXPECT_EQ(c.at(0).at, a.at(0).at + 2ms);
}

TEST_F(MappingTest, IsNotHeldUpByAClockThatWasAnHourFast) {
    Mapping m = mapping();
    const auto a = map(m, answer(1s, {{0, true}}));
    ASSERT_FALSE(clock.prove(start + 2s, noon - 1h));
    const auto b = map(m, answer(3s, {{0, true}}));
    const auto c = map(m, answer(3s, {{0, true}}));
    EXPECT_EQ(b.at(0).at, noon - 1h + 1s);
    EXPECT_EQ(c.at(0).at, b.at(0).at + 1ms);
    EXPECT_GT(b.at(0).since_boot, a.at(0).since_boot);
}

TEST_F(MappingTest, TheFirstProofIsNotHeldBackByAWrongGuess) {
    EventClock guess(built);
    guess.observe(start, noon + 24h * 365, false);  // a battery that was set to next year
    Mapping m = mapping();
    std::vector<Record> out;
    m.map(answer(1s, {{0, true}}), guess, out);
    ASSERT_TRUE(guess.prove(start + 2s, noon + 2s));
    m.map(answer(3s, {{0, true}}), guess, out);
    ASSERT_EQ(out.size(), 2U);
    EXPECT_FALSE(out[0].proven);
    EXPECT_TRUE(out[1].proven);
    EXPECT_EQ(out[1].at, noon + 3s);
    EXPECT_EQ(Utc(guess.offset() + out[0].since_boot), noon + 1s);
}

// Answers of two devices at random, some in one millisecond, some late, while somebody turns the
// clock and the platform sets it right.
TEST_F(MappingTest, TimesRiseStrictlyWhateverTheClockDoes) {
    std::mt19937_64 random(20261122);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    for (const bool proven_first : {true, false}) {
        EventClock turned(built);
        if (proven_first)
            turned.observe(start, noon, true);
        else
            turned.observe(start, noon, false);
        Mapping m = mapping();
        std::map<SeriesId, Record> last;
        std::set<std::string> moments;
        milliseconds now{0};
        milliseconds system{0};
        std::vector<Record> out;
        std::size_t records = 0;
        for (int i = 0; i < 100'000; ++i) {
            now += milliseconds(below(4) == 0 ? below(50) : 0);
            if (below(100) == 0) system = milliseconds(below(40'000)) - 20s;
            if (below(10) == 0)
                turned.observe(start + now, noon + now + system, below(50) == 0 && turned.proven());
            if (below(1000) == 0 && turned.proven())
                turned.prove(start + now, noon + now + milliseconds(below(20'000)) - 10s);
            const milliseconds late(below(10) == 0 ? below(20) : 0);
            out.clear();
            m.map(answer(now - late, {{0, true}, {static_cast<PointIndex>(1 + below(3)), false}},
                         static_cast<DeviceIndex>(below(2))),
                  turned, out);
            for (const Record& record : out) {
                ++records;
                const auto before = last.find(record.series);
                if (before != last.end()) {
                    ASSERT_GT(record.at, before->second.at);
                    ASSERT_GT(record.since_boot, before->second.since_boot);
                }
                last[record.series] = record;
                std::string time = std::to_string(record.series) + " ";
                append_event_time(time, record.at);
                ASSERT_TRUE(moments.insert(time).second) << time;
            }
        }
        EXPECT_GT(records, 100'000U);
        if (proven_first) continue;
        // The proof: what was stamped by guess is earlier than what follows, and in order.
        ASSERT_TRUE(turned.prove(start + now, noon + now));
        out.clear();
        m.map(answer(now, {{0, true}}), turned, out);
        ASSERT_EQ(out.size(), 1U);
        EXPECT_GT(out[0].at, Utc(turned.offset() + last.at(out[0].series).since_boot));
    }
}

using MappingDeathTest = MappingTest;

TEST_F(MappingDeathTest, RefusesReadingsOfPointsThatAreNotThere) {
    Mapping m = mapping();
    EXPECT_DEATH(map(m, answer(1s, {{4, true}})), "a point that is mapped");
}

TEST_F(MappingTest, TimesOfASeriesRiseWhateverComesAndGoes) {
    Mapping m = mapping();
    const auto only_voltage =
        std::make_shared<const std::vector<Point>>(1, point("Electrical", "voltage"));
    Utc last = map(m, answer(0ms, {{0, Value(1)}})).at(0).at;
    for (std::uint64_t edition = 2; edition < 6; ++edition) {
        m.put(DeviceRef(0, edition), {"meter-1", "p_1", only_voltage});
        Readings same_moment = answer(0ms, {{0, Value(2)}});
        same_moment.device.edition = edition;
        const auto records = map(m, same_moment);
        ASSERT_EQ(records.size(), 1u);
        EXPECT_GT(records[0].at, last);
        last = records[0].at;
        m.drop(0);
        EXPECT_TRUE(map(m, same_moment).empty());
    }
    // Another device has the id and the times of the one that went.
    m.put(DeviceRef(7, 1), {"meter-8", "p_1", only_voltage});
    Readings other = answer(0ms, {{0, Value(3)}}, 7);
    other.device.edition = 1;
    EXPECT_GT(map(m, other).at(0).at, last);
}

TEST_F(MappingTest, ReadingsOfAnotherEditionAreNoRecords) {
    Mapping m = mapping();
    m.put(DeviceRef(0, 1),
          {"meter-1", "p_1",
           std::make_shared<const std::vector<Point>>(1, point("Electrical", "somethingElse"))});
    EXPECT_TRUE(map(m, answer(0ms, {{0, Value(1)}})).empty());
    EXPECT_TRUE(map(m, answer(0ms, {{3, Value(1)}})).empty());
    m.refresh(DeviceRef(0, 0), 3);
    EXPECT_TRUE(map(m, answer(0ms, {{0, Value(1)}}, 99)).empty());
    EXPECT_EQ(m.counters().readings, 0u);
}

}  // namespace
}  // namespace fieldgate
