#pragma once
#include <chrono>

#include "base/backoff.h"
#include "base/result.h"
#include "model/reading.h"
#include "northbound/settings.h"

namespace fieldgate::northbound {

/// How long to wait before the next attempt to connect. Pure: the caller sleeps, and brings time
/// and chance (uniform in [0, 1)).
///
/// All gateways of a platform lose it in one moment, and all of a site have their power back in
/// one. So the first pause is anything from nothing to twice policy.from, and the first attempt of
/// a process waits for as long as policy.from at most; later pauses vary by ±20 %.
///
/// Failures climb from policy.from to policy.to. CONNACK 1, 2, 4 and 5 go straight to `to`: no
/// haste will make a password right. A link that worked (acknowledged a publish, held 5 s) starts
/// again at `from`; a shorter one climbs. Three links in a row that were made and lost within 5 s
/// mean that another client uses our device id, each throwing the other out (protocol reference
/// 11.7): then at most one attempt a minute, until a link has held ten times policy.stable_after.
/// Links whose end something else explains (`explained`: a publish was too large for the platform)
/// climb, and say nothing of twins. A link had its CONNACK; what closes the connection before (a
/// load balancer without servers behind it) is a failure like others.
class Reconnect {
public:
    struct Pause {
        std::chrono::milliseconds wait{0};
        bool twin = false;  ///< Once, when a twin is first suspected: to be logged as a warning.
    };

    explicit Reconnect(const ReconnectPolicy& policy);

    /// Before the first attempt of all.
    std::chrono::milliseconds start(double chance) const;
    /// Cloud::connect() has succeeded: the platform has acknowledged a first publish.
    void connected(Instant now);
    /// The link of the last connected() is gone.
    Pause lost(Instant now, double chance, bool explained = false);
    /// Cloud::connect() has failed; closed: after the CONNACK.
    Pause failed(const Error& why, double chance, bool explained = false);

private:
    Pause short_lived(double chance);
    Pause pause(double chance);

    ReconnectPolicy policy_;
    Backoff backoff_;
    Instant connected_at_;
    int short_lives_ = 0;  // in a row
    bool twin_ = false;
};

}  // namespace fieldgate::northbound
