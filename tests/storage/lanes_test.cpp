#include "storage/lanes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "storage/stamps.h"

namespace fieldgate::storage {
namespace {

TEST(SeqSet, EqualsASetOfNumbersThroughRandomChanges) {
    std::mt19937 random(1);
    SeqSet ranges;
    std::set<Seq> model;
    for (int step = 0; step < 100'000; ++step) {
        const Seq first = random() % 200 + 1;
        const Seq last = first + random() % 12;
        if (random() % 2 == 0) {
            ranges.add({first, last});
            for (Seq seq = first; seq <= last; ++seq) model.insert(seq);
        } else {
            std::uint64_t erased = 0;
            for (Seq seq = first; seq <= last; ++seq) erased += model.erase(seq);
            ASSERT_EQ(ranges.erase({first, last}), erased);
        }
        ASSERT_EQ(ranges.count(), model.size());
        const Seq probe = random() % 220;
        const auto next = model.lower_bound(probe);
        ASSERT_EQ(ranges.next(probe),
                  next == model.end() ? std::nullopt : std::optional<Seq>(*next));
        ASSERT_EQ(ranges.count_below(probe),
                  static_cast<std::uint64_t>(std::distance(model.begin(), next)));
        SeqSet within;
        for (auto seq = next; seq != model.end() && *seq <= probe + 30; ++seq)
            within.add({*seq, *seq});
        ASSERT_EQ(ranges.within({probe, probe + 30}), within);
        if (step % 16 != 0) continue;
        SeqSet lowest;
        for (auto seq = model.begin(); seq != model.end() && lowest.count() < probe / 2; ++seq)
            lowest.add({*seq, *seq});
        ASSERT_EQ(ranges.lowest(probe / 2), lowest);
    }
}

TEST(Stamps, SettleEachRowOnceAndHaveOneForm) {
    std::mt19937 random(2);
    Stamps stamps;
    std::vector<std::optional<Stamps::Shift>> model(120);
    for (int step = 0; step < 20'000; ++step) {
        const Seq first = random() % 100 + 1;
        const Seq last = first + random() % 10;
        const Stamps::Shift shift =
            random() % 2 == 0 ? Stamps::Shift() : std::chrono::milliseconds(random() % 2);
        stamps.settle({first, last}, shift);
        for (Seq seq = first; seq <= last; ++seq)
            if (!model[seq]) model[seq] = shift;
        for (Seq seq = 1; seq < model.size(); ++seq) {
            const Stamps::Stamp* stamp = stamps.find(seq);
            ASSERT_EQ(stamp != nullptr, model[seq].has_value());
            if (stamp == nullptr) continue;
            ASSERT_EQ(stamp->shift, *model[seq]);
        }
        Stamps again;
        for (const auto& [from, stamp] : stamps.all()) again.settle(stamp.rows, stamp.shift);
        ASSERT_EQ(again.all(), stamps.all());
        if (random() % 50 == 0) {
            stamps = Stamps();
            std::fill(model.begin(), model.end(), std::nullopt);
        }
    }
}

/// The same, row by row, without ranges.
struct Model {
    struct Row {
        Seq seq;
        bool backlog;
        std::uint64_t lease;  // 0: waits
    };
    std::array<std::vector<Row>, 2> rows;

    std::optional<Seq> front(Lane lane, Seq offered) const {
        for (const Row& row : rows[index(table_of(lane))]) {
            if (row.lease != 0 || row.seq >= offered) continue;
            if (lane == Lane::alarm || row.backlog == (lane == Lane::backlog)) return row.seq;
        }
        return std::nullopt;
    }
    std::uint64_t count(bool backlog_only) const {
        std::uint64_t count = 0;
        for (const auto& table : rows)
            for (const Row& row : table) count += !backlog_only || row.backlog ? 1 : 0;
        return count;
    }
    template <class Predicate>
    std::uint64_t drop(Predicate gone) {
        return std::erase_if(rows[0], gone) + std::erase_if(rows[1], gone);
    }
};

TEST(Lanes, BehaveAsRowsOneByOneThroughRandomOperations) {
    std::mt19937 random(3);
    Lanes lanes;
    Model model;
    std::vector<std::uint64_t> leases;
    std::array<Seq, 2> offered{1, 1};
    for (int step = 0; step < 100'000; ++step) {
        const Table table = random() % 4 == 0 ? Table::alarm : Table::data;
        switch (random() % 9) {
            case 0:
            case 1:
                if (lanes.pending() < 60)
                    model.rows[index(table)].push_back({lanes.append(table), false, 0});
                break;
            case 2:
                offered[index(table)] = lanes.next_seq(table);
                lanes.offer(table, offered[index(table)]);
                break;
            case 3:
            case 4: {
                if (leases.size() >= 10) break;
                const Lane lane = lanes_in_order[random() % 3];
                const std::uint64_t id = lanes.lease(lane);
                for (auto most = random() % 5; most > 0 && lanes.front(lane); --most) {
                    const Seq seq = *lanes.front(lane);
                    lanes.take(id, seq);
                    for (Model::Row& row : model.rows[index(table_of(lane))])
                        if (row.seq == seq) row.lease = id;
                }
                leases.push_back(id);
                break;
            }
            case 5:
            case 6: {
                if (leases.empty()) break;
                const auto at = static_cast<std::ptrdiff_t>(random() % leases.size());
                const std::uint64_t id = leases[static_cast<std::size_t>(at)];
                leases.erase(leases.begin() + at);
                if (random() % 2 == 0) {
                    const Lanes::Leased done = lanes.finish(id);
                    ASSERT_EQ(model.drop([&](const Model::Row& row) { return row.lease == id; }),
                              done.rows.count());
                } else {
                    lanes.release(id);
                    for (auto& rows : model.rows)
                        for (Model::Row& row : rows)
                            if (row.lease == id) row.lease = 0;
                }
                break;
            }
            case 7: {
                if (random() % 8 != 0) break;
                const Seq first = random() % lanes.next_seq(table);
                const Seq last = first + random() % 5;
                const auto hit = [&](const Model::Row& row) {
                    return row.seq >= first && row.seq <= last;
                };
                ASSERT_EQ(lanes.drop(table, {first, last}),
                          std::erase_if(model.rows[index(table)], hit));
                break;
            }
            default:
                if (random() % 50 != 0) break;
                lanes.mark_backlog();
                for (auto& rows : model.rows)
                    for (Model::Row& row : rows) row.backlog = true;
        }
        ASSERT_EQ(lanes.pending(), model.count(false));
        ASSERT_EQ(lanes.backlog(), model.count(true));
        for (const Lane lane : lanes_in_order)
            ASSERT_EQ(lanes.front(lane), model.front(lane, offered[index(table_of(lane))]));
    }
}

}  // namespace
}  // namespace fieldgate::storage
