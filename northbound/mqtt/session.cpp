#include "northbound/mqtt/session.h"

#include <algorithm>
#include <utility>

#include "base/expect.h"
#include "northbound/mqtt/session_line.h"

namespace fieldgate::northbound::mqtt {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto disconnect_deadline = 2s;
constexpr auto burial_delay = 5s;  // for a line that does not tell that it is closed
constexpr auto farewell = 1s;

}  // namespace

// A publish() call while it waits: for its turn, then for its PUBACK. Leaves no trace when its
// coroutine is cancelled.
class Publisher {
public:
    Publisher(Session& session, std::size_t topic, std::size_t its_payload, Rank its_rank)
        : wake(session.loop_),
          bytes(topic + its_payload),
          payload(its_payload),
          rank(its_rank),
          session_(session) {}
    ~Publisher() {
        if (session_.leave_queue(*this)) session_.wake_first();
        if (slot >= 0) session_.slots_[slot].publisher = nullptr;
    }
    Publisher(const Publisher&) = delete;
    Publisher& operator=(const Publisher&) = delete;

    Event wake;
    const std::size_t bytes, payload;
    const Rank rank;
    std::optional<Result<void>> answer;
    int slot = -1;

private:
    Session& session_;
};

// Once; whoever publishes may have gone.
void Session::answer(Slots::Slot& slot, Result<void> how) {
    Publisher* const publisher = std::exchange(slot.publisher, nullptr);
    if (!publisher) return;
    publisher->answer = std::move(how);
    publisher->slot = -1;
    publisher->wake.notify();
}

Session::Session(const asio::any_io_executor& loop, SessionSettings settings, Pacer& pacer,
                 PayloadLimit& sizes, Goodput& goodput)
    : settings_(std::move(settings)),
      pacer_(pacer),
      sizes_(sizes),
      goodput_(goodput),
      loop_(loop),
      door_(std::make_shared<Door>(loop)),
      incoming_(std::make_shared<Allowance>(settings_.inbox_bytes)),
      worker_(std::make_unique<Worker>()),
      answered_(loop),
      closed_(loop),
      lost_(Errc::closed, "not connected"),
      slots_(settings_.slots()),
      ack_timer_(loop),
      inbox_(settings_.inbox_messages, settings_.inbox_bytes),
      inbox_event_(loop) {}

Session::~Session() {
    door_->shut();
    if (line_) retire_line();
    for (Retired& old : retired_) worker_->post([line = std::move(old.line)] { line->destroy(); });
    // A name lookup may hold Paho's mutex, and with it the worker, for many seconds. The process
    // does not wait for it; the thread goes with the process.
    if (!worker_->drain(farewell)) static_cast<void>(worker_.release());
}

asio::awaitable<Result<void>> Session::publish(std::string topic, std::string payload, Rank rank) {
    if (!up()) co_return lost_;
    if (rank == Rank::urgent && urgent_.size() >= settings_.urgent_waiting) {
        ++urgent_refused_;
        co_return Error(Errc::busy, "too many urgent messages wait");
    }
    const std::shared_ptr<Line> line = line_;
    Publisher self(*this, topic.size(), payload.size(), rank);
    enter_queue(self);
    while (line_ == line) {
        Clock::time_point ready = Clock::time_point::max();
        if (first() != &self)
            wake_first();  // it may have become the first since it was looked for
        else if (has_room(self))
            ready = pacer_.ready_at(self.bytes, Clock::now());
        if (ready <= Clock::now()) break;
        co_await self.wake.wait_until(ready);
    }
    leave_queue(self);
    if (line_ != line || !up()) {
        wake_first();
        co_return lost_;
    }
    pacer_.take(self.bytes, Clock::now());
    self.slot = take_slot(self);
    wake_first();
    worker_->post([line, slot = self.slot, topic = std::move(topic), payload = std::move(payload)] {
        line->send(slot, topic, payload);
    });
    while (!self.answer) co_await self.wake.wait();
    const Result<void> answer = *self.answer;
    co_return answer;
}

