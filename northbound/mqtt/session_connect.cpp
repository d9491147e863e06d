// The other half of session.cpp: how a link comes about.
#include <algorithm>
#include <utility>

#include "base/expect.h"
#include "base/tls_probe.h"
#include "northbound/mqtt/session.h"
#include "northbound/mqtt/session_line.h"

namespace fieldgate::northbound::mqtt {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto probe_deadline = 6s;

}  // namespace

std::string connack_text(int code) {
    switch (code) {
        case 1:
            return "protocol version not supported";
        case 2:
            return "client id malformed, or keep-alive outside the accepted range";
        case 3:
            return "server unavailable";
        case 4:
            return "not authorised: device_id and secret do not fit";
        case 5:
            return "not authorised: device_id, or its secret or certificate, is not known there";
        default:
            return "refused with CONNACK code " + std::to_string(code);
    }
}

std::string seconds_text(std::chrono::milliseconds time) {
    if (time % 1s == 0ms) return std::to_string(time / 1s) + " s";
    return std::to_string(time.count()) + " ms";
}

// MQTT 3.1.1, 3.9.3: a code above 2 is a no.
Result<void> refused_of(const std::vector<std::string>& filters,
                        const std::vector<std::optional<int>>& grants) {
    std::string refused;
    for (std::size_t i = 0; i < filters.size(); ++i) {
        if (const int code = *grants.at(i); code >= 0 && code <= 2) continue;
        refused += refused.empty() ? "subscriptions refused: " : ", ";
        refused += filters[i];
    }
    if (refused.empty()) return {};
    return Error(Errc::refused, std::move(refused));
}

// A connect() call: whatever ends it without success takes the line down.
class Session::Attempt {
public:
    explicit Attempt(Session& session) : session_(session) {}
    ~Attempt() {
        if (session_.state_ == State::connecting) session_.drop("the attempt was given up", 0);
    }
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

private:
    Session& session_;
};

asio::awaitable<Result<void>> Session::connect(Login login) {
    expect(state_ == State::down, "one link at a time");
    if (over_) co_return *over_;
    bury();
    const auto deadline = Clock::now() + settings_.connect_deadline;
    const Attempt attempt(*this);
    line_ = std::make_shared<Line>(++lines_, settings_, door_, incoming_,
                                   [this](const News& news) { hear(news); });
    state_ = State::connecting;
    connect_answer_.reset();
    inbox_.clear();
    TlsTarget target = tls_target(settings_, login.judged_at);
    worker_->post([line = line_, login = std::move(login)] { line->open(login); });

    while (!connect_answer_ && !over_ && Clock::now() < deadline)
        co_await answered_.wait_until(deadline);
    if (over_) co_return *over_;
    if (!connect_answer_)
        co_return Error(Errc::timeout,
                        "no CONNACK within " + seconds_text(settings_.connect_deadline));
    const Result<void> answer = *connect_answer_;
    if (answer || answer.error().code == Errc::refused) co_return answer;
    drop(answer.error().what, 0);
    const Result<void> probed = co_await probe(std::move(target), deadline);
    co_return probed;
}

// Paho gives no reason why a connection or a TLS handshake failed; one of our own does.
asio::awaitable<Result<void>> Session::probe(TlsTarget target, Event::Clock::time_point deadline) {
    const std::string why = lost_.what;
    const std::optional<Error> known = reasons_.of(why, Clock::now());
    if (known) co_return *known;
    const auto until = std::min<Clock::time_point>(deadline, Clock::now() + probe_deadline);
    const auto patience = std::chrono::floor<std::chrono::milliseconds>(until - Clock::now());
    // Shared: a look that takes longer than we wait ends in nobody's hands.
    const auto seen = std::make_shared<std::optional<Error>>();
    const auto done = std::make_shared<bool>(false);
    worker_->post([this, door = door_, seen, done, target = std::move(target), patience] {
        const std::optional<Error> found = probe_tls(target, patience);
        door->post([this, seen, done, found] {
            *seen = found;
            *done = true;
            answered_.notify();
        });
    });
    while (!*done && !over_ && Clock::now() < until) co_await answered_.wait_until(until);
    if (over_) co_return *over_;
    const Error unknown(Errc::io, "the connection failed before the platform answered: " + why);
    const Error reason = seen->value_or(unknown);
    reasons_.note(why, reason, Clock::now());
    co_return reason;
}

asio::awaitable<Result<void>> Session::subscribe(std::vector<std::string> filters) {
    if (!up()) co_return lost_;
    const std::uint64_t line = line_->number();
    const auto deadline = Clock::now() + settings_.ack_deadline;
    grants_.assign(filters.size(), std::nullopt);
    const auto answered = [this] {
        return std::all_of(grants_.begin(), grants_.end(),
                           [](const std::optional<int>& code) { return code.has_value(); });
    };
    worker_->post([line = line_, filters] { line->subscribe(filters); });
    while (up() && line_->number() == line && !answered() && Clock::now() < deadline)
        co_await answered_.wait_until(deadline);
    if (!up() || line_->number() != line) co_return lost_;
    if (!answered()) {
        drop("no SUBACK within " + seconds_text(settings_.ack_deadline), 0);
        co_return Error(Errc::timeout, lost_.what);
    }
    co_return refused_of(filters, grants_);
}

void Session::on_connect_answer(const News& news) {
    if (state_ != State::connecting) return;
    if (news.kind == News::Kind::connected) {
        state_ = State::up;
        reasons_.clear();
        goodput_.connected();
        connect_answer_ = Result<void>();
    } else if (news.kind == News::Kind::refused) {
        Error refused(Errc::refused, connack_text(news.code));
        refused.detail = news.code;
        connect_answer_ = std::move(refused);
    } else {
        const bool told = !news.message.payload.empty();
        connect_answer_ = Error(Errc::io, told ? news.message.payload : "connection lost");
    }
    answered_.notify();
}

}  // namespace fieldgate::northbound::mqtt
