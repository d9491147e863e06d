#include "northbound/parcel.h"

#include <gtest/gtest.h>

#include <deque>
#include <iostream>
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
    PayloadLimit sizes{1 << 20};
};

TEST_F(ParcelTest, IsWrittenAsThePlatformReadsABatchReport) {
    const SeriesId energy = series.intern("meter", "Energy");
    const SeriesId state = series.intern("meter", "State");
    const SeriesId other = series.intern("other \"1\"", "Energy");
    Parcel parcel(limits, sizes, series, gateway);
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
    Parcel parcel(limits, sizes, series, gateway);
    EXPECT_EQ(parcel.add(record(own, moment)), Fit::taken);
    EXPECT_EQ(parcel.add(record(sub, moment)), Fit::full);
    EXPECT_TRUE(parcel.own());
    EXPECT_EQ(
        iotda::encode(parcel),
        R"({"services":[)"
        R"({"service_id":"Health","properties":{"u":1},"event_time":"2026-11-22T20:00:00.123Z"}]})");

    Parcel batch(limits, sizes, series, gateway);
    EXPECT_EQ(batch.add(record(sub, moment)), Fit::taken);
    EXPECT_EQ(batch.add(record(own, moment)), Fit::full);
}

TEST_F(ParcelTest, TakesNoTimeThatDoesNotRise) {
    const SeriesId energy = series.intern("meter", "Energy");
    Parcel parcel(limits, sizes, series, gateway);
    EXPECT_EQ(parcel.add(record(energy, moment)), Fit::taken);
    EXPECT_EQ(parcel.add(record(energy, moment)), Fit::full);
    EXPECT_EQ(parcel.add(record(energy, moment - 1ms)), Fit::full);
    EXPECT_EQ(parcel.add(record(energy, moment + 1ms)), Fit::taken);
    EXPECT_EQ(parcel.records(), 2U);
}

TEST_F(ParcelTest, KeepsTheLimitOfEntriesPerService) {
    limits.history = 1;
    const SeriesId energy = series.intern("meter", "Energy");
    Parcel parcel(limits, sizes, series, gateway);
    EXPECT_EQ(parcel.add(record(energy, moment)), Fit::taken);
    EXPECT_EQ(parcel.add(record(energy, moment + 1s)), Fit::full);
}

TEST_F(ParcelTest, RefusesWhatNoParcelCanCarry) {
    const SeriesId energy = series.intern("meter", "Energy");
    std::string huge = R"({"text":")" + std::string(limits.payload_bytes, 'x') + R"("})";
    Parcel parcel(limits, sizes, series, gateway);
    EXPECT_EQ(parcel.add(record(energy, moment, huge)), Fit::never);
    EXPECT_TRUE(parcel.empty());
    EXPECT_EQ(parcel.add(record(energy, moment)), Fit::taken);
}

