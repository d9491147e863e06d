#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <variant>

#include "southbound/link.h"
#include "southbound/modbus/field.h"
#include "southbound/settings.h"

namespace fieldgate::southbound::modbus {

/// One character on the wire: start, data, parity and stop bits.
std::chrono::nanoseconds character_time(const SerialSettings& line);
/// The silence between two frames: 3.5 characters up to 19200 baud, 1.75 ms above (Modbus Serial
/// Line V1.02, 2.5.1.1).
std::chrono::nanoseconds frame_silence(const SerialSettings& line);
/// A PDU with its address and checksum, from its first bit to its last.
std::chrono::nanoseconds frame_time(const SerialSettings& line, std::size_t pdu_bytes);

/// Bytes that a read and its answer take on the wire, headers and checksums included.
std::size_t wire_bytes(const std::variant<SerialSettings, TcpSettings>& wire, Table table,
                       std::uint16_t count);

/// What a read costs on one wire. Decides which reads are worth merging; never what is correct.
class CostModel {
public:
    explicit CostModel(const BusSettings& bus);

    /// Bytes, silences and the device's latency.
    std::chrono::nanoseconds transaction(Table table, std::uint16_t count) const;

    /// Time that is not on the wire: the device thinks, adapters buffer, networks forward. 20 ms on
    /// serial lines and 2 ms on TCP until measured.
    std::chrono::nanoseconds latency() const { return latency_; }
    /// A good transaction took `elapsed`, from the first byte sent to the last received; moves
    /// latency() there by an eighth.
    void observe(const Request& request, std::chrono::nanoseconds elapsed);
    bool observed() const { return observed_; }
    /// What was measured before a restart; nothing once something was measured.
    void expect_latency(std::chrono::nanoseconds latency);

    /// How long an answer may take, from the last byte sent to the last received: the bus's
    /// `timeout`; else, on serial lines (auto), the time of a good answer at this speed and a fifth
    /// more, plus ten times the latency, but 300 ms to 1 s of that; else 500 ms.
    std::chrono::milliseconds timeout(const Request& request) const;
    std::chrono::milliseconds timeout(std::size_t reply_pdu_bytes) const;

    /// Silence before another unit is addressed; 0 on TCP.
    std::chrono::milliseconds turnaround() const;
    const BusSettings& bus() const { return bus_; }

private:
    std::chrono::nanoseconds wire_time(std::size_t request_pdu, std::size_t reply_pdu) const;

    BusSettings bus_;
    std::chrono::nanoseconds latency_;
    bool observed_ = false;
};

/// Bytes of the PDU of a good answer: function, byte count, data.
std::size_t reply_pdu_bytes(Table table, std::uint16_t count);

}  // namespace fieldgate::southbound::modbus
