// Whatever happens to an answer on its way: an error or the true value, never another one.
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <memory>
#include <random>

#include "southbound/modbus/rtu_link.h"
#include "southbound/modbus/tcp_link.h"
#include "tests/southbound/wire.h"

using namespace std::chrono_literals;

namespace fieldgate::southbound {
namespace {

using lab::Fault;
using lab::FaultKind;
using std::chrono::milliseconds;

struct Verdict {
    std::string name;
    int answers = 0;
    int wrong = 0;
    std::uint64_t lost = 0;  // scans without an answer
    int lost_at_most = 0;    // in a row
    std::uint64_t stale = 0;
    std::uint64_t strikes = 0;  // answers that the fault has spoiled

    bool good(int rounds) const { return wrong == 0 && lost_at_most <= 3 && answers >= 3 * rounds; }
};

// One wire of its own with one device of its own for each trial; all trials at the same time.
struct Trial {
    std::unique_ptr<Link> link;
    lab::Framing framing = lab::Framing::tcp;
    Fault fault;
    milliseconds timeout{100};
    int rounds = 3;
    int scans = 6;             // in each round
    std::uint16_t count = 10;  // registers in each request; 1 or whole blocks
    std::vector<Fault> mix;    // instead of `fault`: one for each scan
    Verdict verdict;
};

class Faults : public testing::Test {
protected:
    void add(lab::Framing framing, const std::string& name, Fault fault, std::uint16_t count,
             milliseconds timeout, int rounds) {
        auto trial = std::make_unique<Trial>();
        trial->verdict.name = name;
        trial->framing = framing;
        trial->fault = fault;
        trial->count = count;
        trial->timeout = timeout;
        trial->rounds = rounds;
        trial->scans = 5 + static_cast<int>(fault.times);
        const auto executor = loop_.get_executor();
        lab::SlaveLimits limits;
        limits.registers = 220;
        if (framing == lab::Framing::tcp) {
            const std::uint16_t port =
                plant_.add_tcp({name, {unit}, lab::certified_values, limits});
            trial->link =
                std::make_unique<modbus::TcpLink>(executor, TcpSettings{"127.0.0.1", port, true});
        } else {
            plant_.add_rtu({name, {unit}, lab::certified_values, limits}, line_path(name));
            trial->link =
                std::make_unique<modbus::RtuLink>(executor, fast_line(line_path(name)), 0ms);
        }
        trials_.push_back(std::move(trial));
    }

    void run_all() {
        // Not all at once: a machine that is busy makes answers late, too.
        constexpr std::size_t at_once = 24;
        for (std::size_t first = 0; first < trials_.size(); first += at_once) {
            const std::size_t end = std::min(first + at_once, trials_.size());
            std::vector<Trial*> batch;
            for (std::size_t i = first; i < end; ++i) batch.push_back(trials_[i].get());
            run_until_undisturbed(std::move(batch));
        }
        // A fault that does not strike proves nothing.
        for (const auto& trial : trials_) {
            const auto one = static_cast<std::uint64_t>(trial->rounds) * trial->fault.times;
            const auto meant = trial->mix.empty() ? one : trial->mix.size() / 4;
            EXPECT_GE(trial->verdict.strikes, std::max<std::uint64_t>(meant, 1))
                << trial->verdict.name;
        }
    }

    // Where the machine stood still, answers were later than the trial says: what was lost
    // meanwhile is tried again. A wrong value is not excused by that; only on a serial line, whose
    // answers carry no number, by a machine that stood for longer than a whole timeout: then
    // several answers in a row were later than any guarantee holds for.
    void run_until_undisturbed(std::vector<Trial*> batch) {
        constexpr int tries_max = 10;
        for (int tries = 0; tries < tries_max && !batch.empty(); ++tries) {
            (void)plant_.longest_stall();
            for (Trial* trial : batch) {
                Verdict fresh;
                fresh.name = trial->verdict.name;
                fresh.wrong = trial->verdict.wrong;
                trial->verdict = fresh;
                start(loop_, perform(*trial));
            }
            loop_.restart();
            loop_.run();
            const auto stall = plant_.longest_stall();
            // Twice it, for the request and for the answer, within the half timeout of a link.
            if (stall < batch.front()->timeout / 5) return;
            for (Trial* trial : batch)
                if (trial->framing == lab::Framing::rtu && stall > trial->timeout)
                    trial->verdict.wrong = 0;
            std::erase_if(batch, [](const Trial* t) {
                return !t->mix.empty() || t->verdict.good(t->rounds);
            });
        }
    }