TEST_F(ParcelTest, GivesASingleRecordAllOfThePayload) {
    const SeriesId energy = series.intern("meter", "Energy");
    limits.bytes_per_second = 2000;  // comfortable: far less
    Parcel empty(limits, sizes, series, gateway);
    ASSERT_EQ(empty.add(record(energy, moment, "{}")), Fit::taken);
    const std::size_t frame = empty.payload_bytes() - 2;
    for (const std::size_t over : {0U, 1U}) {
        std::string text(limits.payload_bytes - frame - 8 + over, 'x');
        Parcel parcel(limits, sizes, series, gateway);
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

/// What has left, and when: no second, wherever it begins, may hold more than is configured.
class Toll {
public:
    explicit Toll(const Limits& limits) : limits_(limits) {}

    void pass(std::size_t bytes, Instant at) {
        while (!second_.empty() && second_.front().first + 1s <= at) {
            sum_ -= second_.front().second;
            second_.pop_front();
        }
        second_.emplace_back(at, bytes);
        sum_ += bytes;
        EXPECT_LE(static_cast<double>(second_.size()), std::max(1.0, limits_.messages_per_second));
        // Only a message that is more than a second's worth may exceed it, and goes alone.
        EXPECT_TRUE(static_cast<double>(sum_) <= limits_.bytes_per_second || second_.size() == 1)
            << sum_;
    }

private:
    const Limits& limits_;
    std::deque<std::pair<Instant, std::size_t>> second_;
    std::size_t sum_ = 0;
};

// As they leave: parcels of whatever is offered, as fast as the pacer lets them, topic and all.
TEST_F(ParcelTest, KeepsEveryLimitOverRandomMixes) {
    std::mt19937 random(43);
    std::vector<SeriesId> all;
    for (int device = 0; device < 150; ++device)
        for (const char* service : {"Energy", "State", "Ünïcode\n\"service\""})
            all.push_back(series.intern("device-" + std::to_string(device), service));
    all.push_back(series.intern(gateway, "Health"));
    std::vector<Utc> clock(all.size(), moment);
    Instant now(1h);
    std::size_t records = 0;
    std::size_t parcels = 0;
    while (records < 100'000) {
        Limits mix;
        mix.payload_bytes = 600 + random() % 61000;
        mix.sub_devices = 1 + random() % 120;
        mix.history = random() % 3 == 0 ? 1 + random() % 4 : SIZE_MAX;
        mix.messages_per_second = Limits::unlimited;
        mix.bytes_per_second = Limits::unlimited;
        if (random() % 4 != 0)
            mix.messages_per_second = static_cast<double>(1 + random() % 100) / 2;
        if (random() % 4 != 0)
            mix.bytes_per_second = static_cast<double>(1000 + random() % 200'000);
        limits = mix;
        limits.payload_bytes = comfortable_payload(mix);  // as the gateway cuts them
        Pacer pacer(mix);
        Toll toll(mix);
        for (int i = 0; i < 60; ++i, ++parcels) {
            Parcel parcel(limits, sizes, series, gateway);
            const std::size_t reach = 1 + random() % all.size();
            for (Fit fit = Fit::taken; fit != Fit::full; ++records) {
                const std::size_t one = all.size() - reach + random() % reach;
                clock[one] += std::chrono::milliseconds(random() % 5);
                const std::string filler(random() % (random() % 20 == 0 ? 3000 : 100), 'v');
                fit = parcel.add(record(all[one], clock[one], R"({"v":")" + filler + R"("})"));
                EXPECT_TRUE(fit != Fit::never || filler.size() + 250 > limits.payload_bytes);
            }
            if (parcel.empty()) continue;
            check(parcel, mix);
            now += std::chrono::microseconds(random() % 30'000);
            const std::size_t bytes = parcel.payload_bytes() + 60 + random() % 60;
            now = pacer.ready_at(bytes, now);
            pacer.take(bytes, now);
            toll.pass(bytes, now);
            if (HasFailure()) return;
        }
    }
    std::cout << "figure: " << records << " random records in " << parcels
              << " parcels: every limit of a message and of a second kept\n";
}

TEST_F(ParcelTest, FillsUpToTheLimitBeforeItIsFull) {
    limits.bytes_per_second = Limits::unlimited;
    Parcel parcel(limits, sizes, series, gateway);
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
    auto parcel = std::make_unique<Parcel>(limits, sizes, series, gateway);
    for (int i = 0; i < 10'000; ++i) {
        one.series = all[static_cast<std::size_t>(i) % all.size()];
        one.at += 1ms;
        if (parcel->add(one) == Fit::taken) continue;
        bytes += iotda::encode(*parcel).size();
        parcel = std::make_unique<Parcel>(limits, sizes, series, gateway);
        ASSERT_EQ(parcel->add(one), Fit::taken);
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    RecordProperty("milliseconds", std::to_string(took.count()));
    EXPECT_GT(bytes, 11'000'000U);
}

}  // namespace
}  // namespace fieldgate::northbound
