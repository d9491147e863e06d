#pragma once
#include <cstdint>
#include <optional>

#include "base/tls_probe.h"
#include "model/event_time.h"

namespace fieldgate::northbound {

/// What the platform's certificate and its word about the time are worth to each other. Pure.
///
/// To believe a time at which the certificate is not valid would lock us out for good: no later
/// connection and, with the time on disk, no later start would find it valid. Nor does one word
/// keep us out for good: a certificate that has expired by it is looked at again an hour later.
class Testimony {
public:
    enum class Verdict : std::uint8_t {
        believed,
        contradicted,  ///< By the kernel, which vouches for a time more than a day away.
        denied,        ///< By the certificate, which is not valid then.
        expired,  ///< The same, later than our clock, for which nobody vouches: give the link up.
    };
    static constexpr std::chrono::hours contradiction{24};
    static constexpr std::chrono::hours remembered{1};

    /// Whether the chain must be looked at before the next link. What was seen last is enough only
    /// for a clock that the kernel vouches for.
    bool must_look(const JudgedTime& now) const;
    void see(const TlsValidity& chain) { chain_ = chain; }
    /// Of the chain that was looked at last.
    const std::optional<TlsValidity>& chain() const { return chain_; }

    /// `at`: now, by the monotonic clock.
    Verdict hear(Utc told, const JudgedTime& now, Instant at);
    /// By what to judge the certificate: an unproven clock is not before a word that has made it
    /// expired within the last hour.
    JudgedTime judged(JudgedTime now, Instant at) const;

private:
    struct TooLate {
        Utc told;
        Instant at;
    };

    std::optional<TlsValidity> chain_;
    std::optional<TooLate> too_late_;
};

}  // namespace fieldgate::northbound