    // Reads of equal length of two places in turn: an old answer to one looks like one to the
    // other.
    asio::awaitable<void> perform(Trial& trial) {
        const std::uint64_t stale_before = trial.link->stale();
        const std::uint64_t strikes_before = plant_.strikes(trial.verdict.name, unit);
        for (int round = 0; round < trial.rounds; ++round) {
            if (trial.mix.empty()) plant_.set_fault(trial.verdict.name, unit, trial.fault);
            int lost = 0;
            for (int scan = 0; scan < trial.scans; ++scan) {
                const auto number = static_cast<std::size_t>(scan);
                if (!trial.mix.empty())
                    plant_.set_fault(trial.verdict.name, unit, trial.mix.at(number));
                const auto first = static_cast<std::uint16_t>(scan % 2 == 0 ? 100 : 200);
                const bool answered = co_await scan_once(trial, first);
                lost = answered ? 0 : lost + 1;
                if (!answered) ++trial.verdict.lost;
                trial.verdict.lost_at_most = std::max(trial.verdict.lost_at_most, lost);
            }
        }
        trial.verdict.stale = trial.link->stale() - stale_before;
        trial.verdict.strikes = plant_.strikes(trial.verdict.name, unit) - strikes_before;
    }

    asio::awaitable<bool> scan_once(Trial& trial, std::uint16_t block) {
        // A single register that says its place is the second one of a block.
        const bool single = trial.count == 1;
        const auto first = static_cast<std::uint16_t>(block + (single ? 1 : 0));
        const Request request = holding(unit, first, trial.count);
        const std::uint32_t before = lab::answers_given();
        const Result<Reply> reply = co_await trial.link->transact(request, trial.timeout);
        if (!reply && reply.error().code == Errc::closed) co_await after_a_lost_connection();
        if (!reply) co_return false;
        ++trial.verdict.answers;
        const bool right =
            single ? words(reply->pdu).at(0) == block : is_true(reply->pdu, unit, block, before);
        if (!right) ++trial.verdict.wrong;
        co_return true;
    }

    // A link does not try to connect again at once; a schedule's periods are longer than that.
    asio::awaitable<void> after_a_lost_connection() {
        asio::steady_timer timer(loop_, 120ms);
        co_await timer.async_wait(asio::use_awaitable);
    }

