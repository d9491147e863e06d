#include "southbound/modbus/rtu_frame.h"

#include <algorithm>

#include "southbound/modbus/pdu.h"

namespace fieldgate::southbound::modbus {
namespace {

constexpr std::size_t exception_bytes = 3;  // unit, function, code
constexpr std::size_t frame_bytes_min = exception_bytes + checksum_bytes;
constexpr std::size_t stray_max = 16;

using Bytes = std::span<const std::uint8_t>;
using Is = RtuLook::Is;

// Serial Line V1.02, 6.2.2; low byte first.
std::uint16_t checksum(Bytes bytes) {
    std::uint16_t crc = 0xFFFF;
    for (const std::uint8_t byte : bytes) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit)
            crc = static_cast<std::uint16_t>((crc & 1U) != 0 ? (crc >> 1U) ^ 0xA001U : crc >> 1U);
    }
    return crc;
}

bool is_sealed(Bytes bytes, std::size_t length) {
    if (bytes.size() < length + checksum_bytes) return false;
    const std::uint16_t crc = checksum(bytes.first(length));
    return bytes[length] == (crc & 0xFFU) && bytes[length + 1] == crc >> 8U;
}

bool is_stray(std::uint8_t byte) { return byte == 0x00 || byte == 0xFF; }

// The request as it was sent stands here, whole: unit, PDU, checksum.
bool is_what_was_sent(const Request& request, Bytes bytes) {
    const std::size_t length = 1 + request.pdu.size();
    return is_sealed(bytes, length) && bytes[0] == request.unit &&
           std::equal(request.pdu.begin(), request.pdu.end(), bytes.begin() + 1);
}

bool may_be_its_echo(const Request& request, Bytes bytes) {
    const std::size_t known = std::min(bytes.size() - 1, request.pdu.size());
    return bytes[0] == request.unit &&
           std::equal(bytes.begin() + 1, bytes.begin() + 1 + static_cast<std::ptrdiff_t>(known),
                      request.pdu.begin());
}

RtuLook incomplete(std::size_t missing) {
    RtuLook look;
    look.missing = missing;
    return look;
}

RtuLook frame(Is is, std::size_t bytes) {
    RtuLook look;
    look.is = is;
    look.bytes = bytes;
    return look;
}

// A frame of the unit begins with the first of `bytes`, or none.
RtuLook look_at(const Request& request, Bytes bytes) {
    if (bytes.size() < frame_bytes_min) return incomplete(frame_bytes_min - bytes.size());
    const std::uint8_t function = request.pdu.front();
    if (bytes[1] == (function | exception_bit))
        return is_sealed(bytes, exception_bytes) ? frame(Is::answer, exception_bytes)
                                                 : frame(Is::garbage, 0);
    const bool is_asked_for = bytes[1] == function;
    const std::size_t wanted = 1 + request.reply_bytes;
    if (is_asked_for && is_sealed(bytes, wanted)) return frame(Is::answer, wanted);
    // Of another length, as a read says by itself, or to another function.
    const bool is_read = (bytes[1] & 0x7FU) <= 4;
    const std::size_t says = is_read ? exception_bytes + bytes[2] : wanted;
    if (is_sealed(bytes, says)) return frame(Is::untrue, says);
    for (const std::size_t end : {std::min(says, wanted), is_asked_for ? wanted : says, says})
        if (end + checksum_bytes > bytes.size())
            return incomplete(end + checksum_bytes - bytes.size());
    return frame(Is::garbage, 0);
}

}  // namespace

RtuLook look_for_answer(const Request& request, bool echoes, Bytes bytes) {
    const std::size_t sent = 1 + request.pdu.size() + checksum_bytes;
    const bool like_its_answer = is_write(request) && request.reply_bytes == request.pdu.size();
    bool echoed = false;
    std::size_t first = 0;
    for (std::size_t strays = 0; first < bytes.size() && strays <= stray_max;) {
        const Bytes rest = bytes.subspan(first);
        const bool may_echo = !echoed && (!like_its_answer || echoes);
        if (may_echo && is_what_was_sent(request, rest)) {
            echoed = true;
            first += sent;
            continue;
        }
        RtuLook look = frame(Is::garbage, 0);
        if (rest[0] == request.unit) look = look_at(request, rest);
        const bool half_an_echo = may_echo && rest.size() < sent && may_be_its_echo(request, rest);
        if (half_an_echo && look.is == Is::garbage) look = incomplete(sent - rest.size());
        if (look.is == Is::incomplete && half_an_echo)
            look.missing = std::min(look.missing, sent - rest.size());
        look.first = first;
        look.echoed = echoed;
        if (look.is != Is::garbage || !is_stray(rest[0])) return look;
        ++strays;
        ++first;
    }
    RtuLook look = first < bytes.size() ? frame(Is::garbage, 0) : incomplete(frame_bytes_min);
    look.first = first;
    look.echoed = echoed;
    return look;
}

}  // namespace fieldgate::southbound::modbus
