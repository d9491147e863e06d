#include "daemon/answers.h"

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

using namespace std::chrono_literals;

namespace fieldgate {
namespace {

namespace codes = northbound::result_code;

northbound::Request request(const std::string& id) {
    return {id, "d", northbound::SetProperties{}, ""};
}

northbound::Answer done() { return northbound::SetAnswer{codes::success, "written"}; }

class AnswersTest : public testing::Test {
protected:
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
    const Instant now = Event::Clock::now();
    EXPECT_TRUE(answers_.owe(request("a"), now));
    EXPECT_FALSE(answers_.owe(request("a"), now)) << "a copy of one that is under way";
    answers_.give("a", done());
    answers_.give("a", done());
    EXPECT_EQ(next()->request_id, "a");
    EXPECT_EQ(answers_.owed(), 0u);
}

TEST_F(AnswersTest, SaysBusyForWhatDidNotBeginAndUnknownForWhatDid) {
    const Instant long_ago = Event::Clock::now() - Answers::patience;
    ASSERT_TRUE(answers_.owe(request("waiting"), long_ago));
    ASSERT_TRUE(answers_.owe(request("writing"), long_ago));
    ASSERT_TRUE(answers_.begin("writing"));
    const auto first = next();
    const auto second = next();
    EXPECT_EQ(first->request_id, "waiting");
    EXPECT_EQ(code(first), codes::busy);
    EXPECT_EQ(second->request_id, "writing");
    EXPECT_EQ(code(second), codes::unknown);
    EXPECT_FALSE(answers_.begin("waiting")) << "it was told busy: it must not act now";
    answers_.give("writing", done());
    EXPECT_EQ(answers_.late(), 2u);
}

TEST_F(AnswersTest, GivesUpWhatIsTooMuchAndCountsIt) {
    for (std::size_t i = 0; i < Answers::refusals_max + 3; ++i) answers_.refuse("x", done());
    EXPECT_EQ(answers_.given_up(), 3u);
    ASSERT_TRUE(answers_.owe(request("a"), Event::Clock::now()));
    answers_.give("a", done());
    EXPECT_EQ(next()->request_id, "a") << "what was done goes before what was refused";
}

}  // namespace
}  // namespace fieldgate