    static constexpr std::uint8_t unit = 7;
    asio::io_context loop_{1};
    lab::Plant plant_;
    std::vector<std::unique_ptr<Trial>> trials_;
};

struct Named {
    const char* name;
    Fault fault;
};

const std::vector<Named>& all_faults() {
    static const std::vector<Named> faults{
        {"silent", {FaultKind::silent, 0ms, 0, 1}},
        {"silent-twice", {FaultKind::silent, 0ms, 0, 2}},
        {"truncated", {FaultKind::truncated, 0ms, 0, 1}},
        {"wrong-unit", {FaultKind::wrong_unit, 0ms, 0, 1}},
        {"wrong-transaction", {FaultKind::wrong_transaction, 0ms, 0, 1}},
        {"wrong-protocol", {FaultKind::wrong_protocol, 0ms, 0, 1}},
        {"wrong-function", {FaultKind::wrong_function, 0ms, 0, 1}},
        {"wrong-length", {FaultKind::wrong_length, 0ms, 0, 1}},
        {"wrong-header", {FaultKind::wrong_header, 0ms, 0, 1}},
        {"wrong-byte-count", {FaultKind::wrong_byte_count, 0ms, 0, 1}},
        {"wrong-checksum", {FaultKind::wrong_checksum, 0ms, 0, 1}},
        {"dribble", {FaultKind::dribble, 10ms, 0, 1}},
        {"stray-before", {FaultKind::stray_before, 0ms, 0, 1}},
        {"noise-before", {FaultKind::noise_before, 0ms, 0, 1}},
        {"noise-inside", {FaultKind::noise_inside, 0ms, 0, 1}},
        {"noise-after", {FaultKind::noise_after, 0ms, 0, 1}},
        {"busy", {FaultKind::exception, 0ms, 6, 1}},
        {"drop", {FaultKind::drop, 0ms, 0, 1}},
        {"close-after", {FaultKind::close_after, 0ms, 0, 1}}};
    return faults;
}

TEST_F(Faults, NeverMakeAWrongValueAndAreOverAfterThreeScans) {
    const int rounds = campaign() ? 30 : 2;
    for (const std::uint16_t count : {std::uint16_t{10}, std::uint16_t{1}})
        for (const Named& f : all_faults()) {
            const std::string name = f.name + std::string("-") + std::to_string(count);
            add(lab::Framing::tcp, "tcp-" + name, f.fault, count, 100ms, rounds);
            add(lab::Framing::rtu, "rtu-" + name, f.fault, count, 100ms, rounds);
        }
    run_all();
    for (const auto& trial : trials_) {
        const Verdict& v = trial->verdict;
        EXPECT_EQ(v.wrong, 0) << v.name;
        EXPECT_LE(v.lost_at_most, 3) << v.name;
        EXPECT_GE(v.answers, 3 * rounds) << v.name;
    }
}

TEST_F(Faults, LateAnswersAreNeverTakenForNewOnes) {
    const milliseconds timeout = campaign() ? 500ms : 200ms;
    const milliseconds step = campaign() ? 50ms : 20ms;
    const int rounds = campaign() ? 10 : 2;
    for (milliseconds delay = timeout * 9 / 10; delay <= 3 * timeout; delay += step)
        for (const auto kind : {FaultKind::late, FaultKind::overtaken})
            for (const std::uint16_t count : {std::uint16_t{10}, std::uint16_t{1}}) {
                const Fault fault{kind, delay, 0, 1};
                const std::string name = (kind == FaultKind::late ? "late-" : "overtaken-") +
                                         std::to_string(delay.count()) + "-" +
                                         std::to_string(count);
                add(lab::Framing::tcp, "tcp-" + name, fault, count, timeout, rounds);
                add(lab::Framing::rtu, "rtu-" + name, fault, count, timeout, rounds);
            }
    run_all();
    for (const auto& trial : trials_) {
        const Verdict& v = trial->verdict;
        EXPECT_EQ(v.wrong, 0) << v.name;
        EXPECT_LE(v.lost_at_most, v.name.starts_with("rtu") ? 3 : 5) << v.name;
        // TCP loses one scan for each late answer: the one of each round, and those that it held
        // up, which were all seen and dropped.
        const auto late_answers =
            std::max<std::uint64_t>(v.stale, static_cast<std::uint64_t>(rounds));
        EXPECT_LE(v.name.starts_with("tcp") ? v.lost : 0, late_answers) << v.name;
        EXPECT_GE(v.answers, 3 * rounds) << v.name;
    }
}

// A device that is slow for a while: each answer waits for the one before it.
TEST_F(Faults, SeveralLateAnswersInARowAreNeverTakenForNewOnes) {
    const milliseconds timeout = campaign() ? 500ms : 200ms;
    const milliseconds step = campaign() ? 100ms : 70ms;
    const int rounds = campaign() ? 10 : 1;
    constexpr unsigned times = 3;
    for (milliseconds delay = timeout * 9 / 10; delay <= 3 * timeout; delay += step)
        for (const auto kind : {FaultKind::late, FaultKind::overtaken})
            for (const std::uint16_t count : {std::uint16_t{10}, std::uint16_t{1}}) {
                const Fault fault{kind, delay, 0, times};
                const std::string name =
                    (kind == FaultKind::late ? "three-late-" : "three-overtaken-") +
                    std::to_string(delay.count()) + "-" + std::to_string(count);
                add(lab::Framing::tcp, "tcp-" + name, fault, count, timeout, rounds);
                add(lab::Framing::rtu, "rtu-" + name, fault, count, timeout, rounds);
            }
    run_all();
    for (const auto& trial : trials_) {
        const Verdict& v = trial->verdict;
        EXPECT_EQ(v.wrong, 0) << v.name;
        // On TCP what waits behind a late answer is late as well.
        const bool alone = v.name.starts_with("rtu") || trial->fault.kind == FaultKind::overtaken;
        EXPECT_LE(alone ? v.lost : 0, times * static_cast<unsigned>(rounds)) << v.name;
        EXPECT_GE(v.answers, rounds) << v.name;
    }
}

TEST_F(Faults, ADeviceThatIsAlwaysLateGivesNoWrongValue) {
    const milliseconds timeout = campaign() ? 500ms : 200ms;
    for (int percent = 200; percent <= 260; percent += campaign() ? 5 : 10)
        for (const std::uint16_t count : {std::uint16_t{10}, std::uint16_t{1}})
            for (const auto framing : {lab::Framing::tcp, lab::Framing::rtu}) {
                const Fault fault{FaultKind::late, timeout * percent / 100, 0, 0};
                const std::string name = (framing == lab::Framing::tcp ? "tcp-" : "rtu-") +
                                         std::to_string(percent) + "-" + std::to_string(count);
                add(framing, name, fault, count, timeout, 1);
                trials_.back()->scans = campaign() ? 60 : 20;
            }
    run_all();
    for (const auto& trial : trials_) EXPECT_EQ(trial->verdict.wrong, 0) << trial->verdict.name;
}

// Later than a link waits. What proves that such an answer is gone is the order of the answers.
TEST_F(Faults, AnAnswerLaterThanEverExpectedIsNeverTakenForANewOne) {
    const milliseconds timeout = campaign() ? 500ms : 200ms;
    const int rounds = campaign() ? 5 : 1;
    for (const int tenths : {37, 42, 50, 64, 83, 120})
        for (const std::uint16_t count : {std::uint16_t{10}, std::uint16_t{1}})
            for (const auto framing : {lab::Framing::tcp, lab::Framing::rtu}) {
                const Fault fault{FaultKind::late, timeout * tenths / 10, 0, 1};
                const std::string name = (framing == lab::Framing::tcp ? "tcp-" : "rtu-") +
                                         std::to_string(tenths) + "-" + std::to_string(count);
                add(framing, name, fault, count, timeout, rounds);
                trials_.back()->scans = 20;
            }
    run_all();
    for (const auto& trial : trials_) {
        EXPECT_EQ(trial->verdict.wrong, 0) << trial->verdict.name;
        EXPECT_GE(trial->verdict.answers, rounds) << trial->verdict.name;
    }
}

// One after the other, each before the last is over.
TEST_F(Faults, OfEveryKindInAnyOrderNeverMakeAWrongValue) {
    const milliseconds timeout = campaign() ? 200ms : 100ms;
    std::mt19937 random(11);
    for (int number = 0; number < (campaign() ? 40 : 8); ++number) {
        const auto framing = number % 2 == 0 ? lab::Framing::tcp : lab::Framing::rtu;
        const auto count = static_cast<std::uint16_t>(number % 4 < 2 ? 10 : 1);
        add(framing, "mix-" + std::to_string(number), {}, count, timeout, 1);
        Trial& trial = *trials_.back();
        trial.scans = campaign() ? 200 : 24;
        for (int scan = 0; scan < trial.scans; ++scan) {
            const std::size_t kind = random() % (all_faults().size() + 6);
            Fault fault;  // none, as often as two others
            if (kind < all_faults().size()) fault = all_faults()[kind].fault;
            const milliseconds late = timeout * (9 + random() % 16) / 10;
            if (kind >= all_faults().size() + 2)
                fault = {random() % 2 == 0 ? FaultKind::late : FaultKind::overtaken, late, 0, 1};
            trial.mix.push_back(fault);
        }
    }
    run_all();
    for (const auto& trial : trials_) {
        EXPECT_EQ(trial->verdict.wrong, 0) << trial->verdict.name;
        EXPECT_GE(trial->verdict.answers, trial->scans / 8) << trial->verdict.name;
    }
}

TEST_F(Faults, ExceptionsAreReportedWithTheirCode) {
    for (const auto framing : {lab::Framing::tcp, lab::Framing::rtu}) {
        const std::string name = framing == lab::Framing::tcp ? "tcp" : "rtu";
        add(framing, name, {}, 10, 300ms, 1);
        Link& link = *trials_.back()->link;
        for (std::uint8_t code = 1; code <= 11; ++code) {
            plant_.set_fault(name, unit, {FaultKind::exception, 0ms, code, 1});
            const Request request = holding(unit, 0, 10);
            const Result<Reply> reply = run(loop_, link.transact(request, 300ms));
            ASSERT_FALSE(reply);
            EXPECT_EQ(reply.error().code, Errc::refused) << name << ": " << reply.error().what;
            EXPECT_EQ(reply.error().detail, code);
        }
    }
}

TEST_F(Faults, ADribblingDeviceHoldsTheWireNoLongerThanItsTimeout) {
    for (const auto framing : {lab::Framing::tcp, lab::Framing::rtu}) {
        const std::string name = framing == lab::Framing::tcp ? "tcp" : "rtu";
        add(framing, name, {}, 10, 200ms, 1);
        Link& link = *trials_.back()->link;
        const Request request = holding(unit, 0, 10);
        ASSERT_TRUE(run(loop_, link.transact(request, 200ms)));
        plant_.set_fault(name, unit, {FaultKind::dribble, 150ms, 0, 1});
        const auto begin = std::chrono::steady_clock::now();
        const Result<Reply> reply = run(loop_, link.transact(request, 200ms));
        const auto took = std::chrono::steady_clock::now() - begin;
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().code, Errc::timeout) << name;
        EXPECT_LE(took, 300ms) << name;
    }
}

}  // namespace
}  // namespace fieldgate::southbound
