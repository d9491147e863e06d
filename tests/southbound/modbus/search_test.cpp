// Devices that do not give what they are asked for, in every way that was reported of one, against
// a model of them, in virtual time.
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <random>
#include <set>

#include "southbound/modbus/pdu.h"
#include "southbound/modbus/plan.h"
#include "southbound/schedule.h"

namespace fieldgate::southbound::modbus {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

enum class No { exception, empty, shortened, silence };

/// A device with registers that it does not give, or only so many at once, or only from even
/// addresses on.
struct Model {
    std::array<std::set<std::uint32_t>, 4> holes;
    unsigned longest = 2000;
    bool even = false;
    No how = No::exception;
    int code = 2;
    No how_long = No::exception;
    int code_long = 3;
    std::chrono::milliseconds latency{20};

    struct Answer {
        std::optional<No> no;
        int code = 0;
    };
    Answer ask(Table table, std::uint32_t first, std::uint32_t count) const {
        if (count > longest) return {how_long, code_long};
        const auto& here = holes[index_of(table)];
        const auto next = here.lower_bound(first);
        const bool registers = table == Table::holding || table == Table::input;
        const bool odd = even && registers && (first % 2 != 0 || count % 2 != 0);
        if (odd || (next != here.end() && *next < first + count)) return {how, code};
        return {};
    }
};

struct Layout {
    RegisterMap map;
    std::vector<std::chrono::milliseconds> every;
};

using Random = std::mt19937;
unsigned below(Random& random, unsigned end) { return static_cast<unsigned>(random() % end); }

// `even`: of a device that knows registers in pairs only.
Layout random_layout(Random& random, bool even) {
    constexpr std::array types{RawType::u16, RawType::u16, RawType::i16,   RawType::u32,
                               RawType::f32, RawType::u64, RawType::string};
    Layout layout;
    const unsigned points = 1 + below(random, below(random, 3) == 0 ? 200 : 40);
    const unsigned tables = 1 + below(random, 2);
    std::uint32_t address = below(random, 1000);
    for (unsigned i = 0; i < points; ++i) {
        Field field;
        field.table =
            below(random, 10) < 9 ? Table::holding : all_tables[below(random, tables * 2)];
        const bool bit = field.table == Table::coil || field.table == Table::discrete;
        field.type = bit    ? RawType::boolean
                     : even ? RawType::u32
                            : types[below(random, types.size())];
        if (field.type == RawType::string)
            field.length = static_cast<std::uint16_t>(2 + below(random, 30));
        const unsigned jump = below(random, 20);
        address += jump == 0 ? below(random, 300) : jump < 4 ? below(random, 6) : 0;
        if (even) address += address % 2;
        field.address = static_cast<std::uint16_t>(address);
        address += width(field);
        if (address > 0xFFF0) break;
        layout.map.fields.push_back(field);
        layout.every.push_back(below(random, 6) == 0 ? 5s : 1s);
    }
    if (below(random, 8) == 0) layout.map.gap = static_cast<std::uint16_t>(below(random, 20));
    return layout;
}

Model random_model(Random& random, const Layout& layout, bool even, bool silent) {
    constexpr std::array codes{1, 2, 2, 3, 4, 7, 8, 9, 128};
    Model model;
    const std::vector<Field>& fields = layout.map.fields;
    for (unsigned count = below(random, 21); count > 0; --count) {
        const Field& near = fields[below(random, static_cast<unsigned>(fields.size()))];
        const unsigned reach = width(near) + 3U;
        model.holes[index_of(near.table)].insert(near.address + below(random, reach));
    }
    const auto no = [&] { return silent ? No::silence : static_cast<No>(below(random, 3)); };
    model.how = no();
    model.code = codes[below(random, codes.size())];
    if (below(random, 3) == 0) model.longest = 16 + below(random, 100);
    model.how_long = no();
    model.code_long = codes[below(random, codes.size())];
    model.even = even;
    model.latency = std::chrono::milliseconds(2 + below(random, 98));
    return model;
}

/// A line of 9600 8E1 with this device alone.
class Site {
public:
    Site(const Layout& layout, const Model& model) : model_(model) {
        settings_.unit = 7;
        settings_.map = std::make_shared<const RegisterMap>(layout.map);
        settings_.every = layout.every;
        BusSettings bus;
        bus.wire = SerialSettings();
        cost_.emplace(bus);
        plan_.emplace(settings_, *cost_);
        schedule_.set(0, settings_.offline, timings(plan_->scans()), now_);
    }

    /// The points that the device gives when it is asked for them alone.
    std::set<PointIndex> readable() const {
        std::set<PointIndex> result;
        for (PointIndex point = 0; point < settings_.map->fields.size(); ++point) {
            const Field& field = settings_.map->fields[point];
            if (!model_.ask(field.table, field.address, width(field)).no) result.insert(point);
        }
        return result;
    }

