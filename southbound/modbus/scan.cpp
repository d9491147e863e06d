#include "southbound/modbus/scan.h"

#include "southbound/modbus/pdu.h"
#include "southbound/modbus/registers.h"

namespace fieldgate::southbound::modbus {

void decode(const RegisterMap& map, Scan& scan, std::uint64_t tick,
            std::span<const std::uint8_t> reply, std::vector<Reading>& out, NoValues& none) {
    const std::span<const std::uint8_t> data = reply_data(reply);
    out.reserve(out.size() + scan.fields.size());
    for (ScanField& field : scan.fields) {
        if (field.every_nth > 1) {
            const std::uint64_t turn = tick / field.every_nth + 1;
            if (field.turn == turn) continue;
            field.turn = turn;
        }
        Reading& reading = out.emplace_back();
        reading.point = field.point;
        const Decoded decoded = decode(map.fields[field.point], data, field.offset, reading.value);
        if (decoded == Decoded::value) continue;
        out.pop_back();
        if (decoded == Decoded::absent) ++none.absent;
        if (decoded == Decoded::unlisted) ++none.unlisted;
        if (decoded == Decoded::invalid) ++none.invalid;
    }
}

}  // namespace fieldgate::southbound::modbus
