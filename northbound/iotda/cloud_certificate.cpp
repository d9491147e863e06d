// The other half of cloud.cpp: the platform's certificate, and a clock that may be wrong.
#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "northbound/iotda/cloud.h"

namespace fieldgate::northbound::iotda {
namespace {

std::string minute_of(Utc at) { return minute_text(std::chrono::floor<std::chrono::seconds>(at)); }

}  // namespace

const char* to_string(Certificate certificate) {
    switch (certificate) {
        case Certificate::none:
            return "none";
        case Certificate::valid:
            return "valid";
        case Certificate::unproven:
            return "valid by a clock that is not proven";
        case Certificate::early:
            return "not yet valid by our clock, tolerated until that is proven";
    }
    return "?";
}

JudgedTime MqttCloud::judged() const {
    return testimony_.judged(time_(), std::chrono::steady_clock::now());
}

// What is expired stays out, by the latest time that is known. A chain that begins later than that
// proves it to be late, if it is not proven: whoever has made it was there.
asio::awaitable<Result<void>> MqttCloud::examine(std::function<void()> alive) {
    const JudgedTime now = judged();
    const bool tls = settings_.scheme == Scheme::mqtts;
    judged_at_ = now.at;
    certificate_ = tls ? Certificate::valid : Certificate::none;
    if (!tls || !testimony_.must_look(now)) co_return Result<void>();
    const Result<TlsValidity> seen =
        co_await session_.examine(std::chrono::floor<std::chrono::seconds>(now.at));
    if (!seen) co_return seen.error();
    alive();
    testimony_.see(*seen);
    if (now.proven) co_return Result<void>();
    judged_at_ = std::max<Utc>(now.at, seen->from);
    certificate_ = judged_at_ > now.at ? Certificate::early : Certificate::unproven;
    if (certificate_ == Certificate::early && !early_told_)
        log::warning(
            "the platform's certificate is not yet valid by our clock: tolerated until "
            "that is proven",
            {{"valid_from", minute_text(seen->from)}, {"our_clock", minute_of(now.at)}});
    early_told_ |= certificate_ == Certificate::early;
    co_return Result<void>();
}

// A better time may have come: the kernel's, the platform's, the last one on disk.
void MqttCloud::judge_again() {
    const bool doubtful =
        certificate_ == Certificate::unproven || certificate_ == Certificate::early;
    const std::optional<TlsValidity>& chain = testimony_.chain();
    if (!doubtful || !chain || !session_.up()) return;
    const JudgedTime now = judged();
    if (now.at >= chain->until)
        session_.give_up("the platform's certificate has expired on " + minute_text(chain->until) +
                         ", as is known now");
    else if (now.proven && now.at < chain->from)
        session_.give_up("the platform's certificate is not valid before " +
                         minute_text(chain->from) + ", and the clock is proven now");
    else if (now.proven)
        certificate_ = Certificate::valid;
}

bool MqttCloud::believes(Utc told) {
    const JudgedTime now = judged();
    const Testimony::Verdict verdict = testimony_.hear(told, now, std::chrono::steady_clock::now());
    if (verdict == Testimony::Verdict::believed) return true;
    if (verdict == Testimony::Verdict::contradicted) {
        log::warning("the platform tells another time than the synchronised clock: not believed",
                     {{"told", minute_of(told)}, {"our_clock", minute_of(*now.vouched)}});
        return false;
    }
    log::warning(
        "the platform tells a time at which its own certificate is not valid: not believed",
        {{"told", minute_of(told)},
         {"valid_from", minute_text(testimony_.chain()->from)},
         {"valid_until", minute_text(testimony_.chain()->until)}});
    if (verdict == Testimony::Verdict::expired)
        session_.give_up("the platform's certificate has expired, by its own word");
    return false;
}

}  // namespace fieldgate::northbound::iotda
