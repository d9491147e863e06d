#pragma once
#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "model/reading.h"
#include "northbound/parcel.h"

namespace fieldgate::northbound {

struct SubDeviceStatus {
    std::string device_id;
    DeviceStatus status = DeviceStatus::unknown;
};

/// The platform, whichever road leads to it. Runs on the loop. Every call may throw
/// operation_aborted.
class Cloud {
public:
    virtual ~Cloud() = default;

    /// One attempt, with its own deadline; identity, password and time stamp are made anew. On
    /// success the platform has been told who we are (sdk_info). Errors: refused (`detail`: CONNACK
    /// code or HTTP status; what: the reason, for TLS the verified cause), timeout, closed, io.
    virtual asio::awaitable<Result<void>> connect() = 0;

    /// Why the connection of the last connect() was lost; nullopt if it still holds after
    /// `patience`. To be awaited while connected: it also takes what the platform sends.
    virtual asio::awaitable<std::optional<Error>> lost(std::chrono::milliseconds patience) = 0;

    /// Returns once the platform has acknowledged the parcel. Several may be under way (window()).
    /// Errors: closed (not acknowledged: send again later), refused (it will never be taken).
    virtual asio::awaitable<Result<void>> publish(const Parcel& parcel) = 0;

    /// ONLINE or OFFLINE of sub-devices, cut into requests of at most 100. Errors: closed, timeout.
    virtual asio::awaitable<Result<void>> report_status(
        std::span<const SubDeviceStatus> statuses) = 0;

    /// Closes in good order; within 2 s.
    virtual asio::awaitable<void> disconnect() = 0;
};

}  // namespace fieldgate::northbound
