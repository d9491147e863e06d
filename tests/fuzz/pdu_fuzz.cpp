// Any bytes as an answer to any request: passed only if they are as long as the request says and
// begin as a true answer does, and what has passed can be decoded to its end. Of a write, only its
// own echo passes.
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/expect.h"
#include "southbound/modbus/pdu.h"
#include "southbound/modbus/scan.h"

namespace {

using namespace fieldgate;
using namespace fieldgate::southbound::modbus;
using fieldgate::southbound::Request;

Request any_write(std::span<const std::uint8_t> bytes) {
    const auto word = [&](std::size_t at) {
        return static_cast<std::uint16_t>(unsigned{bytes[at]} << 8 | bytes[at + 1]);
    };
    switch (bytes[0] >> 3 & 3) {
        case 0:
            return write_coil_request(bytes[3], word(1), (bytes[0] & 1) != 0);
        case 1:
            return write_register_request(bytes[3], word(1), word(3));
        case 2: {
            const std::size_t count = 1 + bytes[1] % write_registers_max;
            return write_registers_request(bytes[3], bytes[2],
                                           std::vector<std::uint16_t>(count, word(0)));
        }
        default:
            return mask_register_request(bytes[3], word(1), word(3), word(2));
    }
}

void try_write(std::span<const std::uint8_t> bytes) {
    const Request request = any_write(bytes);
    expect(is_write(request) && request.pdu.size() <= pdu_bytes_max, "a write");
    expect(request.reply_bytes <= request.pdu.size(), "an answer that is a part of it");
    const std::span<const std::uint8_t> reply = bytes.subspan(5);
    if (!check_reply(request, bytes[4], reply)) return;
    expect(bytes[4] == bytes[3], "the unit that was asked");
    expect(reply.size() == request.reply_bytes, "the length of an echo");
    expect(std::equal(reply.begin(), reply.end(), request.pdu.begin()), "its echo");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size < 5) return 0;
    if (bytes[0] & 4) {
        try_write({bytes, size});
        return 0;
    }
    const auto table = static_cast<Table>(bytes[0] & 3);
    const bool bits = table == Table::coil || table == Table::discrete;
    const unsigned most = bits ? 2000 : 125;
    const auto count = static_cast<std::uint16_t>(1 + (unsigned{bytes[1]} << 8 | bytes[2]) % most);
    const auto request = read_request(bytes[3], table, 100, count);
    const std::span<const std::uint8_t> reply(bytes + 5, size - 5);

    const auto checked = check_reply(request, bytes[4], reply);
    if (checked) {
        expect(bytes[4] == bytes[3], "the unit that was asked");
        expect(reply.size() == request.reply_bytes, "the length that was asked for");
        expect(reply[0] == request.pdu[0], "the function that was asked for");
        RegisterMap map;
        map.fields.resize(1);
        map.fields[0].table = table;
        map.fields[0].type = bits ? RawType::boolean : RawType::u16;
        Scan scan;
        for (std::uint16_t i = 0; i < count; ++i) scan.fields.push_back({0, i, 1, 0});
        std::vector<Reading> readings;
        NoValues none;
        decode(map, scan, 0, reply, readings, none);
        expect(readings.size() == count, "every register of a true answer");
    } else if (checked.error().code == Errc::refused) {
        expect(reply.size() == 2 && reply[0] == (request.pdu[0] | 0x80), "an exception");
        expect(checked.error().detail == reply[1], "its code");
    } else {
        expect(checked.error().code == Errc::bad_data, "no other error");
    }
    if (const auto probe = probe_of_other_length(request))
        expect(probe->reply_bytes < request.reply_bytes, "another length");
    return 0;
}
