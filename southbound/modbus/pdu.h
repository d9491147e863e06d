#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "southbound/link.h"
#include "southbound/modbus/field.h"

namespace fieldgate::southbound::modbus {

/// The longest PDU (Application Protocol V1.1b3, 4.1).
inline constexpr std::size_t pdu_bytes_max = 253;
/// In the function of an answer: it is an exception (7).
inline constexpr std::uint8_t exception_bit = 0x80;
/// The most registers that one FC 16 writes (6.12).
inline constexpr std::size_t write_registers_max = 123;

/// Reads `count` registers, coils or discrete inputs from `first` on: FC 1, 2, 3 or 4 (6.1 to 6.4).
/// `count` is 1 to 125 registers or 1 to 2000 bits, and ends at address 65535 at the latest.
Request read_request(std::uint8_t unit, Table table, std::uint16_t first, std::uint16_t count);

/// Switches one coil: FC 5 (6.5).
Request write_coil_request(std::uint8_t unit, std::uint16_t address, bool on);
/// Writes `words` to the holding registers from `first` on: FC 6 (6.6) for one word, or FC 16
/// (6.12) for 1 to 123 of them. They end at address 65535 at the latest.
Request write_register_request(std::uint8_t unit, std::uint16_t address, std::uint16_t word);
Request write_registers_request(std::uint8_t unit, std::uint16_t first,
                                std::span<const std::uint16_t> words);
/// Sets the bits of one holding register that are in `mask` to those of `bits`, the others stay:
/// FC 22 (6.16).
Request mask_register_request(std::uint8_t unit, std::uint16_t address, std::uint16_t bits,
                              std::uint16_t mask);
/// It changes something, so it is never sent twice: FC 5, 6, 15, 16, 22, 23.
bool is_write(const Request& request);

/// Whether `reply`, sent by `reply_unit`, is a true answer to `request`: unit, function, length,
/// byte count; of a write its whole echo, of a read anything but that: a line may echo what is sent
/// (a true answer with these very bytes is lost with it). Everything that may go wrong on a wire
/// ends here, for both links. Errors: refused, if it is a well-formed exception (code in `detail`,
/// 7); bad_data for everything else.
Result<void> check_reply(const Request& request, std::uint8_t reply_unit,
                         std::span<const std::uint8_t> reply);

/// The registers or bits of a reply to a read that check_reply() has passed: without function and
/// byte count.
std::span<const std::uint8_t> reply_data(std::span<const std::uint8_t> reply);

/// A read within the range of `request` whose good answer has another length, so that a late answer
/// to `request` can not be taken for an answer to it, of no fewer registers than Request::at_least.
/// Two and four register values at the start of
/// the range are not cut if that can be. Also a cheap sign of life. nullopt for a single register
/// (or up to 8 bits): then read the same again and believe the second answer only.
std::optional<Request> probe_of_other_length(const Request& request);

/// "illegal data address" for 2; for codes that the specification does not know "unknown
/// exception".
const char* exception_text(int code);

/// What an error says about the device, not about this one transaction.
/// True: something that speaks for the device answered. False: no answer, an answer that cannot be
/// true, or a gateway that says that there is none (exceptions 10 and 11).
bool device_answered(const Error& error);

}  // namespace fieldgate::southbound::modbus
