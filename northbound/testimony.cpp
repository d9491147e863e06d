#include "northbound/testimony.h"

#include <algorithm>

namespace fieldgate::northbound {
namespace {

bool holds(const TlsValidity& chain, Utc at) { return at >= chain.from && at < chain.until; }

}  // namespace

bool Testimony::must_look(const JudgedTime& now) const {
    return !now.vouched || !chain_ || !holds(*chain_, now.at);
}

Testimony::Verdict Testimony::hear(Utc told, const JudgedTime& now, Instant at) {
    if (now.vouched && std::chrono::abs(told - *now.vouched) > contradiction)
        return Verdict::contradicted;
    if (!chain_ || holds(*chain_, told)) return Verdict::believed;
    if (now.proven || told < chain_->from) return Verdict::denied;
    too_late_ = TooLate{told, at};
    return Verdict::expired;
}

JudgedTime Testimony::judged(JudgedTime now, Instant at) const {
    if (!now.proven && too_late_ && at - too_late_->at < remembered)
        now.at = std::max(now.at, too_late_->told);
    return now;
}

}  // namespace fieldgate::northbound
