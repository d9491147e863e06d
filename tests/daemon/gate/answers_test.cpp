#include "daemon/gate/answers.h"

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;

northbound::Request request(const std::string& id) {
    return {id, "d", northbound::SetProperties{}, "digest of " + id};
}

northbound::Answer busy() { return northbound::SetAnswer{codes::busy, "busy"}; }
northbound::Answer done() { return northbound::SetAnswer{codes::success, "written"}; }

class AnswersTest : public testing::Test {
protected:
    using Known = Answers::Known;
    AnswersTest() { answers_.open(); }

    static Instant now() { return Event::Clock::now(); }
    void owe_and_give(const std::string& id, Instant received) {
        answers_.owe(request(id), received, false);
        answers_.give(id, done());
    }

    std::optional<Answers::Ready> next() {
        std::optional<Answers::Ready> ready;
        asio::co_spawn(loop_, take(answers_, ready), asio::detached);
        loop_.restart();
        loop_.run();
        return ready;
    }
    static asio::awaitable<void> take(Answers& answers, std::optional<Answers::Ready>& ready) {
        ready = co_await answers.next();
    }
    static int code(const std::optional<Answers::Ready>& ready) {
        return std::get<northbound::SetAnswer>(ready->answer).code;
    }

    asio::io_context loop_{1};
    Answers answers_{loop_.get_executor()};
};

TEST_F(AnswersTest, GivesEachRequestOneAnswer) {
    EXPECT_EQ(answers_.known(request("a")), Known::no);
    answers_.owe(request("a"), Event::Clock::now(), false);
    EXPECT_EQ(answers_.known(request("a")), Known::owed) << "a copy of one that is under way";
    answers_.give("a", done());
    answers_.give("a", done());
    EXPECT_EQ(next()->request_id, "a");
    EXPECT_EQ(answers_.owed(), 0u);
}

TEST_F(AnswersTest, RepeatsWhatAnIdWasTold) {
    answers_.owe(request("done"), Event::Clock::now(), false);
    answers_.give("done", done());
    answers_.refuse(request("no"), busy(), now(), false);
    for (const char* id : {"done", "no"}) {
        EXPECT_EQ(answers_.known(request(id)), Known::told);
        answers_.repeat(request(id), now());
    }
    EXPECT_EQ(code(next()), codes::success);
    EXPECT_EQ(code(next()), codes::busy);
    EXPECT_EQ(code(next()), codes::success);
    EXPECT_EQ(code(next()), codes::busy);
    northbound::Request other = request("done");
    other.digest = "of something else";
    EXPECT_EQ(answers_.known(other), Known::different);
}

TEST_F(AnswersTest, TheDeadlineOfOneThatIsAnsweredEndsNoOther) {
    const Instant now = Event::Clock::now();
    northbound::Request get = request("a");
    get.ask = northbound::GetProperties{};
    answers_.owe(get, now - Answers::patience, false);
    answers_.give("a", northbound::GetAnswer());
    answers_.owe(get, now, false);
    EXPECT_EQ(next()->request_id, "a");
    EXPECT_EQ(answers_.owed(), 1u) << "it is asked again, and has 14 s";
    EXPECT_EQ(answers_.late(), 0u);
}

TEST_F(AnswersTest, LeavesToTheLedgerWhatIsLong) {
    answers_.owe(request("a"), Event::Clock::now(), false);
    answers_.give("a", northbound::SetAnswer{codes::success, std::string(5000, 'x')});
    EXPECT_EQ(answers_.known(request("a")), Known::noted);
}

TEST_F(AnswersTest, TellsWhatNobodyElseWillKnowOnlyIfThatIsAllowed) {
    answers_.refuse(request("a"), busy(), now(), true);
    answers_.refuse(request("b"), busy(), now(), false);
    EXPECT_TRUE(answers_.holds());
    EXPECT_EQ(next()->request_id, "b");
    answers_.allow_unnoted(true);
    EXPECT_EQ(next()->request_id, "a");
    answers_.allow_unnoted(false);
    answers_.repeat(request("a"), now());
    answers_.allow_unnoted(false);
    EXPECT_TRUE(answers_.holds());
    answers_.give_up_held();
    EXPECT_EQ(answers_.given_up(), 1u);
}

TEST_F(AnswersTest, TellsNoRefusalThatItCouldNotRemember) {
    answers_.refuse(request("0"), busy(), now(), false);
    for (std::size_t i = 1; i < Verdicts::refusals_max; ++i) {
        answers_.owe(request(std::to_string(i)), Event::Clock::now(), false);
        answers_.give(std::to_string(i), done());
    }
    answers_.refuse(request("one more"), busy(), now(), false);
    EXPECT_EQ(answers_.given_up(), 1u);
    EXPECT_EQ(answers_.known(request("one more")), Known::no);
    EXPECT_EQ(answers_.known(request("0")), Known::told) << "a copy of it may still come";
}

