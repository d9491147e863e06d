#pragma once
#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "base/result.h"
#include "northbound/downlink.h"
#include "northbound/parcel.h"
#include "northbound/rank.h"

namespace fieldgate::northbound {

/// The platform, whichever road leads to it. Runs on the loop. Every call may throw
/// operation_aborted.
class Cloud {
public:
    virtual ~Cloud() = default;

    /// One attempt, with its own deadline; identity, password and time stamp are made anew. On
    /// success the platform has been told who we are (sdk_info). `alive` is called between two
    /// steps, each of which takes 25 s at most. Errors: refused (`detail`: CONNACK
    /// code or HTTP status; what: the reason, for TLS the verified cause), timeout, closed (after
    /// the CONNACK), io.
    virtual asio::awaitable<Result<void>> connect(std::function<void()> alive) = 0;

    /// The next thing that the platform sent; what came before the connection was lost still comes.
    /// To be awaited while connected, by one caller. Errors: timeout (nothing within `patience`),
    /// closed (why the connection of the last connect() was lost).
    virtual asio::awaitable<Result<Downlink>> next(std::chrono::milliseconds patience) = 0;

    /// Answers a request, ahead of all data if it is urgent; returns once the platform has the
    /// answer. Errors: timeout (what left later was acknowledged), closed (`detail`: so many
    /// publishes were under way when the link was lost, with this one, which may have arrived; 0:
    /// it was not sent), busy (at once: too many answers wait already).
    virtual asio::awaitable<Result<void>> answer(std::string request_id, Answer answer,
                                                 Rank rank) = 0;

    /// Returns once the platform has acknowledged the parcel. Several may be under way (window()).
    /// Errors: closed (not acknowledged: send again later), timeout (nor will it be: what left
    /// later was), refused (it will never be taken).
    virtual asio::awaitable<Result<void>> publish(const Parcel& parcel) = 0;

    /// Returns once all of it is acknowledged; what the platform has to say to it comes by next().
    /// Statuses are cut into requests of at most 100. Errors: closed, timeout, busy.
    virtual asio::awaitable<Result<void>> tell(const Announcement& announcement) = 0;

    /// Whether the platform's word that it is `told` can be true: false if its own certificate is
    /// not valid then, or the kernel vouches for a time more than a day away. If the certificate
    /// has expired by then and our clock is not proven, the connection is lost.
    virtual bool believes(Utc told) = 0;

    /// Closes in good order; within 2 s.
    virtual asio::awaitable<void> disconnect() = 0;
};

}  // namespace fieldgate::northbound
