#include "southbound/turns.h"

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

struct Turns::State {
    std::list<Waiter*>& queue(Urgency urgency) {
        return urgency == Urgency::command ? commands : scans;
    }

    void pass_on() {
        taken = false;
        const bool scan_first = last == Urgency::command && !scans.empty();
        const Urgency next = scan_first || commands.empty() ? Urgency::scan : Urgency::command;
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
    }

    bool taken = false;
    Urgency last = Urgency::scan;
    std::list<Waiter*> commands;
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

Turns::Turns(const asio::any_io_executor& loop) : loop_(loop), state_(std::make_shared<State>()) {}

bool Turns::taken() const { return state_->taken; }

asio::awaitable<Turns::Turn> Turns::take(Urgency urgency) {
    const std::shared_ptr<State> state = state_;
    if (state->taken) {
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
