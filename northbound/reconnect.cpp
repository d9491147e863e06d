#include "northbound/reconnect.h"

#include <algorithm>

namespace fieldgate::northbound {
namespace {

using namespace std::chrono_literals;

constexpr auto short_life = 5s;
constexpr int short_lives_of_a_twin = 3;
constexpr std::chrono::milliseconds twin_pause = 60s;
constexpr int times_stable_without_twin = 10;

// MQTT 3.1.1, 3.2.2.3. Only "server unavailable" (3) is worth coming back soon for.
bool hopeless(const Error& why) {
    return why.code == Errc::refused &&
           (why.detail == 1 || why.detail == 2 || why.detail == 4 || why.detail == 5);
}

}  // namespace

Reconnect::Reconnect(const ReconnectPolicy& policy)
    : policy_(policy), backoff_(policy.from, policy.to) {}

std::chrono::milliseconds Reconnect::start(double chance) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(policy_.from * chance);
}

void Reconnect::connected(Instant now) { connected_at_ = now; }

Reconnect::Pause Reconnect::lost(Instant now, double chance, bool explained) {
    const auto life = now - connected_at_;
    if (life < short_life && explained) return pause(chance);
    if (life < short_life) return short_lived(chance);
    short_lives_ = 0;
    if (life >= policy_.stable_after * times_stable_without_twin) twin_ = false;
    backoff_.reset();
    return pause(chance);
}

Reconnect::Pause Reconnect::failed(const Error& why, double chance, bool explained) {
    // A broker that restarts refuses in between; a twin's broker never does.
    if (why.code == Errc::closed && !explained) return short_lived(chance);
    short_lives_ = 0;
    if (hopeless(why)) backoff_.jump_to_longest();
    return pause(chance);
}

Reconnect::Pause Reconnect::short_lived(double chance) {
    const bool news = ++short_lives_ >= short_lives_of_a_twin && !twin_;
    if (news) twin_ = true;
    Pause next = pause(chance);
    next.twin = news;
    return next;
}

Reconnect::Pause Reconnect::pause(double chance) {
    const std::chrono::milliseconds wait = backoff_.next();
    Pause next;
    if (twin_)
        next.wait = Backoff::jittered(std::max(wait, twin_pause), chance);
    else if (wait <= policy_.from)
        next.wait = std::chrono::duration_cast<std::chrono::milliseconds>(2 * wait * chance);
    else
        next.wait = Backoff::jittered(wait, chance);
    return next;
}

}  // namespace fieldgate::northbound