asio::awaitable<Result<Message>> Session::next(Clock::time_point until) {
    while (inbox_.empty() && up() && Clock::now() < until) co_await inbox_event_.wait_until(until);
    if (inbox_.empty() && up()) co_return Error(Errc::timeout, "nothing came");
    if (inbox_.empty()) co_return lost_;
    co_return inbox_.pop();
}

asio::awaitable<void> Session::disconnect() {
    if (state_ == State::down) co_return;
    drop("disconnected", 0);
    const auto deadline = Clock::now() + disconnect_deadline;
    while (!retired_.empty() && Clock::now() < deadline) co_await closed_.wait_until(deadline);
}

void Session::hear(const News& news) {
    if (news.kind == News::Kind::closed) {
        on_closed(news.line);
        return;
    }
    if (!line_ || news.line != line_->number()) return;  // of a line that was given up
    switch (news.kind) {
        case News::Kind::connected:
        case News::Kind::refused:
        case News::Kind::failed:
            on_connect_answer(news);
            break;
        case News::Kind::subscribed:
            grants_.at(static_cast<std::size_t>(news.slot)) = news.code;
            answered_.notify();
            break;
        case News::Kind::acknowledged:
        case News::Kind::not_acknowledged:
            on_publish_answer(news);
            break;
        case News::Kind::message:
            on_message(news);
            break;
        case News::Kind::lost:
            if (state_ == State::connecting)
                on_connect_answer(news);
            else
                lose("the connection was lost");
            break;
        case News::Kind::closed:
            break;
    }
}

void Session::on_publish_answer(const News& news) {
    if (news.kind == News::Kind::not_acknowledged) {
        lose("a publish was given up");
        return;
    }
    const Clock::time_point now = Clock::now();
    std::optional<Slots::Slot> slot = slots_.acknowledged(news.slot, now);
    if (!slot) return;
    answer(*slot, {});
    sizes_.acknowledged(slot->payload);
    goodput_.acknowledged(slot->flight, now);
    wake_first();
}

void Session::on_message(const News& news) {
    if (inbox_.push(news.message)) inbox_event_.notify();
}

void Session::on_closed(std::uint64_t line) {
    for (Retired& old : retired_)
        if (old.line->number() == line) old.closed = true;
    bury();
    closed_.notify();
}

// Not by us. What Paho gives up was on a link that is closed already: the news of that follows.
void Session::lose(const std::string& reason) {
    const std::size_t under_way = slots_.under_way();
    std::vector<PayloadLimit::Flight> lost;
    for (const Slots::Slot& slot : slots_.all()) lost.push_back({slot.payload, slot.flight.sent});
    sizes_.link_lost(lost, Clock::now());
    drop(reason, under_way);
}

void Session::give_up(const Slots::Overdue& overdue) {
    const std::string waited = seconds_text(overdue.hangs ? patience().any : patience().passed);
    Error why(overdue.hangs ? Errc::closed : Errc::timeout, "no PUBACK within " + waited);
    if (!overdue.hangs) why.what += ", while what left later was acknowledged";
    why.detail = static_cast<int>(slots_.under_way());
    std::vector<PayloadLimit::Flight> unanswered;
    for (const int number : overdue.numbers) {
        Slots::Slot& slot = slots_[number];
        unanswered.push_back({slot.payload, slot.flight.sent});
        answer(slot, why);
    }
    sizes_.unanswered(unanswered, Clock::now());
    drop(why.what, slots_.under_way());
}

