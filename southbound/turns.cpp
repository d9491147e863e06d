#include "southbound/turns.h"

#include <asio/post.hpp>
#include <list>

#include "base/event.h"

namespace fieldgate::southbound {
namespace {

struct Waiter {
    explicit Waiter(const asio::any_io_executor& loop) : called(loop) {}
    Event called;
    bool has_turn = false;
};

}  // namespace

struct Turns::State : std::enable_shared_from_this<Turns::State> {
    explicit State(asio::any_io_executor executor) : loop(std::move(executor)) {}

    std::list<Waiter*>& queue(Urgency urgency) {
        if (urgency == Urgency::command) return commands;
        return urgency == Urgency::read ? reads : scans;
    }

    void pass_on() {
        taken = false;
        if (last == Urgency::command && !scans.empty()) return give(Urgency::scan);
        if (!commands.empty()) return give(Urgency::command);
        const bool scan_first = scans_since_read < scans_for_a_read;
        if (scan_first && !scans.empty()) return give(Urgency::scan);
        if (reads.empty()) return give(Urgency::scan);
        if (!scan_first) return give(Urgency::read);
        // The next scan may be due: whoever scans takes the wire before this comes up, or sleeps.
        asio::post(loop, [state = shared_from_this()] {
            if (!state->taken && !state->reads.empty()) state->give(Urgency::read);
        });
    }

    void give(Urgency next) {
        std::list<Waiter*>& waiting = queue(next);
        if (waiting.empty()) return;
        Waiter& first = *waiting.front();
        waiting.pop_front();
        begin(next);
        first.has_turn = true;
        first.called.notify();
    }

    void begin(Urgency urgency) {
        taken = true;
        last = urgency;
        if (urgency == Urgency::read) scans_since_read = 0;
        if (urgency == Urgency::scan) ++scans_since_read;
    }

    asio::any_io_executor loop;
    bool taken = false;
    Urgency last = Urgency::scan;
    int scans_since_read = scans_for_a_read;
    std::list<Waiter*> commands;
    std::list<Waiter*> reads;
    std::list<Waiter*> scans;
};

namespace {

// In the queue as long as it lives and has not been called.
template <class State>
struct Place {
    Place(State& turns, Urgency of, Waiter& who) : state(turns), urgency(of), waiter(who) {
        state.queue(urgency).push_back(&waiter);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
        if (kept) return;
        if (waiter.has_turn)
            state.pass_on();
        else
            state.queue(urgency).remove(&waiter);
    }
    State& state;
    Urgency urgency;
    Waiter& waiter;
    bool kept = false;  // the turn is in other hands
};

}  // namespace

Turns::Turn::~Turn() {
    if (state_) state_->pass_on();
}

Turns::Turns(const asio::any_io_executor& loop)
    : loop_(loop), state_(std::make_shared<State>(loop)) {}

bool Turns::taken() const { return state_->taken; }

asio::awaitable<Turns::Turn> Turns::take(Urgency urgency) {
    const std::shared_ptr<State> state = state_;
    // The wire may be free for the next scan, while others wait who asked before.
    const bool is_behind = urgency == Urgency::read && !state->reads.empty();
    if (state->taken || is_behind) {
        Waiter waiter(loop_);
        Place<State> place(*state, urgency, waiter);
        co_await waiter.called.wait();
        place.kept = true;
    } else {
        state->begin(urgency);
    }
    co_return Turn(state);
}

}  // namespace fieldgate::southbound