TEST_F(AnswersTest, SaysBusyForWhatDidNotBeginAndUnknownForWhatDid) {
    const Instant long_ago = Event::Clock::now() - Answers::patience;
    answers_.owe(request("waiting"), long_ago, true);
    answers_.owe(request("writing"), long_ago, true);
    answers_.owe(request("being noted"), long_ago, true);
    ASSERT_TRUE(answers_.noted("waiting"));
    ASSERT_TRUE(answers_.noted("writing"));
    ASSERT_TRUE(answers_.begin("writing"));
    const auto first = next();
    const auto second = next();
    EXPECT_EQ(code(next()), codes::unknown) << "the disk may have it or not";
    EXPECT_EQ(first->request_id, "waiting");
    EXPECT_EQ(code(first), codes::busy);
    EXPECT_EQ(second->request_id, "writing");
    EXPECT_EQ(code(second), codes::unknown);
    EXPECT_FALSE(answers_.begin("waiting")) << "it was told busy: it must not act now";
    answers_.give("writing", done());
    EXPECT_EQ(answers_.late(), 3u);
}

TEST_F(AnswersTest, LetsRefusalsGoAtAPaceOfTheirOwn) {
    for (std::size_t i = 0; i < Answers::refusals_max; ++i) answers_.refuse("x", busy(), now());
    const Instant begin = Event::Clock::now();
    for (int i = 0; i < Answers::refusals_burst + 3; ++i) {
        const auto refusal = next();
        EXPECT_EQ(refusal->rank, northbound::Rank::ordinary);
        answers_.sent(refusal->rank);
    }
    EXPECT_GE(Event::Clock::now() - begin, 3s / Answers::refusals_per_second);
    answers_.owe(request("a"), Event::Clock::now(), false);
    answers_.give("a", done());
    const auto answer = next();
    EXPECT_EQ(answer->request_id, "a") << "what was done waits for none of them";
    EXPECT_EQ(answer->rank, northbound::Rank::urgent);
}

TEST_F(AnswersTest, RefusalsThatAreNotAcknowledgedHoldUpNoAnswer) {
    for (std::size_t i = 0; i < Answers::sending_max; ++i) {
        answers_.refuse("x", busy(), now());
        EXPECT_EQ(next()->request_id, "x");
    }
    answers_.owe(request("a"), Event::Clock::now(), false);
    answers_.give("a", done());
    EXPECT_EQ(next()->request_id, "a");
}

TEST_F(AnswersTest, GivesNothingWhileThereIsNoLink) {
    for (const char* id : {"a", "b"}) owe_and_give(id, now());
    answers_.refuse(request("c"), busy(), now(), false);
    auto first = next();
    answers_.lost(std::move(*first), answers_.link(), 1, now());
    std::optional<Answers::Ready> given;
    asio::co_spawn(loop_, take(answers_, given), asio::detached);
    loop_.restart();
    loop_.poll();
    EXPECT_FALSE(given);
    answers_.open();
    loop_.restart();
    loop_.run();
    EXPECT_EQ(given->request_id, "a") << "with the next link, and at once";
}

TEST_F(AnswersTest, AnAnswerOutlivesALink) {
    owe_and_give("a", now());
    auto answer = next();
    const std::uint64_t link = answers_.link();
    answers_.lost(std::move(*answer), link, 1, now());
    EXPECT_FALSE(answers_.next_alone(now()));
    answers_.open();
    answer = next();
    EXPECT_EQ(answer->request_id, "a");
    EXPECT_EQ(code(answer), codes::success);
    owe_and_give("b", now());
    auto other = next();
    answers_.lost(std::move(*other), link, 0, now());  // late news of the link before
    EXPECT_EQ(next()->request_id, "b");
    EXPECT_EQ(answers_.given_up(), 0u);
}

TEST_F(AnswersTest, GivesUpWhatNobodyWaitsForAnyMore) {
    owe_and_give("a", now() - Answers::of_use + 10ms);
    owe_and_give("b", now());
    auto answer = next();
    answers_.lost(std::move(*answer), answers_.link(), 2, now() + 10ms);
    EXPECT_EQ(answers_.given_up(), 1u);
    answers_.open();
    EXPECT_EQ(next()->request_id, "b");
}

TEST_F(AnswersTest, GivesUpWhatIsAloneWhenALinkIsLostAgain) {
    owe_and_give("innocent", now());
    owe_and_give("poison", now());
    auto innocent = next();
    auto poison = next();
    for (int i = 0; i < 2; ++i) {
        answers_.lost(std::move(*innocent), answers_.link(), 2, now());
        answers_.lost(std::move(*poison), answers_.link(), 2, now());
        if (i > 0) break;
        answers_.open();
        poison = next();
        innocent = next();
    }
    poison = answers_.next_alone(now());
    EXPECT_EQ(poison->request_id, "poison") << "it went as the last of the two";
    answers_.lost(std::move(*poison), answers_.link(), 1, now());
    EXPECT_EQ(answers_.given_up(), 1u);
    innocent = answers_.next_alone(now());
    EXPECT_EQ(innocent->request_id, "innocent");
    answers_.sent(innocent->rank);
    EXPECT_FALSE(answers_.next_alone(now()));
}

TEST_F(AnswersTest, GivesUpWhatIsTooMuchAndCountsIt) {
    for (std::size_t i = 0; i < Answers::refusals_max + 3; ++i) answers_.refuse("x", done(), now());
    EXPECT_EQ(answers_.given_up(), 3u);
    answers_.owe(request("a"), Event::Clock::now(), false);
    answers_.give("a", done());
    EXPECT_EQ(next()->request_id, "a") << "what was done goes before what was refused";
}

}  // namespace
}  // namespace fieldgate
