#include "southbound/modbus/pdu.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/expect.h"
#include "southbound/modbus/cost.h"

namespace fieldgate::southbound::modbus {
namespace {

constexpr std::uint8_t coil_on = 0xFF;
constexpr std::uint8_t coil_off = 0;

std::uint8_t function_code(Table table) {
    switch (table) {
        case Table::coil:
            return 1;
        case Table::discrete:
            return 2;
        case Table::holding:
            return 3;
        case Table::input:
            break;
    }
    return 4;
}

Table table_of(std::uint8_t function) {
    constexpr std::array tables{Table::coil, Table::discrete, Table::holding, Table::input};
    return tables[(function - 1U) & 3U];
}

std::uint8_t high(std::uint16_t word) { return static_cast<std::uint8_t>(word >> 8); }
std::uint8_t low(std::uint16_t word) { return static_cast<std::uint8_t>(word & 0xFF); }

std::uint16_t word_at(const Pdu& pdu, std::size_t at) {
    return static_cast<std::uint16_t>(pdu[at] << 8 | pdu[at + 1]);
}

void append_word(Pdu& pdu, std::uint16_t word) {
    pdu.push_back(high(word));
    pdu.push_back(low(word));
}

Request write_request(std::uint8_t unit, Pdu pdu, std::size_t reply_bytes) {
    Request request;
    request.unit = unit;
    request.pdu = std::move(pdu);
    request.reply_bytes = reply_bytes;
    return request;
}

// A write is answered with its own beginning.
bool is_echo(const Request& request, std::span<const std::uint8_t> reply) {
    return std::equal(reply.begin(), reply.end(), request.pdu.begin());
}

Error untrue(std::string what) { return {Errc::bad_data, std::move(what)}; }

Error refusal(int code) {
    Error error(Errc::refused, "exception " + std::to_string(code) + ": " + exception_text(code));
    error.detail = code;
    return error;
}

}  // namespace

Request read_request(std::uint8_t unit, Table table, std::uint16_t first, std::uint16_t count) {
    const bool bits = table == Table::coil || table == Table::discrete;
    expect(count >= 1 && count <= (bits ? 2000 : 125), "a count that one request can ask for");
    expect(std::uint32_t{first} + count <= 0x10000, "a range that ends at 65535");
    Request request;
    request.unit = unit;
    request.pdu = {function_code(table), high(first), low(first), high(count), low(count)};
    request.reply_bytes = reply_pdu_bytes(table, count);
    return request;
}

Request write_coil_request(std::uint8_t unit, std::uint16_t address, bool on) {
    return write_request(unit, {5, high(address), low(address), on ? coil_on : coil_off, 0}, 5);
}

Request write_register_request(std::uint8_t unit, std::uint16_t address, std::uint16_t word) {
    return write_request(unit, {6, high(address), low(address), high(word), low(word)}, 5);
}

Request write_registers_request(std::uint8_t unit, std::uint16_t first,
                                std::span<const std::uint16_t> words) {
    expect(!words.empty() && words.size() <= write_registers_max, "as many as one request writes");
    expect(first + words.size() <= 0x10000, "a range that ends at 65535");
    Pdu pdu{16, high(first), low(first)};
    append_word(pdu, static_cast<std::uint16_t>(words.size()));
    pdu.push_back(static_cast<std::uint8_t>(2 * words.size()));
    for (const std::uint16_t word : words) append_word(pdu, word);
    return write_request(unit, std::move(pdu), 5);
}

// Result = (old AND and_mask) OR (or_mask AND NOT and_mask).
Request mask_register_request(std::uint8_t unit, std::uint16_t address, std::uint16_t bits,
                              std::uint16_t mask) {
    Pdu pdu{22, high(address), low(address)};
    append_word(pdu, static_cast<std::uint16_t>(~mask));
    append_word(pdu, static_cast<std::uint16_t>(bits & mask));
    return write_request(unit, std::move(pdu), 7);
}

bool is_write(const Request& request) {
    const std::uint8_t function = request.pdu.empty() ? std::uint8_t{0} : request.pdu.front();
    return function == 5 || function == 6 || function == 15 || function == 16 || function == 22 ||
           function == 23;
}

Result<void> check_reply(const Request& request, std::uint8_t reply_unit,
                         std::span<const std::uint8_t> reply) {
    if (reply_unit != request.unit)
        return untrue("unit " + std::to_string(reply_unit) + " answered instead of " +
                      std::to_string(request.unit));
    if (reply.empty()) return untrue("an empty answer");
    const std::uint8_t function = request.pdu[0];
    if (reply[0] == (function | exception_bit)) {
        if (reply.size() != 2)
            return untrue("an exception of " + std::to_string(reply.size()) + " bytes");
        return refusal(reply[1]);
    }
    if (reply[0] != function)
        return untrue("an answer to function " + std::to_string(reply[0]) + " instead of " +
                      std::to_string(function));
    if (reply.size() != request.reply_bytes)
        return untrue("an answer of " + std::to_string(reply.size()) + " bytes instead of " +
                      std::to_string(request.reply_bytes));
    if (is_write(request)) {
        if (!is_echo(request, reply)) return untrue("an echo of another write");
        return {};
    }
    // 17 to 24 bits from 0x03xx on: the request itself has the form of an answer.
    if (std::ranges::equal(reply, request.pdu)) return untrue("an echo of the request");
    if (reply[1] != request.reply_bytes - 2)
        return untrue("a byte count of " + std::to_string(reply[1]) + " instead of " +
                      std::to_string(request.reply_bytes - 2));
    return {};
}

std::span<const std::uint8_t> reply_data(std::span<const std::uint8_t> reply) {
    expect(reply.size() >= 2, "a checked answer");
    return reply.subspan(2);
}

std::optional<Request> probe_of_other_length(const Request& request) {
    const Table table = table_of(request.pdu[0]);
    const std::uint16_t first = word_at(request.pdu, 1);
    const unsigned count = word_at(request.pdu, 3);
    const bool bits = table == Table::coil || table == Table::discrete;
    // Only bytes show in an answer: up to 8 bits look alike.
    const unsigned unit = bits ? 8 : 1;
    const unsigned units = (count + unit - 1) / unit;
    if (units < 2 || (!bits && units <= request.at_least)) return std::nullopt;
    unsigned half = units / 2;
    if (!bits && units == 3) half = 2;
    if (!bits && half > 4) half -= half % 4;
    if (!bits) half = std::max<unsigned>(half, request.at_least);
    Request probe =
        read_request(request.unit, table, first, static_cast<std::uint16_t>(half * unit));
    probe.at_least = request.at_least;
    return probe;
}

// Application Protocol V1.1b3, 7.
const char* exception_text(int code) {
    switch (code) {
        case 1:
            return "illegal function";
        case 2:
            return "illegal data address";
        case 3:
            return "illegal data value";
        case 4:
            return "server device failure";
        case 5:
            return "acknowledge";
        case 6:
            return "server device busy";
        case 7:
            return "negative acknowledge";
        case 8:
            return "memory parity error";
        case 10:
            return "gateway path unavailable";
        case 11:
            return "gateway target device failed to respond";
        default:
            return "unknown exception";
    }
}

bool device_answered(const Error& error) {
    return error.code == Errc::refused && error.detail != 10 && error.detail != 11;
}

}  // namespace fieldgate::southbound::modbus