    /// Until all of these were read, or the line was busy for so long. Returns how long it was.
    nanoseconds until_read(std::set<PointIndex> wanted, nanoseconds most) {
        while (!wanted.empty() && busy_ < most) {
            const std::optional<Schedule::Due> due = schedule_.take(now_);
            if (!due) {
                now_ = schedule_.next().value_or(now_ + 1s);
                continue;
            }
            for (const PointIndex point : perform(*due)) wanted.erase(point);
        }
        missing_ = wanted.size();
        return busy_;
    }
    std::size_t missing() const { return missing_; }
    unsigned outages() const { return outages_; }
    std::size_t wrong() const { return wrong_; }

private:
    // As Bus: again if that may help; a probe once.
    std::vector<PointIndex> perform(const Schedule::Due& due) {
        const Scan scan = plan_->scans()[due.scan];
        const Request request = due.probe ? plan_->probe(due.scan) : scan.request;
        const unsigned first = request.pdu[1] * 256U + request.pdu[2];
        const unsigned count = request.pdu[3] * 256U + request.pdu[4];
        const Model::Answer answer = model_.ask(scan.table, first, count);
        const bool again =
            answer.no && *answer.no != No::exception && !due.probe && !plan_->is_searched(due.scan);
        for (int tries = again ? 2 : 1; tries > 0; --tries) spend(request, answer);
        const bool speaks = !answer.no || answer.no == No::exception;
        if (!speaks && !due.probe && plan_->is_suspect(due.scan))
            schedule_.done_for_nothing(due);
        else if (schedule_.done(due, speaks, now_) == DeviceStatus::offline)
            ++outages_;
        learn(due, answer);
        std::vector<PointIndex> read;
        if (answer.no || due.probe) return read;
        for (const ScanField& field : scan.fields) {
            read.push_back(field.point);
            wrong_ += scan.first + field.offset != settings_.map->fields[field.point].address;
        }
        return read;
    }
    void spend(const Request& request, const Model::Answer& answer) {
        const SerialSettings line;
        std::chrono::nanoseconds took = frame_time(line, request.pdu.size()) + frame_silence(line);
        if (answer.no == No::silence)
            took += cost_->timeout(request);
        else
            took += model_.latency + frame_time(line, answer.no ? 2 : request.reply_bytes);
        now_ += took;
        busy_ += took;
    }
    void learn(const Schedule::Due& due, const Model::Answer& answer) {
        if (due.probe) {
            if (!answer.no) plan_->alive();
            return;
        }
        bool replanned = false;
        if (!answer.no)
            replanned = plan_->answered(due.scan);
        else if (answer.no == No::exception)
            replanned = plan_->refused(due.scan, answer.code);
        else if (answer.no == No::silence)
            replanned = plan_->timed_out(due.scan);
        else
            replanned = plan_->untrue(due.scan);
        if (replanned) schedule_.set(0, settings_.offline, timings(plan_->scans()), now_);
    }

    const Model& model_;
    DeviceSettings settings_;
    std::optional<CostModel> cost_;
    std::optional<DevicePlan> plan_;
    Instant now_{1h};
    Schedule schedule_{now_};
    nanoseconds busy_{0};
    std::size_t missing_ = 0, wrong_ = 0;
    unsigned outages_ = 0;
};

std::string describe(const Layout& layout, const Model& model) {
    std::string text = std::to_string(layout.map.fields.size()) +
                       " points, no: " + std::to_string(static_cast<int>(model.how)) + '/' +
                       std::to_string(model.code) + ", longest " + std::to_string(model.longest) +
                       ": " + std::to_string(static_cast<int>(model.how_long)) + '/' +
                       std::to_string(model.code_long) + (model.even ? ", even" : "") + ", holes";
    for (const auto& table : model.holes)
        for (const std::uint32_t hole : table) text += ' ' + std::to_string(hole);
    return text;
}

unsigned cases(unsigned usually) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    usually /= 5;
#endif
    return std::getenv("FIELDGATE_CAMPAIGN") != nullptr ? 1'000'000U : usually;
}

TEST(Search, FindsEveryPointThatTheDeviceGivesWithinAMinute) {
    Random random(13);
    std::vector<nanoseconds> took;
    unsigned outages = 0;
    for (unsigned round = 0; round < cases(200); ++round) {
        const bool even = below(random, 10) == 0;
        const Layout layout = random_layout(random, even);
        const Model model = random_model(random, layout, even, false);
        Site site(layout, model);
        took.push_back(site.until_read(site.readable(), 60s));
        ASSERT_EQ(site.missing(), 0U) << "round " << round << ": " << describe(layout, model);
        ASSERT_EQ(site.wrong(), 0U) << "round " << round;
        outages = std::max(outages, site.outages());
    }
    std::sort(took.begin(), took.end());
    const auto seconds = [&](std::size_t per_mille) {
        return std::chrono::duration<double>(took[(took.size() - 1) * per_mille / 1000]).count();
    };
    std::printf(
        "figure: search: all readable points of %zu layouts after %.1f s of line time "
        "(half), %.1f s (99 %%), %.1f s (all); %u outages at most\n",
        took.size(), seconds(500), seconds(990), seconds(1000), outages);
}

TEST(Search, FindsThemBehindSilenceToo) {
    Random random(14);
    std::vector<nanoseconds> took;
    for (unsigned round = 0; round < cases(1000) / 10; ++round) {
        const bool even = below(random, 10) == 0;
        const Layout layout = random_layout(random, even);
        const Model model = random_model(random, layout, even, true);
        Site site(layout, model);
        took.push_back(site.until_read(site.readable(), 1h));
        ASSERT_EQ(site.missing(), 0U) << "round " << round << ": " << describe(layout, model);
    }
    std::sort(took.begin(), took.end());
    std::printf("figure: search behind silence: %.0f s of line time (half), %.0f s (all)\n",
                std::chrono::duration<double>(took[took.size() / 2]).count(),
                std::chrono::duration<double>(took.back()).count());
}

}  // namespace
}  // namespace fieldgate::southbound::modbus
