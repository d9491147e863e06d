#include "southbound/turns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/system_error.hpp>
#include <asio/use_awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/task_group.h"

namespace fieldgate::southbound {
namespace {

// Flows that take a turn, say so, and keep it until they are let go.
class TurnsTest : public testing::Test {
protected:
    struct Flow {
        explicit Flow(const asio::any_io_executor& loop) : done(loop) {}
        Event done;
        asio::cancellation_signal cancel;
        bool aborted = false;
    };

    Flow& want(const std::string& name, Urgency urgency) {
        flows_.push_back(std::make_unique<Flow>(loop_.get_executor()));
        Flow& flow = *flows_.back();
        auto on_end = [&flow](const std::exception_ptr& failure) {
            flow.aborted = failure != nullptr;
        };
        asio::co_spawn(loop_, hold(name, urgency, flow),
                       asio::bind_cancellation_slot(flow.cancel.slot(), on_end));
        settle();
        return flow;
    }
    void let_go(Flow& flow) {
        flow.done.notify();
        settle();
    }
    void cancel(Flow& flow) {
        flow.cancel.emit(asio::cancellation_type::terminal);
        settle();
    }
    void settle() {
        loop_.restart();
        loop_.poll();
    }

    asio::awaitable<void> hold(std::string name, Urgency urgency, Flow& flow) {
        const Turns::Turn turn = co_await turns_.take(urgency);
        EXPECT_TRUE(turns_.taken());
        EXPECT_EQ(++holders_, 1) << name;
        order_ += name;
        const Leave leave(*this);
        co_await flow.done.wait();
    }
    struct Leave {
        explicit Leave(TurnsTest& of) : test(of) {}
        Leave(const Leave&) = delete;
        Leave& operator=(const Leave&) = delete;
        ~Leave() { --test.holders_; }
        TurnsTest& test;
    };

    asio::io_context loop_{1};
    Turns turns_{loop_.get_executor()};
    std::vector<std::unique_ptr<Flow>> flows_;
    std::string order_;
    int holders_ = 0;
};

TEST_F(TurnsTest, AreGivenAtOnceWhileNobodyHasTheWire) {
    Flow& a = want("a", Urgency::scan);
    EXPECT_EQ(order_, "a");
    let_go(a);
    EXPECT_FALSE(turns_.taken());
    let_go(want("b", Urgency::command));
    EXPECT_EQ(order_, "ab");
    EXPECT_FALSE(turns_.taken());
}

TEST_F(TurnsTest, LetCommandsGoBeforeScansAndEachInTheOrderOfComing) {
    Flow& a = want("a", Urgency::scan);
    Flow& b = want("b", Urgency::scan);
    Flow& c = want("c", Urgency::scan);
    Flow& x = want("x", Urgency::command);
    Flow& y = want("y", Urgency::command);
    EXPECT_EQ(order_, "a");
    for (Flow* flow : {&a, &x, &b, &y, &c}) let_go(*flow);
    EXPECT_EQ(order_, "axbyc") << "a scan that waits goes between two commands";
    EXPECT_FALSE(turns_.taken());
}

TEST_F(TurnsTest, GiveAllCommandsTheirTurnsWhereNoScanWaits) {
    Flow& x = want("x", Urgency::command);
    Flow& y = want("y", Urgency::command);
    Flow& z = want("z", Urgency::command);
    for (Flow* flow : {&x, &y, &z}) let_go(*flow);
    EXPECT_EQ(order_, "xyz");
}

TEST_F(TurnsTest, ForgetWhoIsCancelledWhileWaiting) {
    Flow& a = want("a", Urgency::scan);
    Flow& x = want("x", Urgency::command);
    Flow& y = want("y", Urgency::command);
    cancel(x);
    EXPECT_TRUE(x.aborted);
    let_go(a);
    EXPECT_EQ(order_, "ay");
    let_go(y);
    EXPECT_FALSE(turns_.taken());
}

TEST_F(TurnsTest, PassOnTheTurnOfWhoIsCancelledWithIt) {
    want("a", Urgency::scan);
    Flow& x = want("x", Urgency::command);
    Flow& b = want("b", Urgency::scan);
    cancel(*flows_[0]);
    EXPECT_EQ(order_, "ax");
    // x gives its turn to b, which is cancelled before it has run.
    Flow& c = want("c", Urgency::scan);
    x.done.notify();
    loop_.restart();
    loop_.run_one();  // x goes on, and ends
    b.cancel.emit(asio::cancellation_type::terminal);
    settle();
    EXPECT_TRUE(b.aborted);
    EXPECT_EQ(order_, "axc");
    let_go(c);
    EXPECT_FALSE(turns_.taken());
    EXPECT_EQ(holders_, 0);
}

TEST_F(TurnsTest, MayBeOutlivedByATurn) {
    std::optional<Turns::Turn> kept;
    auto turns = std::make_unique<Turns>(loop_.get_executor());
    const auto take = [](Turns& from, std::optional<Turns::Turn>& to) -> asio::awaitable<void> {
        to.emplace(co_await from.take(Urgency::command));
    };
    asio::co_spawn(loop_, take(*turns, kept), [](const std::exception_ptr&) {});
    settle();
    ASSERT_TRUE(kept);
    turns.reset();
    kept.reset();
}

// Flows that take one turn after the other; each lasts for a turn of the loop.
class TurnsShareTest : public testing::Test {
protected:
    void always(char name, Urgency urgency) {
        flows_.spawn(std::string(1, name), go_on(name, urgency));
    }
    asio::awaitable<void> go_on(char name, Urgency urgency) {
        while (order_.size() < turns) {
            const Turns::Turn turn = co_await turns_.take(urgency);
            order_ += name;
            co_await asio::post(loop_, asio::use_awaitable);
        }
    }
    std::ptrdiff_t turns_of(char name) const {
        return std::count(order_.begin(), order_.end(), name);
    }

    static constexpr std::size_t turns = 400;
    asio::io_context loop_{1};
    Turns turns_{loop_.get_executor()};
    TaskGroup flows_{loop_.get_executor()};
    std::string order_;
};

TEST_F(TurnsShareTest, OfThoseWhoAskIsAQuarterOfABusyWire) {
    always('s', Urgency::scan);
    for (const char name : {'q', 'r'}) always(name, Urgency::read);
    loop_.run();
    EXPECT_NEAR(static_cast<double>(turns_of('s')), 300, 10) << order_;
    EXPECT_NEAR(static_cast<double>(turns_of('q')), 50, 5) << order_;
}

TEST_F(TurnsShareTest, OfThoseWhoAskIsAllOfAnIdleWire) {
    for (const char name : {'q', 'r'}) always(name, Urgency::read);
    loop_.run();
    EXPECT_NEAR(static_cast<double>(turns_of('q')), 200, 5) << order_;
}

TEST_F(TurnsShareTest, OfCommandsIsEverySecondTurnWhoeverAsks) {
    always('s', Urgency::scan);
    always('q', Urgency::read);
    for (const char name : {'c', 'd'}) always(name, Urgency::command);
    loop_.run();
    EXPECT_NEAR(static_cast<double>(turns_of('s')), 200, 10) << order_;
    EXPECT_NEAR(static_cast<double>(turns_of('c') + turns_of('d')), 200, 10) << order_;
}

}  // namespace
}  // namespace fieldgate::southbound
