#include "southbound/modbus/cost.h"

#include <algorithm>

namespace fieldgate::southbound::modbus {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

constexpr std::size_t request_pdu_bytes = 5;  // function, address, count
constexpr std::size_t serial_extra = 3;       // unit, CRC
constexpr std::size_t mbap_bytes = 7;

// A byte costs a TCP device more than the network: it is copied register by register.
constexpr nanoseconds tcp_byte = 1us;
constexpr nanoseconds tcp_request = 100us;

}  // namespace

nanoseconds character_time(const SerialSettings& line) {
    const unsigned bits = 1U + line.data_bits + (line.parity == 'N' ? 0U : 1U) + line.stop_bits;
    return nanoseconds(std::int64_t{1'000'000'000} * bits / std::max(line.baud, 1U));
}

nanoseconds frame_silence(const SerialSettings& line) {
    if (line.baud > 19200) return 1750us;
    return character_time(line) * 7 / 2;
}

nanoseconds frame_time(const SerialSettings& line, std::size_t pdu_bytes) {
    return character_time(line) * static_cast<std::int64_t>(pdu_bytes + serial_extra);
}

std::size_t reply_pdu_bytes(Table table, std::uint16_t count) {
    const bool bits = table == Table::coil || table == Table::discrete;
    return 2U + (bits ? (count + 7U) / 8U : 2U * count);
}

std::size_t wire_bytes(const std::variant<SerialSettings, TcpSettings>& wire, Table table,
                       std::uint16_t count) {
    const std::size_t extra =
        std::holds_alternative<SerialSettings>(wire) ? serial_extra : mbap_bytes;
    return request_pdu_bytes + reply_pdu_bytes(table, count) + 2 * extra;
}

CostModel::CostModel(const BusSettings& bus)
    : bus_(bus),
      latency_(std::holds_alternative<SerialSettings>(bus.wire) ? nanoseconds(20ms)
                                                                : nanoseconds(2ms)) {}

nanoseconds CostModel::wire_time(std::size_t request_pdu, std::size_t reply_pdu) const {
    if (const auto* line = std::get_if<SerialSettings>(&bus_.wire))
        return frame_time(*line, request_pdu) + frame_time(*line, reply_pdu);
    const std::size_t bytes = request_pdu + reply_pdu + 2 * mbap_bytes;
    return tcp_request + tcp_byte * static_cast<std::int64_t>(bytes);
}

nanoseconds CostModel::transaction(Table table, std::uint16_t count) const {
    const nanoseconds bytes = wire_time(request_pdu_bytes, reply_pdu_bytes(table, count));
    const auto* line = std::get_if<SerialSettings>(&bus_.wire);
    return bytes + latency_ + (line ? 2 * frame_silence(*line) : nanoseconds(0));
}

void CostModel::observe(const Request& request, nanoseconds elapsed) {
    const nanoseconds bytes = wire_time(request.pdu.size(), request.reply_bytes);
    latency_ += (std::max(elapsed - bytes, nanoseconds(0)) - latency_) / 8;
    observed_ = true;
}

void CostModel::expect_latency(nanoseconds latency) {
    if (!observed_) latency_ = std::clamp<nanoseconds>(latency, 0ms, 10s);
}

std::chrono::milliseconds CostModel::timeout(const Request& request) const {
    return timeout(request.reply_bytes);
}

std::chrono::milliseconds CostModel::timeout(std::size_t reply_pdu) const {
    if (bus_.timeout) return *bus_.timeout;
    const auto* line = std::get_if<SerialSettings>(&bus_.wire);
    if (!line) return 500ms;
    const nanoseconds thinking = std::clamp<nanoseconds>(10 * latency_, 300ms, 1s);
    return std::chrono::ceil<std::chrono::milliseconds>(frame_time(*line, reply_pdu) * 6 / 5 +
                                                        thinking);
}

std::chrono::milliseconds CostModel::turnaround() const {
    const bool serial = std::holds_alternative<SerialSettings>(bus_.wire);
    return serial ? bus_.turnaround : std::chrono::milliseconds(0);
}

}  // namespace fieldgate::southbound::modbus
