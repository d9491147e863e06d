#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "northbound/shadow.h"

/// The device shadow (protocol reference 2.5). Pure.
namespace fieldgate::northbound::iotda {

std::string shadow_topic(std::string_view device_id, std::string_view request_id);
std::string encode_shadow_question(const ShadowQuestion& question);

/// Of a message to `device_id`, whose request_id the caller has read off the topic. Errors: as
/// json::parse, and bad_data.
Result<Shadow> decode_shadow(std::string_view device_id, std::string request_id,
                             std::string_view payload);

}  // namespace fieldgate::northbound::iotda
