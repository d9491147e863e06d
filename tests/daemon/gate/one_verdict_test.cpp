// Whatever comes in whatever order: for no request id both "not done" is told and something done.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "tests/daemon/gate/site.h"
#include "tests/storage/fault_vfs.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;

/// What became of one id, as the platform and the field see it.
struct Fate {
    int acts = 0;
    int life_of_act = std::numeric_limits<int>::max();
    std::set<int> told;

    bool is_contradiction() const {
        static const std::set<int> not_done{codes::not_permitted, codes::malformed,
                                            codes::busy,          codes::unknown_name,
                                            codes::bad_value,     codes::not_noted};
        bool said_no = false;
        for (const int code : told) said_no = said_no || not_done.contains(code);
        const bool said_done = told.contains(codes::success);
        return acts > 1 || (acts > 0 && said_no) || (acts == 0 && said_done);
    }
};

/// A platform, a gate, a wire and a disk; every step is drawn by lot.
class World {
public:
    World(storage::Loop& loop, const Config& config, storage::FaultVfs& disk, unsigned seed)
        : loop_(loop),
          config_(config),
          disk_(disk),
          disk_fails_(seed % 5 == 0),
          lot_(seed),
          go_(executor()),
          listen_(executor()) {
        late_ = one_of(2) == 0;
        now_ = Event::Clock::now();
        begin();
    }
    ~World() { end(); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    void live(int steps) {
        for (int i = 0; i < steps; ++i) {
            step();
            if (one_of(3) == 0)
                loop_.loop.run_for(std::chrono::microseconds(one_of(1500)));
            else
                loop_.loop.poll();
        }
        if (one_of(2) == 0) calm_down();
        if (one_of(2) == 0) restart();
        calm_down();
        late_ = false;
        now_ += 10s;  // the rate lets in what comes
        for (const auto& [id, fate] : fates_) send(id);
        calm_down();
    }

    std::string contradiction() const {
        for (const auto& [id, fate] : fates_) {
            if (!fate.is_contradiction()) continue;
            std::string text = id + " acted " + std::to_string(fate.acts) + " times, told";
            for (const int code : fate.told) text += ' ' + std::to_string(code);
            return text;
        }
        return {};
    }
    int acts() const {
        int sum = 0;
        for (const auto& [id, fate] : fates_) sum += fate.acts;
        return sum;
    }
    int told_no() const { return told_no_; }
    int restarts() const { return restarts_; }
    int deaths() const { return deaths_; }

private:
    asio::any_io_executor executor() { return loop_.loop.get_executor(); }
    int one_of(int count) { return static_cast<int>(lot_() % static_cast<unsigned>(count)); }

    void step() {
        switch (one_of(disk_fails_ ? 21 : 16)) {
            case 0:
            case 1:
            case 2:
            case 3:
                return send("r" + std::to_string(fates_.size()));
            case 4:
            case 5:
            case 6:
                if (!fates_.empty())
                    send("r" + std::to_string(one_of(static_cast<int>(fates_.size()))));
                return;
            case 7:
                for (int i = 0; i < 60; ++i) gate_->take(test::get_request("get"), receipt());
                for (int i = 0; i < 60; ++i)
                    gate_->take(test::get_request("get-" + std::to_string(i)), receipt());
                return;
            case 8:
                now_ += 1s;
                return;
            case 9:
            case 10:
            case 11:
                ++steps_allowed_;
                return go_.notify();
            case 12:
            case 13:
                ++answers_allowed_;
                return listen_.notify();
            case 14:
                link_up_ = !link_up_;
                return;
            case 15:
                if (one_of(3) == 0) restart();
                return;
            case 16:
            case 17:
                return break_disk();
            case 18:
                die();
                return begin();
            default:
                return mend_disk();
        }
    }
    void break_disk() {
        using Fault = storage::FaultVfs::Fault;
        constexpr std::array faults{Fault::full, Fault::write_error, Fault::sync_error};
        disk_.fail(faults.at(static_cast<std::size_t>(one_of(3))));
    }
    void mend_disk() {
        disk_.fail(storage::FaultVfs::Fault::none);
        disk_.hold_reads(false);
    }

    void send(const std::string& id) {
        fates_[id];
        gate_->take(test::set_request(id), receipt());
    }
    // In every other world each deadline is over before long.
    Instant receipt() {
        if (late_)
            now_ = std::max(now_, Event::Clock::now() - Answers::patience +
                                      std::chrono::microseconds(one_of(3000)));
        return now_;
    }

    // In some the store's file cannot be read yet.
    void begin() {
        const bool opened = !disk_fails_ || one_of(2) == 0;
        disk_.hold_reads(!opened && one_of(2) == 0);
        gate_.emplace(loop_, config_, folder_->path(), opened);
        gate_->flows().spawn("obey", obey());
        gate_->flows().spawn("reply", reply());
        ++restarts_;
    }
    void restart() {
        if (one_of(2) == 0)
            die();
        else
            end();
        begin();
    }
    void end() {
        mend_disk();
        gate_.reset();
    }
    // What is on disk at this moment is all that the next life has.
    void die() {
        auto remains = std::make_unique<storage::TempFolder>(storage::in_memory());
        storage::copy_at_rest(folder_->path(), remains->path());
        dead_ = true;
        end();
        dead_ = false;
        folder_ = std::move(remains);
        ++deaths_;
    }

    // As daemon/flows.cpp does it: one order after the other, each in two steps.
    asio::awaitable<void> obey() {
        for (;;) {
            const std::optional<Order> order = co_await gate_->orders().next();
            if (!order) continue;
            co_await allowed(steps_allowed_, go_);
            if (!order->acts()) {
                gate_->requests().settle(*order, northbound::GetAnswer());
                continue;
            }
            const bool late = one_of(4) == 0;
            Outcome outcome = outcome_not_begun(*order);
            if (!late && gate_->requests().begin(*order)) {
                if (!dead_) act(fates_[order->id]);
                co_await allowed(steps_allowed_, go_);
                outcome = outcome_of(*order, codes::success, "written");
            }
            co_await gate_->requests().settle(*order, std::move(outcome));
        }
    }
    void act(Fate& fate) {
        ++fate.acts;
        fate.life_of_act = restarts_;
    }
    asio::awaitable<void> reply() {
        for (;;) {
            co_await allowed(answers_allowed_, listen_);
            std::optional<Answers::Ready> ready = co_await gate_->requests().answers().next();
            if (!ready) continue;
            gate_->requests().answers().sent(ready->rank);
            if (link_up_ && !dead_ && fates_.contains(ready->request_id)) hear(*ready);
        }
    }
    void hear(const Answers::Ready& ready) {
        const int code = test::code_of(ready.answer);
        // While the store is not open nobody knows what an earlier life has done: busy is the word.
        const auto* set = std::get_if<northbound::SetAnswer>(&ready.answer);
        const bool not_open = set && set->text.find("store is not open") != std::string::npos;
        if (not_open && fates_[ready.request_id].life_of_act < restarts_) return;
        fates_[ready.request_id].told.insert(code);
        if (code != codes::success && code != codes::unknown) ++told_no_;
    }
    static asio::awaitable<void> allowed(int& permits, Event& given) {
        while (permits == 0) co_await given.wait();
        --permits;
    }

    // Everything that waits is carried out and told.
    void calm_down() {
        mend_disk();
        steps_allowed_ = answers_allowed_ = 1'000'000;
        go_.notify();
        listen_.notify();
        const bool calm = loop_.until([&] {
            return gate_->requests().answers().owed() == 0 &&
                   gate_->store().ledger().under_way() == 0;
        });
        EXPECT_TRUE(calm);
        for (int i = 0; i < 10; ++i) loop_.loop.poll();
        steps_allowed_ = answers_allowed_ = 0;
    }

    std::unique_ptr<storage::TempFolder> folder_ =
        std::make_unique<storage::TempFolder>(storage::in_memory());
    storage::Loop& loop_;
    const Config& config_;
    storage::FaultVfs& disk_;
    bool disk_fails_;
    bool late_ = false;
    bool dead_ = false;
    std::mt19937 lot_;
    std::optional<test::Gate> gate_;
    Instant now_;
    Event go_;
    Event listen_;
    int steps_allowed_ = 0;
    int answers_allowed_ = 0;
    bool link_up_ = true;
    std::map<std::string, Fate> fates_;
    int told_no_ = 0;
    int restarts_ = -1;
    int deaths_ = 0;
};

TEST(OneVerdict, IsWhatEveryIdGetsThroughCopiesFloodsLossesAndRestarts) {
    const int worlds = std::getenv("FIELDGATE_CAMPAIGN") != nullptr ? 10'000 : 100;
    const Config config = test::gate_config();
    storage::Loop loop;
    int acts = 0;
    int told_no = 0;
    int restarts = 0;
    int deaths = 0;
    storage::FaultVfs disk;
    for (int seed = 0; seed < worlds; ++seed) {
        World world(loop, config, disk, static_cast<unsigned>(seed));
        world.live(40);
        ASSERT_EQ(world.contradiction(), "") << "seed " << seed;
        acts += world.acts();
        told_no += world.told_no();
        restarts += world.restarts();
        deaths += world.deaths();
    }
    std::printf(
        "figure: %d sequences, %d restarts, %d of them deaths: %d times done, %d times told no\n",
        worlds, restarts, deaths, acts, told_no);
    EXPECT_GT(acts, worlds);
    EXPECT_GT(told_no, worlds);
}

}  // namespace
}  // namespace fieldgate