// That we end a link for another reason says nothing about what is in flight.
void Session::drop(const std::string& reason, std::size_t blamed) {
    goodput_.lost(Clock::now());
    lost_ = Error(Errc::closed, reason);
    Error died = lost_;
    died.detail = static_cast<int>(blamed);
    state_ = State::down;
    for (Slots::Slot& slot : slots_.clear()) answer(slot, died);
    retire_line();
    for (const auto* queue : {&urgent_, &ordinary_})
        for (Publisher* waiting : *queue) waiting->wake.notify();
    inbox_event_.notify();
    answered_.notify();
}

void Session::retire_line() {
    worker_->post([line = line_] { line->hang_up(); });
    Retired old;
    old.line = std::move(line_);
    old.since = Clock::now();
    retired_.push_back(std::move(old));
    line_.reset();
}

// Destroys the lines that are closed, on the worker.
void Session::bury() {
    const auto now = Clock::now();
    for (auto old = retired_.begin(); old != retired_.end();) {
        if (!old->closed && now < old->since + burial_delay) {
            ++old;
            continue;
        }
        worker_->post([line = std::move(old->line)] { line->destroy(); });
        old = retired_.erase(old);
    }
}

void Session::enter_queue(Publisher& publisher) {
    (publisher.rank == Rank::urgent ? urgent_ : ordinary_).push_back(&publisher);
}

// Whose turn it is. What is ordinary has had its share as long as the urgent ones since have cost
// less than three times of what it costs.
Publisher* Session::first() const {
    Publisher* ordinary = ordinary_.empty() ? nullptr : ordinary_.front();
    if (urgent_.empty()) return ordinary;
    if (!ordinary || !has_room(*ordinary)) return urgent_.front();
    const bool due = urgent_cost_ >= 3 * pacer_.cost(ordinary->bytes);
    return due || !has_room(*urgent_.front()) ? ordinary : urgent_.front();
}

bool Session::has_room(const Publisher& publisher) const {
    if (slots_.full()) return false;
    if (publisher.rank == Rank::urgent)
        return ordinary_.empty() || slots_.under_way(Rank::urgent) < settings_.window_messages;
    const std::size_t ordinary = slots_.under_way(Rank::ordinary);
    if (ordinary == 0) return true;
    return ordinary < settings_.window_messages && goodput_.has_room(publisher.bytes, Clock::now());
}

int Session::take_slot(Publisher& publisher) {
    Slots::Slot slot;
    slot.publisher = &publisher;
    slot.flight = goodput_.sent(publisher.bytes, Clock::now());
    slot.payload = publisher.payload;
    slot.rank = publisher.rank;
    if (publisher.rank == Rank::ordinary)
        urgent_cost_ = {};
    else
        urgent_cost_ += pacer_.cost(publisher.bytes);
    const int number = slots_.take(slot);
    watch_acknowledgements();
    return number;
}

bool Session::leave_queue(Publisher& publisher) {
    std::list<Publisher*>& queue = publisher.rank == Rank::urgent ? urgent_ : ordinary_;
    const auto place = std::find(queue.begin(), queue.end(), &publisher);
    if (place == queue.end()) return false;
    queue.erase(place);
    return true;
}

void Session::wake_first() {
    if (Publisher* next = first()) next->wake.notify();
}

Slots::Patience Session::patience() const {
    return {goodput_.patience(settings_.ack_deadline),
            goodput_.patience_once_carried(settings_.ack_deadline)};
}

// A broker that does not acknowledge is reported by nobody else. One timer, not touched by each
// publish: when it fires it looks at the true deadline.
void Session::watch_acknowledgements() {
    if (ack_watched_) return;
    ack_watched_ = true;
    ack_timer_.expires_at(slots_.due_at(patience()));
    ack_timer_.async_wait([this, door = door_](const std::error_code&) {
        if (!door->open()) return;
        ack_watched_ = false;
        if (slots_.under_way() == 0) return;
        const Slots::Overdue overdue = slots_.overdue(Clock::now(), patience());
        if (overdue.numbers.empty()) return watch_acknowledgements();
        give_up(overdue);
    });
}

}  // namespace fieldgate::northbound::mqtt
