// The other half of cloud.cpp: the platform's certificate, and a clock that may be wrong.
#include <algorithm>

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
    JudgedTime judged = time_();
    if (!judged.proven) judged.at = std::max(judged.at, told_too_late_);
    return judged;
}

// What is expired stays out, by the latest time that is known. A chain that begins later than that
// proves it to be late: whoever has made it was there.
asio::awaitable<Result<void>> MqttCloud::examine(std::function<void()> alive) {
    const JudgedTime now = judged();
    const bool tls = settings_.scheme == Scheme::mqtts;
    judged_at_ = now.at;
    validity_.reset();
    certificate_ = tls ? Certificate::valid : Certificate::none;
    if (!tls || now.proven) co_return Result<void>();
    const Result<TlsValidity> seen =
        co_await session_.examine(std::chrono::floor<std::chrono::seconds>(now.at));
    if (!seen) co_return seen.error();
    alive();
    validity_ = *seen;
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
    if (!doubtful || !validity_ || !session_.up()) return;
    const JudgedTime now = judged();
    if (now.at >= validity_->until)
        session_.give_up("the platform's certificate has expired on " +
                         minute_text(validity_->until) + ", as is known now");
    else if (now.proven && now.at < validity_->from)
        session_.give_up("the platform's certificate is not valid before " +
                         minute_text(validity_->from) + ", and the clock is proven now");
    else if (now.proven)
        certificate_ = Certificate::valid;
}

// To believe what its certificate denies would lock us out for good: no later connection and, with
// the time on disk, no later start would find the certificate valid.
bool MqttCloud::believes(Utc told) {
    if (!validity_ || (told >= validity_->from && told < validity_->until)) return true;
    log::warning(
        "the platform tells a time at which its own certificate is not valid: not believed",
        {{"told", minute_of(told)},
         {"valid_from", minute_text(validity_->from)},
         {"valid_until", minute_text(validity_->until)}});
    if (told >= validity_->until) {
        told_too_late_ = std::max(told_too_late_, told);
        session_.give_up("the platform's certificate has expired, by its own word");
    }
    return false;
}

}  // namespace fieldgate::northbound::iotda
