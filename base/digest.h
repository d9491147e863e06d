#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace fieldgate {

/// SHA-256, 64 lower-case hex digits.
std::string sha256_hex(std::string_view text);

/// HMAC-SHA256, 64 lower-case hex digits. Mind the order: the platform uses the time as the key and
/// the secret as the message (protocol reference 1.2).
std::string hmac_sha256_hex(std::string_view key, std::string_view message);

/// Errors: bad_data.
Result<std::string> base64_decode(std::string_view text);

}  // namespace fieldgate
