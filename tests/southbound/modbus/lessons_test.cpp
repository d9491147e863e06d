#include "southbound/modbus/lessons.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "southbound/modbus/plan.h"

namespace fieldgate::southbound::modbus {
namespace {

using namespace std::chrono_literals;

Lessons some_lessons() {
    Lessons lessons;
    lessons.refused = {{Table::holding, 32018, 32063, 2, 3}, {Table::coil, 7, 7, 0, 1}};
    lessons.longest = {{Table::input, 62}};
    lessons.edges = {{Table::holding, 40}};
    return lessons;
}

std::string json_of(const Lessons& lessons) {
    std::string text;
    json::Writer out(text);
    write_json(out, lessons);
    return text;
}

DeviceSettings a_device(RegisterMap map) {
    DeviceSettings settings;
    settings.unit = 5;
    settings.every.assign(map.fields.size(), 1s);
    settings.map = std::make_shared<const RegisterMap>(std::move(map));
    return settings;
}

RegisterMap registers_at(const std::set<std::uint16_t>& addresses) {
    RegisterMap map;
    for (const std::uint16_t address : addresses) {
        Field field;
        field.address = address;
        map.fields.push_back(field);
    }
    return map;
}

/// A device with holes that gives so many registers at once.
struct Strange {
    std::set<std::uint16_t> holes;
    unsigned longest = 125;

    int ask(const Scan& scan) const {
        if (scan.count > longest) return 3;
        for (unsigned i = scan.first; i < scan.first + 0U + scan.count; ++i)
            if (holes.contains(static_cast<std::uint16_t>(i))) return 2;
        return 0;
    }
    /// Until a round passes without a refusal but by retries; false: it does not end.
    bool teach_all(DevicePlan& plan) const {
        for (int round = 0; round < 500; ++round) {
            bool changed = false;
            for (std::size_t i = 0; i < plan.scans().size() && !changed; ++i) {
                if (plan.scans()[i].retry) continue;
                const int code = ask(plan.scans()[i]);
                changed = code == 0 ? plan.answered(i) : plan.refused(i, code);
            }
            if (!changed && !plan.searching()) return true;
        }
        return false;
    }
    std::size_t refusals(const DevicePlan& plan) const {
        std::size_t count = 0;
        for (const Scan& scan : plan.scans()) count += !scan.retry && ask(scan) != 0;
        return count;
    }
};

TEST(Lessons, AreReadAsTheyWereWritten) {
    const Result<Lessons> read = lessons_of(json_of(some_lessons()));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, some_lessons());
    EXPECT_EQ(*lessons_of(json_of({})), Lessons());
}

TEST(Lessons, AreNotReadFromAnythingElse) {
    const std::string good = json_of(some_lessons());
    for (const auto& [from, to] :
         std::vector<std::pair<std::string, std::string>>{{"\"holding\"", "\"holdings\""},
                                                          {"32018", "32064"},
                                                          {"32063", "65536"},
                                                          {"\"exception\":2", "\"exception\":256"},
                                                          {"\"times\":3", "\"times\":0"},
                                                          {"\"count\":62", "\"count\":0"},
                                                          {"\"at\":40", "\"at\":\"40\""},
                                                          {"\"edges\"", "\"edge\""},
                                                          {"}", ""}}) {
        std::string bad = good;
        bad.replace(bad.find(from), from.size(), to);
        EXPECT_EQ(lessons_of(bad).error().code, Errc::bad_data) << bad;
    }
}

TEST(Lessons, AreToldByAddress) {
    EXPECT_EQ(
        describe(some_lessons()),
        (std::vector<std::string>{"holding:32018..32063 refused (exception 2)",
                                  "coil:7 not answered", "input: at most 62 in one request",
                                  "holding:40: never in one request with what is before it"}));
}

TEST(Lessons, BelongToAUnitAndToWhereItsPointsLie) {
    const RegisterMap map = registers_at({1, 2, 9});
    const std::string digest = layout_digest(5, map);
    EXPECT_EQ(digest.size(), 64U);
    EXPECT_NE(layout_digest(6, map), digest);
    RegisterMap other = map;
    other.fields[1].scale = Decimal{1, 1};
    other.fields[1].type = RawType::i16;
    EXPECT_EQ(layout_digest(5, other), digest);  // only what its values mean has changed
    other = map;
    other.fields[1].type = RawType::u32;
    EXPECT_NE(layout_digest(5, other), digest);
    other = map;
    other.fields[2].table = Table::input;
    EXPECT_NE(layout_digest(5, other), digest);
    other = map;
    other.max_registers = 60;
    EXPECT_NE(layout_digest(5, other), digest);
    other = map;
    other.gap = 0;
    EXPECT_NE(layout_digest(5, other), digest);
    other = map;
    other.forbidden = {{Table::holding, 3, 4}};
    EXPECT_NE(layout_digest(5, other), digest);
}

TEST(Lessons, SaveAPlanEveryRefusalOfBefore) {
    std::mt19937 random(7);
    const auto below = [&](unsigned end) { return static_cast<std::uint16_t>(random() % end); };
    BusSettings bus;
    bus.wire = SerialSettings();
    const CostModel cost(bus);
    for (int round = 0; round < 300; ++round) {
        std::set<std::uint16_t> addresses;
        for (unsigned count = 1 + below(60); addresses.size() < count;)
            addresses.insert(below(200));
        Strange strange;
        for (unsigned count = below(12); count > 0; --count) strange.holes.insert(below(200));
        if (random() % 2 == 0) strange.longest = 4 + below(60);
        const DeviceSettings settings = a_device(registers_at(addresses));

        DevicePlan before(settings, cost);
        ASSERT_TRUE(strange.teach_all(before)) << round;
        const Lessons lessons = *lessons_of(json_of(before.lessons()));
        DevicePlan after(settings, cost);
        EXPECT_EQ(after.teach(lessons), !lessons.empty());
        EXPECT_EQ(strange.refusals(after), 0U) << round;
        EXPECT_EQ(after.lessons(), lessons) << round;
        EXPECT_EQ(after.unreadable(), before.unreadable());
        EXPECT_EQ(after.scans().size(), before.scans().size()) << round;
        EXPECT_FALSE(after.teach(lessons));  // it knows
    }
}

TEST(Lessons, MayBeOfADeviceThatHasBeenMended) {
    BusSettings bus;
    bus.wire = SerialSettings();
    const CostModel cost(bus);
    DevicePlan plan(a_device(registers_at({1, 2, 3})), cost);
    Lessons lessons;
    lessons.refused = {{Table::holding, 2, 2, 2, 1}};
    ASSERT_TRUE(plan.teach(lessons));
    EXPECT_EQ(plan.unreadable(), 1U);
    for (std::size_t i = 0; i < plan.scans().size(); ++i)
        if (plan.scans()[i].retry) {
            ASSERT_TRUE(plan.answered(i));
            break;
        }
    EXPECT_EQ(plan.unreadable(), 0U);
    EXPECT_TRUE(plan.lessons().empty());
}

}  // namespace
}  // namespace fieldgate::southbound::modbus
