#include "daemon/gate/requests.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/daemon/gate/site.h"
#include "tests/storage/fault_vfs.h"

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
        gate_.emplace(loop_, config_, folder_->path());
    }
    // The next life has what is on disk at this moment.
    void die() {
        auto remains = std::make_unique<storage::TempFolder>();
        storage::copy_at_rest(folder_->path(), remains->path());
        disk_.fail(Fault::none);
        disk_.hold_reads(false);
        gate_.reset();
        folder_ = std::move(remains);
        start();
    }
    // All that the rate lets in, and more: reads, which nobody has to remember.
    void empty_the_bucket() {
        for (int i = 0; i < 60; ++i) gate_->take(get_request("get-" + std::to_string(i)), now_);
    }
    /// That of `id`; others' are passed over.
    Order order(const std::string& id) {
        for (;;) {
            Order next = gate_->order();
            if (next.id == id) return next;
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

    using Fault = storage::FaultVfs::Fault;

    storage::FaultVfs disk_;
    std::unique_ptr<storage::TempFolder> folder_ = std::make_unique<storage::TempFolder>();
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
    EXPECT_EQ(order("b").id, "b") << "and it goes on";
}

TEST_F(RequestsTest, InAFloodEveryoneIsToldBusyOrCounted) {
    empty_the_bucket();
    const std::uint64_t before = gate_->requests().answers().given_up();
    for (int i = 0; i < 200; ++i) gate_->take(set_request("r-" + std::to_string(i)), now_);
    const std::uint64_t given_up = gate_->requests().answers().given_up() - before;
    EXPECT_LT(given_up, 200u);
    EXPECT_EQ(told("r-0"), codes::busy);
    EXPECT_EQ(told("r-9"), codes::busy);
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
    EXPECT_EQ(order("c").id, "c") << "who reads does no harm";
}

TEST_F(RequestsTest, WhatTheFailingDiskCouldNotNoteTheNextLifeDoesNotDoEither) {
    for (const Fault fault : {Fault::full, Fault::write_error, Fault::sync_error}) {
        disk_.fail(fault);
        const std::string id = "a" + std::to_string(static_cast<int>(fault));
        gate_->take(set_request(id), now_);
        EXPECT_EQ(told(id), codes::not_noted);
        die();
        gate_->take(set_request(id), now_);
        const int code = told(id);
        EXPECT_TRUE(code == codes::busy || code == codes::unknown) << code;
    }
}

TEST_F(RequestsTest, WhatWasToldBusyWithoutAStoreTheNextLivesDoNotDo) {
    gate_.reset();
    disk_.fail(Fault::read_error);
    start();
    gate_->take(set_request("a"), now_);
    EXPECT_EQ(told("a"), codes::busy);
    die();
    die();
    gate_->take(set_request("a"), now_);
    EXPECT_EQ(told("a"), codes::busy);
    gate_->take(set_request("b"), now_);
    EXPECT_EQ(told("b"), codes::busy) << "nobody knows that it is none of them";
}

TEST_F(RequestsTest, WhereNoWordIsLeftForTheNextLifeNobodyIsToldNo) {
    storage::fs::create_directory(folder_->path() + "/control.unnoted");
    disk_.fail(Fault::full);
    gate_->take(set_request("a"), Event::Clock::now() - Answers::patience + 50ms);
    EXPECT_EQ(told("a"), codes::unknown);
}

TEST_F(RequestsTest, WhatCameBeforeTheStoreWasOpenIsToldWhenItIs) {
    gate_->take(set_request("a"), now_);
    carry_out(gate_->order());
    gate_.reset();
    disk_.hold_reads(true);
    gate_.emplace(loop_, config_, folder_->path(), false);
    gate_->take(set_request("a"), now_);
    gate_->take(set_request("b"), now_);
    EXPECT_TRUE(loop_.until([&] { return disk_.holds_one(); }));
    disk_.hold_reads(false);
    EXPECT_EQ(told("a"), codes::success) << "an earlier life has done it";
    EXPECT_EQ(told("b"), codes::busy);
    die();
    gate_->take(set_request("b"), now_);
    EXPECT_EQ(told("b"), codes::busy);
}

TEST_F(RequestsTest, ACopyOfWhatAnEarlierLifeHasBegunIsNotToldBusy) {
    gate_->take(set_request("a"), now_);
    ASSERT_TRUE(gate_->requests().begin(order("a")));
    start();
    empty_the_bucket();
    for (int i = 0; i < 20; ++i) gate_->take(set_request("a"), now_);
    gate_->take(set_request("b"), now_);
    for (std::string id; id != "b"; id = gate_->next().request_id)
        ASSERT_NE(id, "a") << "there is no time to look what became of it";
    now_ += 1min;
    gate_->take(set_request("a"), now_);
    EXPECT_EQ(told("a"), codes::unknown);
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

TEST_F(RequestsTest, WhatMakesNoSenseGetsNoAnswerUnderAnIdThatHasOne) {
    const auto take_malformed = [&] {
        northbound::Malformed malformed{"a", northbound::SetAnswer{codes::malformed, ""}, "", {}};
        gate_->requests().take(malformed, now_);
    };
    gate_->take(set_request("a"), now_);
    const Order first = order("a");
    take_malformed();
    carry_out(first);
    take_malformed();
    gate_->take(set_request("b", "1000"), now_);
    EXPECT_EQ(code_of(gate_->next().answer), codes::success);
    EXPECT_EQ(gate_->next().request_id, "b") << "and nothing more for a";
}

TEST_F(RequestsTest, WhatIsHeardTooLateIsToldBusyAndNotDone) {
    gate_->take(set_request("a"), Event::Clock::now() - Answers::patience);
    EXPECT_EQ(told("a"), codes::busy);
    gate_->take(set_request("a"), now_);
    EXPECT_EQ(told("a"), codes::busy);
    die();
    gate_->take(set_request("a"), now_);
    EXPECT_EQ(told("a"), codes::busy);
}

TEST_F(RequestsTest, EveryIdThatThePlatformMayUseCanBeNoted) {
    for (const std::size_t length : {1U, 248U, 249U, 256U}) {
        const std::string id(length, 'x');
        gate_->take(set_request(id), now_);
        carry_out(order(id));
        EXPECT_EQ(told(id), codes::success) << length;
    }
}

TEST_F(RequestsTest, AnOutcomeOfAnyLengthIsNoted) {
    for (const char* each : {"x", "\n", "\xC3\xA4"}) {
        std::string text;
        while (text.size() < 200'000) text += each;
        const std::string id = std::to_string(text.size()) + each[0];
        gate_->take(set_request("a" + id), now_);
        const Order order = gate_->order();
        ASSERT_TRUE(gate_->requests().begin(order));
        loop_.run(gate_->requests().settle(order, outcome_of(order, codes::success, text)));
        EXPECT_EQ(gate_->store().ledger().under_way(), 0u);
    }
}

TEST_F(RequestsTest, NoFloodWashesFromTheAuditWhatWasWritten) {
    gate_->take(set_request("a"), now_);
    carry_out(gate_->order());
    for (int i = 0; i < 10'200; ++i, now_ += 100ms) {
        const std::string id = "no-" + std::to_string(i);
        if (i % 3 == 0) gate_->take(set_request(id, "1000"), now_);
        if (i % 3 == 1) gate_->requests().take(northbound::Malformed{id, {}, "no JSON", {}}, now_);
        if (i % 3 == 2) gate_->take(set_request(id, "\"x\""), now_);
        loop_.loop.poll();
    }
    gate_->requests().audit_counts(Instant::max());
    // The ledger's next note takes with it what waits.
    gate_->take(set_request("b"), now_);
    static_cast<void>(order("b"));
    const auto rows = loop_.run(gate_->store().audit().read(0, 20'000));
    ASSERT_TRUE(rows);
    EXPECT_LE(rows->size(), 10u);
    EXPECT_EQ(rows->front().entry.result, "written");
    std::uint64_t counted = 0;
    for (const storage::AuditRow& row : *rows)
        if (row.entry.result.find(" more within") != std::string::npos)
            counted += std::stoull(row.entry.result);
    EXPECT_EQ(counted + 2, 10'200u) << "each refusal is in the count";
    EXPECT_EQ(gate_->requests().counters().malformed, 3400u);
}

// It acted, and died before it could say so; now the disk takes nothing, and nobody can look.
TEST_F(RequestsTest, OfWhatAnEarlierLifeHasBegunItIsNeverSaidThatItWasNotDone) {
    gate_->take(set_request("a"), now_);
    ASSERT_TRUE(gate_->requests().begin(order("a")));
    die();
    for (const Fault fault : {Fault::full, Fault::write_error, Fault::sync_error}) {
        disk_.fail(fault);
        gate_->take(set_request("a"), now_);
        EXPECT_EQ(told("a"), codes::unknown);
        disk_.fail(Fault::none);
        die();
    }
}

}  // namespace
}  // namespace fieldgate
