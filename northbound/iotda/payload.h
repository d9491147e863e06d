#pragma once
#include <string>
#include <string_view>

#include "model/record.h"
#include "northbound/parcel.h"

/// What the gateway reports, as the platform's JSON. Pure.
namespace fieldgate::northbound::iotda {

/// A property report: of the gateway itself (protocol reference 2.1), or of its sub-devices (2.2).
/// Exactly parcel.payload_bytes() long.
std::string encode(const Parcel& parcel);

/// $sdk_info: who we are (protocol reference 5.2).
std::string encode_sdk_info(std::string_view version, Utc now);

}  // namespace fieldgate::northbound::iotda
