// A third part of session.cpp: the broker's certificate, looked at before a link is made.
#include <memory>
#include <utility>

#include "base/expect.h"
#include "base/tls_probe.h"
#include "northbound/mqtt/session.h"
#include "northbound/mqtt/session_line.h"

namespace fieldgate::northbound::mqtt {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

TlsTarget tls_target(const SessionSettings& settings, std::chrono::sys_seconds judged_at) {
    TlsTarget target;
    target.host = settings.host;
    target.port = settings.port;
    if (settings.tls) target.ca_file = settings.ca_file;
    target.certificate_file = settings.certificate_file;
    target.key_file = settings.key_file;
    target.at = judged_at;
    return target;
}

asio::awaitable<Result<TlsValidity>> Session::examine(std::chrono::sys_seconds at) {
    expect(settings_.tls && state_ == State::down, "TLS, and no link");
    if (over_) co_return *over_;
    const auto deadline = Clock::now() + settings_.connect_deadline;
    TlsTarget target = tls_target(settings_, at);
    // Shared: a look that takes longer than we wait ends in nobody's hands.
    const auto seen = std::make_shared<std::optional<Result<TlsValidity>>>();
    worker_->post([this, door = door_, seen, target = std::move(target),
                   patience = settings_.connect_deadline] {
        const Result<TlsValidity> answer = examine_tls(target, patience);
        door->post([this, seen, answer] {
            *seen = answer;
            answered_.notify();
        });
    });
    while (!*seen && !over_ && Clock::now() < deadline) co_await answered_.wait_until(deadline);
    if (over_) co_return *over_;
    if (*seen) co_return **seen;
    co_return Error(Errc::timeout,
                    "no TLS handshake within " + seconds_text(settings_.connect_deadline));
}

void Session::give_up(const std::string& reason) {
    if (!up()) return;
    drop(reason, 0);
}

void Session::close(const std::string& reason) {
    over_ = Error(Errc::closed, reason);
    if (state_ != State::down) drop(reason, 0);
    answered_.notify();
}

}  // namespace fieldgate::northbound::mqtt
