#include "northbound/parcel.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "base/json.h"
#include "northbound/iotda/payload.h"
#include "northbound/pacer.h"

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;

const std::string gateway = "64f0a1b2c3d4e5f607182930_GW-0001";
constexpr Utc moment = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 20h + 123ms;

Record record(SeriesId series, Utc at, std::string properties = R"({"u":1})") {
    Record record;
    record.series = series;
    record.at = at;
    record.properties = std::move(properties);
    return record;
}

class ParcelTest : public ::testing::Test {
protected:
    SeriesTable series;
    Limits limits;
};

TEST_F(ParcelTest, IsWrittenAsThePlatformReadsABatchReport) {
    const SeriesId energy = series.intern("meter", "Energy");
    const SeriesId state = series.intern("meter", "State");
    const SeriesId other = series.intern("other \"1\"", "Energy");
    Parcel parcel(limits, series, gateway);
    EXPECT_EQ(parcel.add(record(energy, moment)), Fit::taken);
    EXPECT_EQ(parcel.add(record(other, moment)), Fit::taken);
    EXPECT_EQ(parcel.add(record(state, moment)), Fit::taken);
    EXPECT_EQ(parcel.add(record(energy, moment + 1s, R"({"u":2})")), Fit::taken);

    EXPECT_FALSE(parcel.own());
    EXPECT_EQ(
        iotda::encode(parcel),
        R"({"devices":[{"device_id":"meter","services":[)"
        R"({"service_id":"Energy","properties":{"u":1},"event_time":"2026-11-22T20:00:00.123Z"},)"
        R"({"service_id":"State","properties":{"u":1},"event_time":"2026-11-22T20:00:00.123Z"},)"
        R"({"service_id":"Energy","properties":{"u":2},"event_time":"2026-11-22T20:00:01.123Z"}]},)"
        R"({"device_id":"other \"1\"","services":[)"
        R"({"service_id":"Energy","properties":{"u":1},"event_time":"2026-11-22T20:00:00.123Z"}]}]})");
}

TEST_F(ParcelTest, CarriesTheGatewaysOwnRecordsAlone) {
    const SeriesId own = series.intern(gateway, "Health");
    const SeriesId sub = series.intern("meter", "Energy");
    Parcel parcel(limits, series, gateway);
    EXPECT_EQ(parcel.add(record(own, moment)), Fit::taken);
    EXPECT_EQ(parcel.add(record(sub, moment)), Fit::full);
    EXPECT_TRUE(parcel.own());
    EXPECT_EQ(
        iotda::encode(parcel),
        R"({"services":[)"
        R"({"service_id":"Health","properties":{"u":1},"event_time":"2026-11-22T20:00:00.123Z"}]})");

    Parcel batch(limits, series, gateway);
    EXPECT_EQ(batch.add(record(sub, moment)), Fit::taken);
    EXPECT_EQ(batch.add(record(own, moment)), Fit::full);
}

TEST_F(ParcelTest, TakesNoTimeThatDoesNotRise) {
    const SeriesId energy = series.intern("meter", "Energy");
    Parcel parcel(limits, series, gateway);
    EXPECT_EQ(parcel.add(record(energy, moment)), Fit::taken);
    EXPECT_EQ(parcel.add(record(energy, moment)), Fit::full);
    EXPECT_EQ(parcel.add(record(energy, moment - 1ms)), Fit::full);
    EXPECT_EQ(parcel.add(record(energy, moment + 1ms)), Fit::taken);
    EXPECT_EQ(parcel.records(), 2U);
}

TEST_F(ParcelTest, KeepsTheLimitOfEntriesPerService) {
    limits.history = 1;
    const SeriesId energy = series.intern("meter", "Energy");
    Parcel parcel(limits, series, gateway);
    EXPECT_EQ(parcel.add(record(energy, moment)), Fit::taken);
    EXPECT_EQ(parcel.add(record(energy, moment + 1s)), Fit::full);
}

TEST_F(ParcelTest, RefusesWhatNoParcelCanCarry) {
    const SeriesId energy = series.intern("meter", "Energy");
    std::string huge = R"({"text":")" + std::string(limits.payload_bytes, 'x') + R"("})";
    Parcel parcel(limits, series, gateway);
    EXPECT_EQ(parcel.add(record(energy, moment, huge)), Fit::never);
    EXPECT_TRUE(parcel.empty());
    EXPECT_EQ(parcel.add(record(energy, moment)), Fit::taken);
}

TEST_F(ParcelTest, GivesASingleRecordAllOfThePayload) {
    const SeriesId energy = series.intern("meter", "Energy");
    limits.bytes_per_second = 2000;  // comfortable: far less
    Parcel empty(limits, series, gateway);
    ASSERT_EQ(empty.add(record(energy, moment, "{}")), Fit::taken);
    const std::size_t frame = empty.payload_bytes() - 2;
    for (const std::size_t over : {0U, 1U}) {
        std::string text(limits.payload_bytes - frame - 8 + over, 'x');
        Parcel parcel(limits, series, gateway);
        EXPECT_EQ(parcel.add(record(energy, moment, R"({"t":")" + text + R"("})")),
                  over == 0 ? Fit::taken : Fit::never);
    }
}

