#include "daemon/requests.h"

#include <gtest/gtest.h>

#include "tests/daemon/gate_site.h"

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;
using test::code_of;
using test::get_request;
using test::set_request;

class RequestsTest : public testing::Test {
protected:
    RequestsTest() { start(); }

    void start() {
        gate_.reset();
        gate_.emplace(loop_, config_, folder_.path());
    }
    // All that the rate lets in, and more: reads, which nobody has to remember.
    void empty_the_bucket() {
        for (int i = 0; i < 60; ++i) gate_->take(get_request("get-" + std::to_string(i)), now_);
    }
    /// That of `id`; others' are passed over.
    Order order(const std::string& id) {
        for (;;) {
            Order next = gate_->order();
            if (next.request.id == id) return next;
        }
    }
    void carry_out(const Order& order) {
        ASSERT_TRUE(gate_->requests().begin(order));
        loop_.run(gate_->requests().settle(order, outcome_of(order, codes::success, "written")));
    }
    /// The code that `id` is told; others' answers are passed over.
    int told(const std::string& id) {
        for (;;) {
            const Answers::Ready ready = gate_->next();
            if (ready.request_id == id) return code_of(ready.answer);
        }
    }

    storage::TempFolder folder_;
    storage::Loop loop_;
    Config config_ = test::gate_config();
    std::optional<test::Gate> gate_;
    Instant now_ = Event::Clock::now();
};

TEST_F(RequestsTest, ACopyOfOneUnderWayIsNotToldBusy) {
    gate_->take(set_request("a"), now_);
    const Order order = gate_->order();
    empty_the_bucket();
    gate_->take(set_request("a"), now_);
    carry_out(order);
    EXPECT_EQ(told("a"), codes::success);
    EXPECT_EQ(gate_->requests().counters().copies, 1u);
}

TEST_F(RequestsTest, ACopyOfWhatWasToldBusyDoesNotAct) {
    empty_the_bucket();
    gate_->take(set_request("a"), now_);
    EXPECT_EQ(told("a"), codes::busy);
    now_ += 1min;
    gate_->take(set_request("a"), now_);
    EXPECT_EQ(told("a"), codes::busy);
    gate_->take(set_request("b"), now_);
    EXPECT_EQ(order("b").request.id, "b") << "and it goes on";
}

TEST_F(RequestsTest, EveryoneInAFloodIsToldBusy) {
    empty_the_bucket();
    for (int i = 0; i < 200; ++i) gate_->take(set_request("r-" + std::to_string(i)), now_);
    for (int i = 0; i < 200; ++i) EXPECT_EQ(told("r-" + std::to_string(i)), codes::busy);
}

TEST_F(RequestsTest, ACopyOfWhatBeganTooLateDoesNotAct) {
    gate_->take(set_request("a"), now_);
    const Order order = gate_->order();
    loop_.run(gate_->requests().settle(order, outcome_not_begun(order)));
    EXPECT_EQ(told("a"), codes::busy);
    for (const bool restarted : {false, true}) {
        if (restarted) start();
        gate_->take(set_request("a"), now_);
        EXPECT_EQ(told("a"), codes::busy);
    }
}

TEST_F(RequestsTest, ACopyOfWhatWasDoneIsToldSoWhateverTheRate) {
    gate_->take(set_request("a"), now_);
    carry_out(gate_->order());
    EXPECT_EQ(told("a"), codes::success);
    for (const bool restarted : {false, true}) {
        if (restarted) start();
        empty_the_bucket();
        gate_->take(set_request("a"), now_);
        EXPECT_EQ(told("a"), codes::success);
        now_ += 1min;
    }
}

TEST_F(RequestsTest, AfterARestartWhatMayHaveBeenToldBusyDoesNotAct) {
    empty_the_bucket();
    gate_->take(set_request("a"), now_);
    EXPECT_EQ(told("a"), codes::busy);
    start();
    for (const char* id : {"a", "b"}) {
        gate_->take(set_request(id), now_);
        EXPECT_EQ(told(id), codes::busy) << "nobody knows which it was";
    }
    gate_->take(get_request("c"), now_);
    EXPECT_EQ(order("c").request.id, "c") << "who reads does no harm";
}

TEST_F(RequestsTest, AnotherPayloadUnderAnAnsweredIdIsRefused) {
    gate_->take(set_request("a", "16"), now_);
    carry_out(gate_->order());
    EXPECT_EQ(told("a"), codes::success);
    for (const bool restarted : {false, true}) {
        if (restarted) start();
        gate_->take(set_request("a", "17"), now_);
        EXPECT_EQ(told("a"), codes::malformed);
    }
}

}  // namespace
}  // namespace fieldgate
