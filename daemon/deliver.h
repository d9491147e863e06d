#pragma once
#include <asio/awaitable.hpp>
#include <vector>

#include "daemon/flows.h"

namespace fieldgate {

/// What one request to the platform holds.
inline constexpr std::size_t statuses_at_once = 100;

/// Tells the platform, and beats however long a slow link takes for it. Errors: those of
/// Cloud::tell().
asio::awaitable<Result<void>> tell(Parts& parts, Pulses::Pulse& pulse,
                                   northbound::Announcement what);

/// Tells the platform how these devices are. Errors: those of Cloud::tell().
asio::awaitable<Result<void>> tell_statuses(Parts& parts, Pulses::Pulse& pulse,
                                            std::vector<northbound::SubDeviceStatus> statuses);

/// Asks the platform for the time; its answer is a notice. Errors: those of Cloud::tell().
asio::awaitable<Result<void>> ask_time(Parts& parts, Pulses::Pulse& pulse);

/// Sends the answer to a request. What does not get through goes back to the others, and waits with
/// them for another link. Errors: those of Cloud::answer().
asio::awaitable<Result<void>> send_answer(Parts& parts, Answers::Ready ready);

/// Carries one parcel to the platform; it goes back to its place if it was not acknowledged.
asio::awaitable<void> deliver(Parts& parts, northbound::Parcel parcel, storage::Lease lease);

/// Delivers a parcel of suspects (northbound/suspicion.h): alone, or not at all. Returns when it is
/// settled or back.
asio::awaitable<void> put_to_trial(Parts& parts, Pulses::Pulse& pulse, northbound::Parcel parcel,
                                   storage::Lease lease);

}  // namespace fieldgate