bool well_formed(std::string_view event_time) {
    constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd.dddZ";
    return std::equal(event_time.begin(), event_time.end(), form.begin(), form.end(),
                      [](char c, char f) { return f == 'd' ? c >= '0' && c <= '9' : c == f; });
}

// What one parcel of a random mix must be, checked on its text.
void check(const Parcel& parcel, const Limits& limits) {
    const std::string text = iotda::encode(parcel);
    ASSERT_EQ(text.size(), parcel.payload_bytes());
    ASSERT_LE(text.size(), limits.payload_bytes);
    const auto json = json::parse(text);
    ASSERT_TRUE(json) << json.error().what;
    const json::Value* devices = json->find("devices");
    std::vector<const json::Value*> lists;
    if (parcel.own()) {
        lists.push_back(json->find("services"));
    } else {
        ASSERT_LE(devices->array()->size(), std::min<std::size_t>(100, limits.sub_devices));
        std::set<std::string> ids;
        for (const json::Value& device : *devices->array()) {
            ASSERT_TRUE(ids.insert(*device.find("device_id")->string()).second);
            lists.push_back(device.find("services"));
        }
    }
    std::size_t records = 0;
    for (const json::Value* list : lists) {
        std::map<std::string, std::pair<std::string, std::size_t>> last;
        for (const json::Value& entry : *list->array()) {
            ++records;
            ASSERT_TRUE(entry.find("properties")->object());
            const std::string at = *entry.find("event_time")->string();
            ASSERT_TRUE(well_formed(at)) << at;
            auto& [previous, count] = last[*entry.find("service_id")->string()];
            ASSERT_LT(previous, at);
            previous = at;
            ASSERT_LE(++count, limits.history);
        }
    }
    ASSERT_EQ(records, parcel.records());
}

TEST_F(ParcelTest, KeepsEveryLimitOverRandomMixes) {
    std::mt19937 random(42);
    std::vector<SeriesId> all;
    for (int device = 0; device < 150; ++device)
        for (const char* service : {"Energy", "State", "Ünïcode\n\"service\""})
            all.push_back(series.intern("device-" + std::to_string(device), service));
    all.push_back(series.intern(gateway, "Health"));
    std::vector<Utc> clock(all.size(), moment);
    std::size_t offered = 0;
    for (int round = 0; offered < 100'000; ++round) {
        limits.payload_bytes = 600 + random() % 61000;
        limits.sub_devices = 1 + random() % 120;
        limits.history = random() % 3 == 0 ? 1 + random() % 4 : SIZE_MAX;
        limits.bytes_per_second = random() % 2 == 0 ? Limits::unlimited : 100 * 1024;
        const std::size_t reach = 1 + random() % all.size();
        Parcel parcel(limits, series, gateway);
        Fit fit = Fit::taken;
        while (fit != Fit::full) {
            const std::size_t i = all.size() - reach + random() % reach;
            clock[i] += std::chrono::milliseconds(random() % 5);
            std::string filler(random() % (random() % 20 == 0 ? 3000 : 100), 'v');
            fit = parcel.add(record(all[i], clock[i], R"({"v":")" + filler + R"("})"));
            ++offered;
            if (fit == Fit::never) {
                EXPECT_GT(filler.size() + 250, limits.payload_bytes);
            }
        }
        if (!parcel.empty()) check(parcel, limits);
        if (HasFatalFailure()) return;
    }
}

TEST_F(ParcelTest, FillsUpToTheLimitBeforeItIsFull) {
    limits.bytes_per_second = Limits::unlimited;
    Parcel parcel(limits, series, gateway);
    Utc at = moment;
    const SeriesId energy = series.intern("meter", "Energy");
    while (parcel.add(record(energy, at)) == Fit::taken) at += 1s;
    EXPECT_GT(parcel.payload_bytes(), limits.payload_bytes - 100);
}

TEST_F(ParcelTest, TakesTenThousandRecordsASecond) {
    std::vector<SeriesId> all;
    for (int device = 0; device < 100; ++device)
        all.push_back(series.intern("64f0a1b2c3d4e5f607182930_M-" + std::to_string(device), "E"));
    Record one = record(0, moment, R"({"v":")" + std::string(1200, 'v') + R"("})");
    limits.bytes_per_second = Limits::unlimited;
    std::size_t bytes = 0;
    const auto start = std::chrono::steady_clock::now();
    auto parcel = std::make_unique<Parcel>(limits, series, gateway);
    for (int i = 0; i < 10'000; ++i) {
        one.series = all[static_cast<std::size_t>(i) % all.size()];
        one.at += 1ms;
        if (parcel->add(one) == Fit::taken) continue;
        bytes += iotda::encode(*parcel).size();
        parcel = std::make_unique<Parcel>(limits, series, gateway);
        ASSERT_EQ(parcel->add(one), Fit::taken);
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    RecordProperty("milliseconds", std::to_string(took.count()));
    EXPECT_GT(bytes, 11'000'000U);
}

}  // namespace
}  // namespace fieldgate::northbound
