#include "tests/lab/plant/fault.h"

#include <utility>

namespace fieldgate::lab {
namespace {

std::size_t unit_at(Framing framing) { return framing == Framing::rtu ? 0 : 6; }
std::size_t function_at(Framing framing) { return unit_at(framing) + 1; }

// Checksum or header length are right again.
void seal(Framing framing, Bytes& frame) {
    if (framing == Framing::tcp) {
        frame[4] = static_cast<std::uint8_t>((frame.size() - 6) >> 8U);
        frame[5] = static_cast<std::uint8_t>((frame.size() - 6) & 0xffU);
        return;
    }
    const std::uint16_t crc = crc16(std::span(frame).first(frame.size() - 2));
    frame[frame.size() - 2] = static_cast<std::uint8_t>(crc & 0xffU);
    frame[frame.size() - 1] = static_cast<std::uint8_t>(crc >> 8U);
}

void shorten_by_a_register(Framing framing, Bytes& frame) {
    const std::size_t at = function_at(framing);
    if (frame.size() < at + 8) return;
    frame[at + 1] = static_cast<std::uint8_t>(frame[at + 1] - 2);
    const auto begin = frame.begin() + static_cast<std::ptrdiff_t>(at) + 2;
    frame.erase(begin, begin + 2);
    seal(framing, frame);
}

void turn_into_exception(Framing framing, std::uint8_t code, Bytes& frame) {
    const std::size_t at = function_at(framing);
    frame[at] = static_cast<std::uint8_t>(frame[at] | 0x80U);
    frame[at + 1] = code;
    frame.resize(at + 2 + (framing == Framing::rtu ? 2 : 0));
    seal(framing, frame);
}

// What changes bytes of the frame and nothing else.
void falsify(const Fault& fault, Framing framing, Bytes& frame) {
    const bool tcp = framing == Framing::tcp;
    const std::size_t function = function_at(framing);
    switch (fault.kind) {
        case FaultKind::truncated:
            frame.resize(frame.size() / 2);
            return;
        case FaultKind::wrong_unit:
            ++frame[unit_at(framing)];
            seal(framing, frame);
            return;
        case FaultKind::wrong_transaction:
            if (tcp) frame[0] ^= 0x40U;
            return;
        case FaultKind::wrong_protocol:
            if (tcp) frame[3] = 1;
            return;
        case FaultKind::wrong_function:
            frame[function] = frame[function] == 3 ? 4 : 3;
            seal(framing, frame);
            return;
        case FaultKind::wrong_length:
            shorten_by_a_register(framing, frame);
            return;
        case FaultKind::wrong_header:
            if (tcp)
                frame[5] = static_cast<std::uint8_t>(frame[5] + 3);
            else
                frame.resize(frame.size() - 3);
            return;
        case FaultKind::wrong_byte_count:
            frame[function + 1] = static_cast<std::uint8_t>(frame[function + 1] + 2);
            seal(framing, frame);
            return;
        case FaultKind::wrong_checksum:
            if (!tcp) frame.back() ^= 0x55U;
            return;
        case FaultKind::exception:
            turn_into_exception(framing, fault.code, frame);
            return;
        default:
            return;
    }
}

void add_noise(FaultKind kind, Bytes& frame) {
    const Bytes noise{0x00, 0xff, 0x5a};
    auto at = frame.begin();
    if (kind == FaultKind::noise_inside) at += static_cast<std::ptrdiff_t>(frame.size() / 2);
    if (kind == FaultKind::noise_after) at = frame.end();
    frame.insert(at, noise.begin(), noise.end());
}

}  // namespace

Spoiled spoil(const Fault& fault, Framing framing, Bytes answer) {
    Spoiled result;
    if (answer.empty() || fault.kind == FaultKind::silent) return result;
    if (fault.kind == FaultKind::drop) {
        result.close = true;
        return result;
    }
    if (fault.kind == FaultKind::dribble) {
        auto after = std::chrono::milliseconds(0);
        for (const std::uint8_t byte : answer) {
            result.chunks.push_back({after, Bytes{byte}});
            after += fault.delay;
        }
        return result;
    }
    if (fault.kind == FaultKind::stray_before && framing == Framing::rtu)
        answer.insert(answer.begin(), 0x00);
    const bool noisy = fault.kind == FaultKind::noise_before ||
                       fault.kind == FaultKind::noise_inside ||
                       fault.kind == FaultKind::noise_after;
    if (noisy) add_noise(fault.kind, answer);
    if (!noisy) falsify(fault, framing, answer);
    const bool later = fault.kind == FaultKind::late || fault.kind == FaultKind::overtaken;
    result.chunks.push_back(
        {later ? fault.delay : std::chrono::milliseconds(0), std::move(answer)});
    result.close = fault.kind == FaultKind::close_after;
    result.overtaken = fault.kind == FaultKind::overtaken;
    return result;
}

Fault FaultScript::next(std::uint8_t function) {
    if (fault_.function != 0 && fault_.function != function) return {};
    const Fault fault = fault_;
    if (fault.kind != FaultKind::none) ++strikes_;
    if (fault_.times == 1) fault_ = Fault();
    if (fault_.times > 1) --fault_.times;
    return fault;
}

}  // namespace fieldgate::lab
