#pragma once
#include <string>
#include <string_view>

#include "base/secret.h"
#include "model/record.h"
#include "northbound/settings.h"

namespace fieldgate::northbound::iotda {

/// What a device says about itself in CONNECT.
struct Credentials {
    std::string client_id;
    std::string username;
    Secret password;  ///< Empty with a certificate: then none is sent.
};

/// The hour of `now` as the platform wants it: YYYYMMDDHH, UTC (protocol reference 1.2).
std::string hour_stamp(Utc now);

/// {device_id}_0_{sign type}_{hour}, the device id, and HMAC-SHA256 with the hour as the key and
/// the secret as the message (protocol reference 1.2; certificates: 1.3). To be made anew for every
/// attempt: the hour is in it. `checked`: sign type 1, the platform compares the hour with its own;
/// else 0, it does not. Pure.
Credentials sign(std::string_view device_id, const Identity& identity, bool checked, Utc now);

}  // namespace fieldgate::northbound::iotda
