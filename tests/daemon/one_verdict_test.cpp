// Whatever comes in whatever order: for no request id both "not done" is told and something done.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "tests/daemon/gate_site.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;

/// What became of one id, as the platform and the field see it.
struct Fate {
    int acts = 0;
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

/// A platform, a gate and a wire; every step is drawn by lot.
class World {
public:
    World(storage::Loop& loop, const Config& config, unsigned seed)
        : loop_(loop), config_(config), lot_(seed), go_(executor()), listen_(executor()) {
        // In every other world all deadlines are over when somebody looks at them.
        now_ = Event::Clock::now() - (one_of(2) == 0 ? 20s : 0s);
        begin();
    }
    ~World() { gate_.reset(); }
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
        calm_down();
        if (one_of(2) == 0) restart();
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

private:
    asio::any_io_executor executor() { return loop_.loop.get_executor(); }
    int one_of(int count) { return static_cast<int>(lot_() % static_cast<unsigned>(count)); }

    void step() {
        switch (one_of(16)) {
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
                for (int i = 0; i < 60; ++i) gate_->take(test::get_request("get"), now_);
                for (int i = 0; i < 60; ++i)
                    gate_->take(test::get_request("get-" + std::to_string(i)), now_);
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
            default:
                if (one_of(3) == 0) restart();
        }
    }

    void send(const std::string& id) {
        fates_[id];
        gate_->take(test::set_request(id), now_);
    }

    void begin() {
        gate_.emplace(loop_, config_, folder_.path());
        gate_->flows().spawn("obey", obey());
        gate_->flows().spawn("reply", reply());
        ++restarts_;
    }
    void restart() {
        gate_.reset();
        begin();
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
                ++fates_[order->request.id].acts;
                co_await allowed(steps_allowed_, go_);
                outcome = outcome_of(*order, codes::success, "written");
            }
            co_await gate_->requests().settle(*order, std::move(outcome));
        }
    }
    asio::awaitable<void> reply() {
        for (;;) {
            co_await allowed(answers_allowed_, listen_);
            std::optional<Answers::Ready> ready = co_await gate_->requests().answers().next();
            if (!ready) continue;
            gate_->requests().answers().sent(ready->rank);
            if (link_up_ && fates_.contains(ready->request_id)) hear(*ready);
        }
    }
    void hear(const Answers::Ready& ready) {
        const int code = test::code_of(ready.answer);
        fates_[ready.request_id].told.insert(code);
        if (code != codes::success && code != codes::unknown) ++told_no_;
    }
    static asio::awaitable<void> allowed(int& permits, Event& given) {
        while (permits == 0) co_await given.wait();
        --permits;
    }

    // Everything that waits is carried out and told.
    void calm_down() {
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

    storage::TempFolder folder_{storage::in_memory()};
    storage::Loop& loop_;
    const Config& config_;
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
};

TEST(OneVerdict, IsWhatEveryIdGetsThroughCopiesFloodsLossesAndRestarts) {
    const int worlds = std::getenv("FIELDGATE_CAMPAIGN") != nullptr ? 10'000 : 100;
    const Config config = test::gate_config();
    storage::Loop loop;
    int acts = 0;
    int told_no = 0;
    int restarts = 0;
    for (int seed = 0; seed < worlds; ++seed) {
        World world(loop, config, static_cast<unsigned>(seed));
        world.live(40);
        ASSERT_EQ(world.contradiction(), "") << "seed " << seed;
        acts += world.acts();
        told_no += world.told_no();
        restarts += world.restarts();
    }
    std::printf("figure: %d sequences, %d restarts: %d times done, %d times told no\n", worlds,
                restarts, acts, told_no);
    EXPECT_GT(acts, worlds);
    EXPECT_GT(told_no, worlds);
}

}  // namespace
}  // namespace fieldgate
