#include "base/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>
#include <span>

namespace fieldgate {
namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hex(std::span<const unsigned char> digest) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(digest.size() * 2);
    for (const unsigned char byte : digest) {
        text += digits[byte >> 4];
        text += digits[byte & 0xF];
    }
    return text;
}

}  // namespace

std::string sha256_hex(std::string_view text) {
    Digest digest{};
    SHA256(bytes(text), text.size(), digest.data());
    return hex(digest);
}

std::string hmac_sha256_hex(std::string_view key, std::string_view message) {
    Digest digest{};
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(message), message.size(),
         digest.data(), &length);
    return hex(digest);
}

Result<std::string> base64_decode(std::string_view text) {
    std::string decoded(text.size() / 4 * 3, '\0');
    if (text.empty() || text.size() % 4 != 0) return Error(Errc::bad_data, "not base64");
    const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                       bytes(text), static_cast<int>(text.size()));
    if (length < 0) return Error(Errc::bad_data, "not base64");
    // EVP_DecodeBlock counts the padding as zero bytes.
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    decoded.resize(static_cast<std::size_t>(length) - padding);
    return decoded;
}

}  // namespace fieldgate
