#include "southbound/modbus/field.h"

#include <algorithm>

namespace fieldgate::southbound::modbus {

const char* to_string(Table table) {
    switch (table) {
        case Table::coil:
            return "coil";
        case Table::discrete:
            return "discrete";
        case Table::input:
            return "input";
        case Table::holding:
            break;
    }
    return "holding";
}

std::uint16_t longest_allowed(const RegisterMap& map, Table table) {
    const bool bits = table == Table::coil || table == Table::discrete;
    const int registers = std::clamp<int>(map.max_registers, 1, 125);
    return static_cast<std::uint16_t>(bits ? registers * 16 : registers);
}

std::uint16_t width(const Field& field) {
    if (field.table == Table::coil || field.table == Table::discrete) return 1;
    switch (field.type) {
        case RawType::boolean:
        case RawType::u16:
        case RawType::i16:
        case RawType::bcd16:
            return 1;
        case RawType::u32:
        case RawType::i32:
        case RawType::f32:
        case RawType::bcd32:
            return 2;
        case RawType::u64:
        case RawType::i64:
        case RawType::f64:
            return 4;
        case RawType::string:
            break;
    }
    return static_cast<std::uint16_t>((field.length + 1U) / 2U);
}

}  // namespace fieldgate::southbound::modbus
